/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Control registers and XCR0.
 *
 * CR0.NE stays set and CR4.VMXE too, behind read shadows. CR0.CD and NW are virtual: the CPU's CD
 * follows the guest's (so hardware types all of this CPU's accesses UC, root mode's included, which
 * stays coherent), NW never does. A write that changes one of these bits exits; it is checked, the
 * shadow takes the new value, and the instruction runs again, now without an exit: so PG, PAE, LMA
 * and the PDPTEs are left to the CPU, which knows them best. SDM 3A 2.5, 12.5.3; SDM 3C 26.6.
 */
#include "arch/x86/policy.h"
#include "arch/x86/vmx/vmx.h"

#define CR0_HELD     (CR0_NE | CR0_CD | CR0_NW)
#define CR0_RESERVED (~0xe005003full)

#define CR_QUALIFICATION_NUMBER(q)   ((q)&15)
#define CR_QUALIFICATION_TYPE(q)     ((q) >> 4 & 3)
#define CR_QUALIFICATION_REGISTER(q) ((q) >> 8 & 15)

void vmx_cr_setup(uint64_t cr0, uint64_t cr4)
{
	uint64_t denied = ~policy_cr4();

	vmwrite(VMCS_CR0_MASK, CR0_HELD);
	vmwrite(VMCS_CR0_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR0, (cr0 | CR0_NE) & ~(CR0_CD | CR0_NW));
	vmwrite(VMCS_CR4_MASK, denied);
	vmwrite(VMCS_CR4_SHADOW, cr4 & ~denied);
	vmwrite(VMCS_GUEST_CR4, (cr4 & ~denied) | CR4_VMXE);
}

uint64_t vcpu_cr4(const struct vcpu *vcpu)
{
	return vmread(VMCS_GUEST_CR4) & ~CR4_VMXE;
}

/*
 * Rules about bits of the value alone, then about what else is set when paging goes on or off, and
 * about write protection. SDM 3A 2.5, 4.1.2.
 */
static bool cr0_allowed(uint64_t value)
{
	uint64_t cr4 = vmread(VMCS_GUEST_CR4);
	bool paging = vmread(VMCS_GUEST_CR0) & CR0_PG;
	bool cs_64 = vmread(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L;

	if (value & CR0_RESERVED || (value & CR0_PG && !(value & CR0_PE)) ||
	    (value & CR0_NW && !(value & CR0_CD)) || (cr4 & CR4_CET && !(value & CR0_WP)))
		return false;
	if (!paging && value & CR0_PG && vmread(VMCS_GUEST_EFER) & EFER_LME)
		return cr4 & CR4_PAE && !cs_64;
	if (paging && !(value & CR0_PG))
		return !(cr4 & CR4_PCIDE) && !(vmread(VMCS_GUEST_EFER) & EFER_LMA && cs_64);
	return true;
}

static void write_cr0_held(uint64_t value)
{
	uint64_t shadow = vmread(VMCS_CR0_SHADOW);
	uint64_t cd = value & CR0_CD;

	vmwrite(VMCS_CR0_SHADOW, (shadow & ~CR0_HELD) | (value & CR0_HELD));
	if (cd == (shadow & CR0_CD))
		return;
	write_cr0((read_cr0() & ~(CR0_CD | CR0_NW)) | cd);
	wbinvd();
}

static void mov_to_cr0(struct vcpu *vcpu, uint64_t value)
{
	if (cr0_allowed(value)) {
		write_cr0_held(value);
		return;
	}
	audit(REDOUBT_AUDIT_CR_WRITE, 0, value);
	vcpu_inject_gp(vcpu);
}

static void mov_to_cr4(struct vcpu *vcpu, uint64_t value)
{
	if (test_switch(TEST_NO_CR_GUARD)) {
		vmwrite(VMCS_CR4_SHADOW, value);
		vmwrite(VMCS_CR4_MASK, 0);
		return;
	}
	audit(REDOUBT_AUDIT_CR_WRITE, 4, value);
	vcpu_inject_gp(vcpu);
}

void vmx_cr_access(struct vcpu *vcpu)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint64_t value;

	/* LMSW can reach none of the held bits, and reads and CLTS do not exit. */
	CHECK(CR_QUALIFICATION_TYPE(qualification) == 0);
	vcpu->regs.rsp = vmread(VMCS_GUEST_RSP);
	value = *guest_reg(&vcpu->regs, CR_QUALIFICATION_REGISTER(qualification));
	/* Without 64-bit mode the upper half of the register does not take part. */
	if (!(vmread(VMCS_GUEST_CS_RIGHTS) & RIGHTS_L) || !(vmread(VMCS_GUEST_EFER) & EFER_LMA))
		value &= UINT32_MAX;
	if (CR_QUALIFICATION_NUMBER(qualification) == 0)
		mov_to_cr0(vcpu, value);
	else
		mov_to_cr4(vcpu, value);
}

void vmx_xsetbv(struct vcpu *vcpu)
{
	if (RIGHTS_DPL(vmread(VMCS_GUEST_SS_RIGHTS)) == 0 && xcr0_write(vcpu))
		vcpu_skip(vcpu);
	else
		vcpu_inject_gp(vcpu);
}
