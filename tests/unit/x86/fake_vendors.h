/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vmx/msr.c and svm/msr.c in one program: the functions of arch/x86/policy.h that a vendor
 * supplies, under a name of their own each.
 */
#ifndef TESTS_UNIT_X86_FAKE_VENDORS_H
#define TESTS_UNIT_X86_FAKE_VENDORS_H

#include "arch/x86/policy.h"

const struct msr_row *intel_msrs(void);
void intel_msr_init(struct vcpu *vcpu);
void vmx_move_deadline(uint64_t jump);
bool intel_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool intel_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

const struct msr_row *amd_msrs(void);
void amd_msr_init(struct vcpu *vcpu);
bool amd_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool amd_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

#endif
