/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * MSRs of the guest. A number that the guest chose reaches the CPU only where its row in
 * cpu_policy.def says so (T21).
 */
#include "arch/x86/asm.h"
#include "arch/x86/policy.h"
#include "arch/x86/trap.h"

#define MSR_TSC_ADJUST 0x3bu
#define MSR_XSS	       0xda0u

void policy_keep_bits(uint32_t msr, uint64_t kept)
{
	uint64_t value;

	if (rdmsr_safe(msr, &value) && (value & ~kept) != 0)
		(void)wrmsr_safe(msr, value & kept);
}

void policy_vcpu_init(struct vcpu *vcpu)
{
	vendor_msr_init(vcpu);
	/* States that XRSTORS would load. T23. */
	policy_keep_bits(MSR_XSS, policy_xss());
	policy_cpuid_init(vcpu);
	(void)rdmsr_safe(MSR_TSC_ADJUST, &vcpu->tsc_adjust);
	mtrr_read(&vcpu->mtrr);
}

static const struct msr_row *find_row(uint32_t msr)
{
	for (const struct msr_row *row = vendor_msrs(); row->last != 0; row++)
		if (msr >= row->first && msr <= row->last)
			return row;
	return NULL;
}

bool policy_msr_passes(const struct msr_row *row, bool write, bool exact_tsc)
{
	switch (row->kind) {
	case KIND_PASS:
		return true;
	case KIND_PASS_READ:
	case KIND_BITS:
	case KIND_SET_BITS:
	case KIND_TSC:
	case KIND_MCA_BANK:
	case KIND_XSS:
		return !write;
	case KIND_CET:
		return vendor_delivers_cp();
	case KIND_TSC_ADJUST:
		return !write && exact_tsc;
	case KIND_TSC_DEADLINE:
		return exact_tsc;
	default:
		return false;
	}
}

/* The guest's clock jumps. */
static void set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	vcpu->tsc_adjust += offset - vcpu_tsc_offset(vcpu);
	vcpu_set_tsc_offset(vcpu, offset);
}

/*
 * A row whose reads pass does not come here; if it did, the CPU's register would not be the
 * guest's.
 */
bool policy_rdmsr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct msr_row *row = find_row(msr);
	const uint64_t *own;
	bool done;

	*value = 0;
	if (row == NULL)
		return false;
	switch (row->kind) {
	case KIND_HOST_MASK:
		done = rdmsr_safe(msr, value);
		*value &= row->value;
		return done;
	case KIND_VALUE:
	case KIND_ZERO_IGNORE:
		*value = row->value;
		return true;
	case KIND_TSC_ADJUST:
		*value = vcpu->tsc_adjust;
		return true;
	case KIND_VENDOR:
	case KIND_TSC_DEADLINE:
		return vendor_rdmsr(vcpu, msr, value);
	case KIND_UCODE_REV:
		*value = vcpu->microcode;
		return true;
	case KIND_MTRR:
		own = mtrr_register(&vcpu->mtrr, msr);
		*value = own != NULL ? *own : 0;
		return own != NULL;
	default:
		return false;
	}
}

static bool write_bits(const struct msr_row *row, uint32_t msr, uint64_t value)
{
	uint64_t old;

	return rdmsr_safe(msr, &old) && ((old ^ value) & ~row->value) == 0 &&
	    (row->kind == KIND_BITS || (old & ~value) == 0) && wrmsr_safe(msr, value);
}

bool policy_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const struct msr_row *row = find_row(msr);

	if (row == NULL)
		return false;
	switch (row->kind) {
	case KIND_BITS:
	case KIND_SET_BITS:
		return write_bits(row, msr, value);
	case KIND_ZERO_IGNORE:
		return true;
	case KIND_VENDOR:
	case KIND_TSC_DEADLINE:
		return vendor_wrmsr(vcpu, msr, value);
	case KIND_UCODE_REV:
		return value == 0;
	case KIND_TSC:
		set_tsc_offset(vcpu, value - rdtsc());
		return true;
	case KIND_TSC_ADJUST:
		set_tsc_offset(vcpu, vcpu_tsc_offset(vcpu) + value - vcpu->tsc_adjust);
		return true;
	case KIND_MTRR:
		if (!mtrr_set(&vcpu->mtrr, msr, value, cpuid(0x80000008, 0).eax & 0xff))
			return false;
		memtype_update(&vcpu->mtrr);
		return true;
	case KIND_MCA_BANK:
		/* MCi_CTL, then STATUS, ADDR, MISC, which can only be cleared. SDM 3B 16.3.2. */
		return ((msr & 3) == 0 || value == 0) && wrmsr_safe(msr, value);
	case KIND_XSS:
		return (value & ~policy_xss()) == 0 && wrmsr_safe(msr, value);
	default:
		return false;
	}
}
