/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A few CPUs with VMCBs, local APICs and an I/O APIC, for the tests of arch/x86/svm.
 */
#ifndef TESTS_UNIT_X86_FAKE_SVM_H
#define TESTS_UNIT_X86_FAKE_SVM_H

#include "arch/x86/svm/svm.h"
#include "tests/unit/unit.h"

#define FAKE_CPUS   4u
#define FAKE_CODE   0x5000ull /* where fake_code() puts an instruction, one to one */
#define FAKE_IOAPIC 0xfec00000ull
#define FAKE_APIC   0xfee00000ull

struct fake_svm {
	unsigned running; /* index of the CPU that runs */
	struct percpu cpus[FAKE_CPUS];
	struct vmcb vmcbs[FAKE_CPUS];
	struct cpu_sync syncs[FAKE_CPUS];
	struct svm_caps caps;
	uint64_t cr4_policy;
	bool x2apic;
	uint32_t apic[0x600 / 4]; /* registers of the running CPU's, by offset / 4 */
	uint32_t ioapic[0x100 / 4];
	unsigned kicks[FAKE_CPUS], inits[FAKE_CPUS], nmis[FAKE_CPUS], sipis[FAKE_CPUS];
	uint8_t sipi_vector;
	unsigned sent, audits, flushes, shutdowns, stops;
	uint32_t sent_id, sent_command, audited;
	uint8_t memory[0x8000]; /* of the guest, from 0 */
	bool store_done;	/* what monitor_store() says */
	unsigned stores;
	struct guest_store store; /* the last one */
};

extern struct fake_svm fake;

/*
 * All CPUs covered, in 64-bit mode without paging tables of their own: paging is off for fetches.
 */
void fake_reset(void);

/* Puts an instruction at RIP. */
void fake_code(const char *bytes, unsigned count);

#endif
