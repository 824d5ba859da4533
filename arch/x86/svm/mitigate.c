/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Choosing and applying side-channel mitigations on AMD's CPUs (mitigate.h), by what CPUID says of
 * them. They keep what Intel's leak through buffers and the L1 cache, but: branch prediction that
 * the guest has trained may mislead root mode's returns (branch type confusion, speculative return
 * stack overflow), for which there is IBPB; and some leak through the scheduler's stores, which
 * VERW clears there. AMD 64-bit "Software techniques for managing speculation", APM 3 E.4.7,
 * E.4.16.
 */
#include "arch/x86/mitigate.h"

#include "arch/x86/svm/svm.h"

#define LEAF_EXTENDED	0x80000000u
#define LEAF_SIZES	0x80000008u
#define LEAF_MORE	0x80000021u
#define SIZES_IBPB	(1u << 12) /* EBX */
#define SIZES_BTC_NO	(1u << 29) /* EBX */
#define MORE_VERW_CLEAR (1u << 5)  /* EAX */
#define MORE_SRSO_NO	(1u << 29) /* EAX */
#define MORE_TSA_NO	(3u << 1)  /* ECX: neither by the store queue nor by the L1 cache */
#define FAMILY_TSA	0x19u	   /* the first one that may leak so */

static uint32_t needed_by(struct cpuid_regs sizes, struct cpuid_regs more)
{
	bool all = start_info()->flags & BOOTINFO_MITIGATE;
	uint32_t signature = cpuid(1, 0).eax;
	uint32_t family = (signature >> 8 & 15) + (signature >> 20 & 0xff);
	uint32_t needed = 0;

	if (all || !(sizes.ebx & SIZES_BTC_NO) || !(more.eax & MORE_SRSO_NO))
		needed = MITIGATE_RETURNS | (sizes.ebx & SIZES_IBPB ? SVM_MITIGATE_PREDICTORS : 0);
	if (more.eax & MORE_VERW_CLEAR && (all || (more.ecx & MORE_TSA_NO) != MORE_TSA_NO) &&
	    family >= FAMILY_TSA)
		needed |= MITIGATE_BUFFERS;
	if (sizes.ebx & SIZES_IBPB && !(needed & SVM_MITIGATE_PREDICTORS))
		needed |= MITIGATE_WORLDS;
	return needed;
}

void mitigate_init(struct percpu *cpu)
{
	struct cpuid_regs more = { 0, 0, 0, 0 };

	if (cpuid(LEAF_EXTENDED, 0).eax >= LEAF_MORE)
		more = cpuid(LEAF_MORE, 0);
	cpu->mitigations = needed_by(cpuid(LEAF_SIZES, 0), more);
	if (cpu->vcpu.index == 0)
		klog(LOG_INFO, "side channels: mitigations %x%s", cpu->mitigations,
		    cpu->mitigations & SVM_MITIGATE_PREDICTORS ? "" : " (no IBPB after exits)");
}

bool mitigate_siblings_leak(void)
{
	return this_cpu()->mitigations & MITIGATE_BUFFERS && (cpuid_basic(0xb, 0).ebx & 0xffff) > 1;
}

void mitigate_switch(void)
{
	if (this_cpu()->mitigations & MITIGATE_WORLDS)
		wrmsr(SVM_MSR_PRED_CMD, SVM_PRED_CMD_IBPB);
}

void mitigate_enter(void)
{
	const uint16_t selector = SEL_DATA;

	if (this_cpu()->mitigations & MITIGATE_BUFFERS)
		__asm__ volatile("verw %0" : : "m"(selector) : "cc");
}
