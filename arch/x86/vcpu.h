/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The normal world's VP on one CPU, and what each vendor must be able to do with it. The functions
 * below are implemented once in vmx/vcpu.c and once in svm/vcpu.c and chosen by the linker. All
 * work on the VP of the running CPU, in root mode, between an exit and the next entry.
 */
#pragma once

#include <stdint.h>

#include "arch/x86/mtrr.h"
#include "arch/x86/regs.h"

struct vcpu {
	struct guest_regs regs;	 /* first: entry.S saves here */
	uint32_t index;		 /* cpu_index() */
	uint64_t misc_enable;	 /* IA32_MISC_ENABLE as the guest reads it */
	uint64_t feature_ctl;	 /* what the guest reads from IA32_FEATURE_CONTROL */
	uint64_t tsc_adjust;	 /* IA32_TSC_ADJUST as the guest sees it */
	uint64_t microcode;	 /* what the guest reads from IA32_BIOS_SIGN_ID */
	uint32_t cpuid_basic;	 /* highest basic leaf the guest sees */
	uint32_t cpuid_extended; /* highest extended leaf, 0x80000000 included */
	struct mtrr_state mtrr;	 /* the guest's virtual MTRRs */
};

/* Exceptions to inject; taken at the next entry. */
#define VECTOR_DB  1u
#define VECTOR_NMI 2u
#define VECTOR_UD  6u
#define VECTOR_GP  13u
#define VECTOR_AC  17u
#define VECTOR_MC  18u
void vcpu_inject_gp(struct vcpu *vcpu); /* #GP(0) */
void vcpu_inject_ud(struct vcpu *vcpu); /* #UD */

/*
 * Moves RIP behind the instruction that exited; ends STI and MOV SS blocking; keeps single-stepping
 * right.
 */
void vcpu_skip(struct vcpu *vcpu);

uint64_t vcpu_cr4(const struct vcpu *vcpu); /* as the guest sees it */

/* Difference between the guest's TSC and the CPU's. */
uint64_t vcpu_tsc_offset(const struct vcpu *vcpu);
void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
