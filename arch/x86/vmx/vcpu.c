/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vendor's half of vcpu.h on VT-x.
 */
#include "arch/x86/vcpu.h"

#include "arch/x86/vmx/skip.h"

uint64_t vcpu_tsc_offset(const struct vcpu *vcpu)
{
	return vmread(VMCS_TSC_OFFSET);
}

void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	vmx_move_deadline(offset - vcpu_tsc_offset(vcpu));
	vmwrite(VMCS_TSC_OFFSET, offset);
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(offset == 0));
}

/*
 * RIP has crossed 4 GiB or half of the canonical space: in 32-bit code it wraps; in 64-bit code an
 * address that is not canonical would make VM entry fail, so the guest gets the #GP of the next
 * fetch at once.
 */
static void skip_far(struct vcpu *vcpu, uint64_t next)
{
	bool is_64 = vmread(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L && vmread(VMCS_GUEST_EFER) & EFER_LMA;

	if (!is_64)
		vmwrite(VMCS_GUEST_RIP, next & UINT32_MAX);
	else if (vmx_canonical(next) == next)
		vmwrite(VMCS_GUEST_RIP, next);
	else
		vcpu_inject_gp(vcpu);
}

void vmx_skip_rare(struct vcpu *vcpu, uint64_t next, uint64_t blocking)
{
	uint64_t rflags = vmread(VMCS_GUEST_RFLAGS);

	/* Before the #GP, which is the next instruction's. */
	vmwrite(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
	skip_far(vcpu, next);
	if (blocking & (BLOCKING_STI | BLOCKING_MOV_SS))
		vmx_unblock(BLOCKING_STI | BLOCKING_MOV_SS);
	if (rflags & RFLAGS_TF && !(vmread(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		vmwrite(VMCS_GUEST_PENDING_DEBUG, vmread(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}

void vcpu_skip(struct vcpu *vcpu)
{
	vmx_skip(vcpu);
}
