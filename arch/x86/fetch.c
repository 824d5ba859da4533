/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The bytes of an instruction that exited, copied once through the guest's own page tables. Nothing
 * here faults or trusts what it reads: an address that leads out of the guest's memory ends the
 * copy. SDM 3A 4; APM 2 5.2, 5.3.
 */
#include "arch/test_switch.h"
#include "arch/x86/bits.h"
#include "arch/x86/decode.h"
#include "arch/x86/mmu.h"

#define CR4_PSE	     (1ull << 4)
#define CR3_PAE_BITS 0xffffffe0ull

static bool translate(const struct code_state *code, uint64_t va, uint64_t *pa)
{
	unsigned levels = code->efer & EFER_LMA ? 4 : code->cr4 & CR4_PAE ? 3 : 2;
	unsigned bits = levels == 2 ? 10 : 9;
	unsigned bytes = FRAME_SIZE >> bits;
	uint64_t table = code->cr3 & (levels == 3 ? CR3_PAE_BITS : PTE_ADDRESS);

	*pa = va;
	if (!(code->cr0 & CR0_PG))
		return true;
	for (unsigned level = levels; level-- > 0;) {
		unsigned shift = FRAME_SHIFT + bits * level;
		uint64_t inside = (1ull << shift) - 1;
		uint64_t entry = 0;
		/* Of 2 MiB: where entries have 8 bytes; of 1 GiB: with four levels. */
		bool large = level + 2 <= levels || (level == 1 && code->cr4 & CR4_PSE);

		if (!monitor_guest_read((gpa_t){ table + (va >> shift) % (1u << bits) * bytes },
			&entry, bytes) ||
		    !(entry & PTE_P))
			return false;
		table = entry & PTE_ADDRESS;
		/* A page of 4 MiB has address bits 39:32 in bits 20:13 of its entry. */
		if (levels == 2 && level == 1 && large && entry & PTE_PS)
			table |= (entry >> 13 & 0xff) << 32;
		if (level == 0 || (large && entry & PTE_PS)) {
			*pa = (table & ~inside) | (va & inside);
			return true;
		}
	}
	return false;
}

unsigned fetch_bytes(const struct code_state *code, uint8_t *bytes)
{
	unsigned have = 0;

	while (have < INSN_MAX_BYTES) {
		uint64_t va = code->rip + have;
		uint64_t left, pa;

		if (code->mode != DECODE_64)
			va = (va + code->cs_base) & UINT32_MAX;
		left = FRAME_SIZE - va % FRAME_SIZE;
		left = left < INSN_MAX_BYTES - have ? left : INSN_MAX_BYTES - have;
		if (!translate(code, va, &pa) ||
		    !monitor_guest_read((gpa_t){ pa }, bytes + have, left))
			break;
		have += (unsigned)left;
	}
	return have;
}

bool fetch_insn(const struct code_state *code, struct insn *insn)
{
	uint8_t bytes[INSN_MAX_BYTES];
	unsigned count = fetch_bytes(code, bytes);

	if (test_switch(TEST_DECODE_TWICE)) {
		(void)decode(bytes, count, code->mode, insn);
		count = fetch_bytes(code, bytes);
	}
	return decode(bytes, count, code->mode, insn);
}
