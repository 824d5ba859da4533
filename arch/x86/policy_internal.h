/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the two halves of the policy.
 */
#ifndef ARCH_X86_POLICY_INTERNAL_H
#define ARCH_X86_POLICY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/vcpu.h"

/* REDOUBT_VENDOR_ of the CPU; valid after policy_init(). */
uint32_t policy_vendor(void);

/* CPUID's part of policy_vcpu_init(): the highest leaves that the guest sees. */
void policy_cpuid_init(struct vcpu *vcpu);

/*
 * Supplied by the vendor: whether the monitor can deliver #CP with its error code, as it must where
 * an exit hits the CPU's delivery. Without it the guest sees no CET.
 */
bool vendor_delivers_cp(void);

/* Components that IA32_XSS may name on this CPU. */
uint64_t policy_xss(void);

#endif
