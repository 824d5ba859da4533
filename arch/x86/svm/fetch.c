/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The bytes of an instruction that exited, copied once: from the VMCB where the CPU puts them there
 * (decode assists), else through the guest's own page tables. Nothing here faults or trusts what it
 * reads: an address that leads out of the guest's memory ends the copy. APM 2 5.2, 5.3, 15.8.4.
 */
#include "arch/upcall.h"
#include "arch/x86/bits.h"
#include "arch/x86/decode.h"
#include "arch/x86/svm/svm.h"

#define ENTRY_PRESENT 1ull
#define ENTRY_LARGE   (1ull << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define CR4_PSE	      (1ull << 4)
#define CR3_PAE_BITS  0xffffffe0ull

/* How the guest translates. */
struct paging {
	unsigned levels;
	unsigned index_bits;
	unsigned entry_bytes;
	bool large_low; /* the second lowest level may map */
};

static struct paging paging_of(const struct vmcb *v)
{
	if (v->efer & EFER_LMA)
		return (struct paging){ 4, 9, 8, true };
	if (v->cr4 & CR4_PAE)
		return (struct paging){ 3, 9, 8, true };
	return (struct paging){ 2, 10, 4, v->cr4 & CR4_PSE };
}

static uint64_t root_of(const struct vmcb *v, const struct paging *p)
{
	return v->cr3 & (p->levels == 3 ? CR3_PAE_BITS : ENTRY_ADDRESS);
}

static bool maps(const struct paging *p, unsigned level, uint64_t entry)
{
	if (level == 0)
		return true;
	return entry & ENTRY_LARGE && (level == 1 ? p->large_low : level == 2 && p->levels == 4);
}

/* A 4 MiB page has address bits 39:32 in bits 20:13 of its entry. */
static uint64_t frame_of(const struct paging *p, unsigned level, uint64_t entry)
{
	if (p->entry_bytes == 4 && level == 1)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	return entry & ENTRY_ADDRESS;
}

static bool translate(const struct vmcb *v, uint64_t va, uint64_t *pa)
{
	struct paging p = paging_of(v);
	uint64_t table = root_of(v, &p);

	*pa = va;
	if (!(v->cr0 & CR0_PG))
		return true;
	for (unsigned level = p.levels; level-- > 0;) {
		unsigned shift = FRAME_SHIFT + p.index_bits * level;
		uint64_t index = va >> shift & ((1u << p.index_bits) - 1);
		uint64_t entry = 0;

		if (!monitor_guest_read((gpa_t){ table + index * p.entry_bytes }, &entry,
			p.entry_bytes) ||
		    !(entry & ENTRY_PRESENT))
			return false;
		table = frame_of(&p, level, entry);
		if (maps(&p, level, entry)) {
			uint64_t inside = (1ull << shift) - 1;

			*pa = (table & ~inside) | (va & inside);
			return true;
		}
	}
	return false;
}

static uint64_t code_address(const struct vmcb *v, unsigned at)
{
	if (v->efer & EFER_LMA && v->cs.attributes & ATTRIBUTE_LONG)
		return v->rip + at;
	return (v->cs.base + v->rip + at) & UINT32_MAX;
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
		uint64_t va = code_address(v, have);
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
