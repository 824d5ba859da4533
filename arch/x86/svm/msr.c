/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MSR policy (policy.h): the rows that hold for AMD's CPUs, and what of them is more than a row.
 */
#include "arch/x86/policy.h"
#include "arch/x86/svm/svm.h"

#define MSR_PATCH_LEVEL 0x8bu

static const struct msr_row rows[] = {
#define MSR(first, last, name, kind, value, maker, mark, reason)                                   \
	{ first, last, value, KIND_##kind },
#include "arch/x86/cpu_policy.def"
#include "arch/x86/svm/cpu_policy.def"
	{ .last = 0 },
};

const struct msr_row *vendor_msrs(void)
{
	return rows;
}

/* Branch records and BTF. */
void vendor_msr_init(struct vcpu *vcpu)
{
	policy_keep_bits(MSR_DEBUGCTL, 0);
	(void)rdmsr_safe(MSR_PATCH_LEVEL, &vcpu->microcode);
}

bool vendor_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	if (msr != MSR_EFER)
		return rdmsr_safe(msr, value);
	*value = vmcb()->efer & ~EFER_SVME;
	return true;
}

bool vendor_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	return msr == MSR_EFER ? svm_write_efer(value) : svm_write_apic_msr(msr, value);
}
