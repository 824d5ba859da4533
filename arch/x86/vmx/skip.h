/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the fast exits need of the VMCS, inline.
 */
#pragma once

#include "arch/x86/vmx/vmx.h"

/*
 * Everything of vcpu_skip() that is seldom due: far RIPs, blocking by STI and MOV SS, single
 * steps, RF.
 */
void vmx_skip_rare(struct vcpu *vcpu, uint64_t next, uint64_t blocking);

#define INSTRUCTION_MAX 15u

/* vcpu_skip() of vcpu.h, of an instruction of this length. */
static inline void vmx_skip_by(struct vcpu *vcpu, uint64_t length)
{
	uint64_t next = vmread(VMCS_GUEST_RIP) + length;
	uint64_t blocking = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	uint64_t rare = blocking | (vmread(VMCS_GUEST_RFLAGS) & (RFLAGS_TF | RFLAGS_RF));

	/* Where 4 GiB were crossed the low half is less than an instruction is long. */
	if (__builtin_expect(rare != 0 || (uint32_t)next < INSTRUCTION_MAX, 0))
		vmx_skip_rare(vcpu, next, blocking);
	else
		vmwrite(VMCS_GUEST_RIP, next);
}

static inline void vmx_skip(struct vcpu *vcpu)
{
	vmx_skip_by(vcpu, vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
}

#define RIGHTS_CONFORMING (1u << 2)

/*
 * 64-bit mode at CPL 0: from where calls are taken. The privilege level is SS.DPL, and equals
 * CS.DPL where CS is not conforming.
 */
static inline bool vmx_is_kernel64(void)
{
	uint64_t cs = vmread(VMCS_GUEST_CS_RIGHTS);
	bool kernel = (cs & (RIGHTS_L | RIGHTS_CONFORMING | 3u << 5)) == RIGHTS_L ||
	    (cs & RIGHTS_L && RIGHTS_DPL(vmread(VMCS_GUEST_SS_RIGHTS)) == 0);

	return __builtin_expect(kernel, 1) && vmread(VMCS_GUEST_EFER) & EFER_LMA;
}
