/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A CPU for the tests of arch/x86's policy: CPUID leaves and MSRs are what the test says, every
 * access to an MSR is noted, and the vendor's half of vcpu.h is a few variables.
 */
#ifndef TESTS_UNIT_X86_FAKE_CPU_H
#define TESTS_UNIT_X86_FAKE_CPU_H

#include "arch/x86/asm.h"
#include "arch/x86/policy.h"
#include "tests/unit/unit.h"

enum fake_maker { FAKE_INTEL, FAKE_AMD };

struct fake_access {
	uint32_t msr;
	bool write;
	uint64_t value;
};

struct fake_cpu {
	enum fake_maker maker;
	uint32_t fill; /* what a leaf without an answer of its own gives in every register */
	uint32_t last, extended; /* highest leaves */
	bool no_cp;		 /* #CP cannot be delivered with its error code */
	bool every_msr;		 /* an MSR that was not set reads as 0; otherwise it faults */
	uint64_t tsc, tsc_offset, cr4, xcr0;
	unsigned retypes; /* calls of monitor_retype() */
	struct fake_access accesses[64];
	unsigned access_count; /* of all, also those beyond the array */
};

extern struct fake_cpu fake;

/*
 * A CPU that claims everything (all bits of all leaves) and has every MSR. Prepares the policy and
 * a VP.
 */
void fake_reset(enum fake_maker maker, struct vcpu *vcpu);

void fake_set_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs regs);
void fake_set_msr(uint32_t msr, uint64_t value);
uint64_t fake_msr(uint32_t msr);

/* Whether the permission maps let the guest's access pass. */
bool fake_passes(uint32_t msr, bool write, bool exact_tsc);

/* An MSR that faults for reads and writes from now on. */
void fake_remove_msr(uint32_t msr);
void fake_forget(void); /* the noted accesses */

/* xorshift64*; the seed is the environment's SEED. */
uint64_t fake_random(void);

/* The environment's N, or `otherwise`. */
unsigned long fake_rounds(unsigned long otherwise);

#endif
