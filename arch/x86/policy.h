/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID and MSR policy: what the guest sees and may write, from one table (cpu_policy.def).
 */
#pragma once

#include "arch/x86/vcpu.h"

/*
 * State components the guest may enable: x87, SSE, AVX, AVX-512, PKRU, AMX; and by XSS: CET. SDM
 * 1 13.1.
 */
#define XCR0_ALLOWED 0x602e7ull
#define XSS_ALLOWED  0x1800ull

/* Initial per-VP state, read from the running CPU before it is launched. */
void policy_vcpu_init(struct vcpu *vcpu);

/*
 * Carries out a CPUID of the guest's (leaf in EAX, subleaf in ECX of its registers; result
 * written there). The guest's XCR0 and IA32_XSS are in the CPU. Fast path: under 50 instructions
 * for a plain leaf.
 */
void policy_cpuid(struct vcpu *vcpu);

/*
 * Carries out XSETBV of the guest's, where it exits, with the operands in its registers. false: it
 * gets #GP(0), XCR0 is unchanged.
 */
bool xcr0_write(const struct vcpu *vcpu);

/*
 * CR4 bits the guest may set: those of features that it sees. VMXE, SMXE, LA57, PKS and what the
 * table does not know are never among them (T16).
 */
uint64_t policy_cr4(void);

/*
 * Carries out RDMSR/WRMSR of MSR `msr` that exited. false: the guest gets #GP(0), nothing has
 * changed.
 */
bool policy_rdmsr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool policy_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* Kinds of rows in cpu_policy.def, which explains them. */
enum msr_kind {
	KIND_PASS,
	KIND_PASS_READ,
	KIND_BITS,
	KIND_SET_BITS,
	KIND_HOST_MASK,
	KIND_VALUE,
	KIND_ZERO_IGNORE,
	KIND_VENDOR,
	KIND_TSC,
	KIND_TSC_ADJUST,
	KIND_TSC_DEADLINE,
	KIND_UCODE_REV,
	KIND_MTRR,
	KIND_MCA_BANK,
	KIND_XSS,
	KIND_CET,
};

struct msr_row {
	uint32_t first, last;
	uint64_t value;
	enum msr_kind kind;
};

/* Supplied by the vendor: the rows that hold for its CPUs, up to one whose `last` is 0. */
const struct msr_row *vendor_msrs(void);

/*
 * Supplied by the vendor: its part of policy_vcpu_init(), which switches off what firmware may have
 * left running and the guest can neither see nor stop (T23), and finds the revision of the
 * microcode; and the guest's access to the MSRs of its rows of kind VENDOR, as policy_rdmsr() and
 * policy_wrmsr().
 */
void vendor_msr_init(struct vcpu *vcpu);
bool vendor_rdmsr(const struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool vendor_wrmsr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* Clears the other bits of an MSR that the CPU may have. */
void policy_keep_bits(uint32_t msr, uint64_t kept);

/*
 * How the permission maps are to be filled: whether a read (write) of the row's MSRs reaches the
 * CPU without an exit. `exact_tsc`: the guest's TSC is the CPU's (offset 0), so the TSC-deadline
 * timer may be passed through.
 */
bool policy_msr_passes(const struct msr_row *row, bool write, bool exact_tsc);

/*
 * Supplied by the vendor: whether the monitor can deliver #CP with its error code, as it must where
 * an exit hits the CPU's delivery. Without it the guest sees no CET.
 */
bool vendor_delivers_cp(void);

/* ---- Between the two halves of the policy ---- */

/* CPUID's part of policy_vcpu_init(): the highest leaves that the guest sees. */
void policy_cpuid_init(struct vcpu *vcpu);

/* Components that IA32_XSS may name on this CPU. */
uint64_t policy_xss(void);
