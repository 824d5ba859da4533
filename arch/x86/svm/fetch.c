/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The bytes of an instruction that exited, copied once: from the VMCB where the CPU puts them there
 * (decode assists), else through the guest's own page tables. Nothing here faults or trusts what it
 * reads: an address that leads out of the guest's memory ends the copy. APM 2 5.2, 5.3, 15.8.4.
 */
#include "arch/x86/decode.h"
#include "arch/x86/mmu.h"
#include "arch/x86/svm/svm.h"

#define CR4_PSE	     (1ull << 4)
#define CR3_PAE_BITS 0xffffffe0ull

/* Whether an entry maps: the lowest level's all do, pages of 1 GiB need four levels. */
static bool is_leaf(const struct vmcb *v, unsigned levels, unsigned level, uint64_t entry)
{
	if (level == 0)
		return true;
	return entry & PTE_PS &&
	    (level == 1 ? levels > 2 || v->cr4 & CR4_PSE : level == 2 && levels == 4);
}

static bool translate(const struct vmcb *v, uint64_t va, uint64_t *pa)
{
	unsigned levels = v->efer & EFER_LMA ? 4 : v->cr4 & CR4_PAE ? 3 : 2;
	unsigned bits = levels == 2 ? 10 : 9;
	unsigned bytes = levels == 2 ? 4 : 8;
	uint64_t table = v->cr3 & (levels == 3 ? CR3_PAE_BITS : PTE_ADDRESS);

	*pa = va;
	if (!(v->cr0 & CR0_PG))
		return true;
	for (unsigned level = levels; level-- > 0;) {
		unsigned shift = FRAME_SHIFT + bits * level;
		uint64_t index = va >> shift & ((1u << bits) - 1);
		uint64_t inside = (1ull << shift) - 1;
		uint64_t entry = 0;

		if (!monitor_guest_read((gpa_t){ table + index * bytes }, &entry, bytes) ||
		    !(entry & PTE_P))
			return false;
		table = entry & PTE_ADDRESS;
		if (is_leaf(v, levels, level, entry)) {
			/* A page of 4 MiB has address bits 39:32 in bits 20:13 of its entry. */
			if (levels == 2 && level == 1)
				table |= (entry >> 13 & 0xff) << 32;
			*pa = (table & ~inside) | (va & inside);
			return true;
		}
	}
	return false;
}

unsigned svm_fetch(uint8_t *bytes)
{
	const struct vmcb *v = vmcb();
	unsigned have = 0;

	/* The CPU stores them at these exits only; from others they are those of an earlier one. */
	if (svm_caps()->features & SVM_DECODE_ASSIST && v->exit_code == EXIT_NESTED_FAULT &&
	    v->fetched != 0) {
		have = v->fetched < INSN_MAX_BYTES ? v->fetched : INSN_MAX_BYTES;
		__builtin_memcpy(bytes, v->code, have);
		return have;
	}
	while (have < INSN_MAX_BYTES) {
		uint64_t va = svm_in_64(v) ? v->rip + have
					   : (v->cs.base + v->rip + have) & UINT32_MAX;
		uint64_t left = FRAME_SIZE - va % FRAME_SIZE;
		uint64_t pa;

		left = left < INSN_MAX_BYTES - have ? left : INSN_MAX_BYTES - have;
		if (!translate(v, va, &pa) ||
		    !monitor_guest_read((gpa_t){ pa }, bytes + have, left))
			break;
		have += (unsigned)left;
	}
	return have;
}

bool svm_decode(struct insn *insn)
{
	const struct vmcb *v = vmcb();
	uint8_t bytes[INSN_MAX_BYTES];
	unsigned count = svm_fetch(bytes);
	enum decode_mode mode = v->cs.attributes & ATTRIBUTE_DEFAULT ? DECODE_32 : DECODE_16;

	if (svm_in_64(v))
		mode = DECODE_64;
	if (test_switch(TEST_DECODE_TWICE)) {
		(void)decode(bytes, count, mode, insn);
		count = svm_fetch(bytes);
	}
	return decode(bytes, count, mode, insn);
}
