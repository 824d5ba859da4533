/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID and MSR policy: what the guest sees and may write, from one table (cpu_policy.def).
 */
#ifndef ARCH_X86_POLICY_H
#define ARCH_X86_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/vcpu.h"

/* Prepares what can be computed once. Called once during MONITOR_INIT. */
void policy_init(void);

/* Initial per-VP state, read from the running CPU before it is launched. */
void policy_vcpu_init(struct vcpu *vcpu);

/* Carries out a CPUID of the guest's (leaf in EAX, subleaf in ECX of its registers; result written there). Fast path: under 60 instructions for a plain leaf. */
void policy_cpuid(struct vcpu *vcpu);

/* Carries out RDMSR/WRMSR of MSR `msr` that exited. false: the guest gets #GP(0), nothing has changed. */
bool policy_rdmsr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool policy_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/*
 * How the permission maps are to be filled: whether a read (write) of the MSR reaches the CPU without an exit.
 * `exact_tsc`: the guest's TSC is the CPU's (offset 0), so the TSC-deadline timer may be passed through.
 */
bool policy_msr_passes(uint32_t msr, bool write, bool exact_tsc);

#endif
