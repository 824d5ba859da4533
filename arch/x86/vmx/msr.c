/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MSR policy (policy.h): the rows that hold for Intel's CPUs, and what of them is more than a row.
 */
#include "arch/x86/policy.h"
#include "arch/x86/vmx/vmx.h"

#define MSR_BIOS_SIGN_ID       0x8bu
#define MSR_MISC_ENABLE	       0x1a0u
#define MSR_PERF_GLOBAL_CTRL   0x38fu
#define MSR_TSC_DEADLINE       0x6e0u
#define MSR_PEBS_ENABLE	       0x3f1u
#define MSR_RTIT_CTL	       0x570u
#define MSR_HW_FEEDBACK_CONFIG 0x17d1u

#define FEATURE_CONTROL_LMCE (1ull << 20)

#define MISC_FAST_STRINGS (1ull << 0)
#define MISC_PERFMON	  (1ull << 7)
#define MISC_NO_BTS	  (1ull << 11)
#define MISC_NO_PEBS	  (1ull << 12)
#define MISC_MONITOR	  (1ull << 18)

#define CPUID_MONITOR (1u << 3)

static const struct msr_row rows[] = {
#define MSR(first, last, name, kind, value, maker, mark, reason)                                   \
	{ first, last, value, KIND_##kind },
#include "arch/x86/cpu_policy.def"
#include "arch/x86/vmx/cpu_policy.def"
	{ .last = 0 },
};

const struct msr_row *vendor_msrs(void)
{
	return rows;
}

static uint64_t read_misc_enable(void)
{
	uint64_t value;

	(void)rdmsr_safe(MSR_MISC_ENABLE, &value);
	value |= MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS;
	value &= ~(MISC_PERFMON | MISC_MONITOR);
	if ((cpuid(1, 0).ecx & CPUID_MONITOR) != 0)
		value |= MISC_MONITOR;
	return value;
}

void vendor_msr_init(struct vcpu *vcpu)
{
	/* Processor trace, hardware feedback, PEBS and counters, branch records and BTF. */
	static const uint32_t off[] = { MSR_RTIT_CTL, MSR_HW_FEEDBACK_CONFIG, MSR_PEBS_ENABLE,
		MSR_PERF_GLOBAL_CTRL, MSR_DEBUGCTL };
	uint64_t control;

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		policy_keep_bits(off[i], 0);
	/* The revision is there after a write of 0 and CPUID leaf 1. SDM 3A 10.11.7.1. */
	if (wrmsr_safe(MSR_BIOS_SIGN_ID, 0))
		(void)cpuid(1, 0);
	(void)rdmsr_safe(MSR_BIOS_SIGN_ID, &vcpu->microcode);
	vcpu->misc_enable = read_misc_enable();
	(void)rdmsr_safe(MSR_FEATURE_CONTROL, &control);
	vcpu->feature_ctl = (control & FEATURE_CONTROL_LMCE) | FEATURE_CONTROL_LOCKED;
}

/*
 * A deadline is in the guest's time, the CPU's timer in its own. 0 disarms it, so it is never
 * made.
 */
static uint64_t moved_deadline(uint64_t deadline, uint64_t by)
{
	return deadline == 0 ? 0 : deadline + by != 0 ? deadline + by : 1;
}

void vmx_move_deadline(uint64_t jump)
{
	uint64_t deadline;

	if (rdmsr_safe(MSR_TSC_DEADLINE, &deadline) && deadline != 0 && jump != 0)
		(void)wrmsr_safe(MSR_TSC_DEADLINE, moved_deadline(deadline, -jump));
}

bool vendor_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	bool done = msr != MSR_TSC_DEADLINE || rdmsr_safe(msr, value);

	if (msr == MSR_TSC_DEADLINE)
		*value = moved_deadline(*value, vcpu_tsc_offset(vcpu));
	else
		*value = msr == MSR_MISC_ENABLE ? vcpu->misc_enable : vcpu->feature_ctl;
	return done;
}

bool vendor_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (msr == MSR_TSC_DEADLINE)
		return wrmsr_safe(msr, moved_deadline(value, -vcpu_tsc_offset(vcpu)));
	return msr == MSR_MISC_ENABLE;
}
