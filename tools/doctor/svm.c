/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SVM: what the monitor's check (arch/x86/svm/caps.c) demands, in its order. APM 2 15.4, 15.25,
 * 15.30.1; APM 3 E.4.
 */
#include "tools/doctor/cpu.h"

#define LEAF_EXTENDED 0x80000000u
#define LEAF_FEATURES 0x80000001u
#define LEAF_SIZES    0x80000008u
#define LEAF_SVM      0x8000000au
#define LEAF_MEMORY   0x8000001fu
#define LEAF_MORE     0x80000021u

#define FEATURE_NX	(1u << 20) /* EDX */
#define FEATURE_HUGE	(1u << 26) /* EDX */
#define SIZES_RDPRU	(1u << 4)  /* EBX */
#define MEMORY_SME	1u	   /* EAX */
#define MORE_VERW_CLEAR (1u << 5)  /* EAX */
#define MORE_TSA_NO	(3u << 1)  /* ECX */
#define FAMILY_TSA	0x19u
#define ADDRESS_BITS	48u

#define MSR_EFER       0xc0000080u
#define MSR_SYSCFG     0xc0010010u
#define MSR_VM_CR      0xc0010114u
#define SYSCFG_ENCRYPT (1ull << 23)
#define CR4_LA57       (1ull << 12)
#define CR4_CET	       (1ull << 23)
#define EFER_SVME      (1ull << 12)
#define VM_CR_LOCK     (1ull << 3)
#define VM_CR_SVMDIS   (1ull << 4)
#define VM_CR_OFF      (VM_CR_LOCK | VM_CR_SVMDIS)
#define ASIDS_NEEDED   3u /* root mode's, the normal world's, partitions' */

/* All zero where the CPU has no such leaf. */
static struct leaf extended(const struct source *source, uint32_t number)
{
	struct leaf leaf = { 0 };

	if (cpu_highest(source, LEAF_EXTENDED) >= number)
		source->cpuid(source->context, number, 0, &leaf);
	return leaf;
}

/* Bits of an address that select memory: one fewer, or several, where memory is encrypted. */
static unsigned address_bits(const struct source *source, struct cpu *cpu)
{
	struct leaf memory = extended(source, LEAF_MEMORY);
	unsigned bits = extended(source, LEAF_SIZES).eax & 0xff;

	if (memory.eax & MEMORY_SME && cpu_msr(source, cpu, MSR_SYSCFG) & SYSCFG_ENCRYPT)
		bits -= memory.ebx >> 6 & 63;
	return bits < ADDRESS_BITS ? bits : ADDRESS_BITS;
}

static bool buffers_leak(const struct source *source)
{
	struct leaf more = extended(source, LEAF_MORE), first;
	unsigned family;

	source->cpuid(source->context, 1, 0, &first);
	family = (first.eax >> 8 & 15) + (first.eax >> 20 & 0xff);
	return more.eax & MORE_VERW_CLEAR && (more.ecx & MORE_TSA_NO) != MORE_TSA_NO &&
	    family >= FAMILY_TSA;
}

void svm_read(const struct source *source, struct cpu *cpu)
{
	struct leaf features = extended(source, LEAF_FEATURES);

	cpu->svm.leaf = extended(source, LEAF_SVM);
	cpu->svm.no_execute = features.edx & FEATURE_NX;
	cpu->svm.huge = features.edx & FEATURE_HUGE;
	cpu->svm.rdpru = extended(source, LEAF_SIZES).ebx & SIZES_RDPRU;
	cpu->svm.buffers_leak = buffers_leak(source);
	cpu->svm.vm_cr = cpu_msr(source, cpu, MSR_VM_CR);
	cpu->svm.address_bits = address_bits(source, cpu);
	if (cpu->control == FACT_OK)
		cpu->efer = cpu_msr(source, cpu, MSR_EFER);
}

bool svm_locked_off(const struct cpu *cpu)
{
	return (cpu->svm.vm_cr & VM_CR_OFF) == VM_CR_OFF;
}

enum launch_status svm_judge(const struct cpu *cpu)
{
	if (cpu->efer & EFER_SVME)
		return LAUNCH_ALREADY_RUNNING;
	if (cpu->cr4 & CR4_LA57)
		return LAUNCH_FIVE_LEVEL;
	if (cpu->cr4 & CR4_CET)
		return LAUNCH_SHADOW_STACK;
	if (svm_locked_off(cpu))
		return LAUNCH_LOCKED_OFF;
	if (!(cpu->svm.leaf.edx & SVM_NPT) || !cpu->svm.no_execute)
		return LAUNCH_NO_STAGE2;
	return cpu->svm.leaf.ebx < ASIDS_NEEDED ? LAUNCH_NO_ASID : LAUNCH_OK;
}

bool svm_same(const struct cpu *first, const struct cpu *second)
{
	const struct svm_facts *a = &first->svm, *b = &second->svm;

	return a->leaf.ebx == b->leaf.ebx && a->leaf.edx == b->leaf.edx &&
	    a->address_bits == b->address_bits && a->huge == b->huge && a->rdpru == b->rdpru;
}
