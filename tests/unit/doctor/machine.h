/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A machine for the doctor's tests: CPUs that are CPUID leaves, MSRs and CR4; ACPI tables;
 * firmware. An MSR that such a CPU would answer with #GP fails the test.
 */
#ifndef TESTS_UNIT_DOCTOR_MACHINE_H
#define TESTS_UNIT_DOCTOR_MACHINE_H

#include "tests/unit/unit.h"
#include "tools/doctor/facts.h"

#define MACHINE_CPUS   2u
#define MACHINE_LEAVES 32u
#define MACHINE_MSRS   24u
#define MACHINE_TABLES 8u

struct machine_cpu {
	struct {
		uint32_t number;
		struct leaf leaf;
	} leaves[MACHINE_LEAVES];
	struct {
		uint32_t number;
		uint64_t value;
	} msrs[MACHINE_MSRS];
	unsigned leaf_count, msr_count;
	uint64_t cr4;
};

struct machine {
	struct machine_cpu cpu[MACHINE_CPUS];
	unsigned cpus, running;
	enum fact msrs, cr4; /* FACT_HIDDEN: as on Linux without root */
	enum fact processors_fact, firmware_fact, tables_fact;
	struct processors processors;
	unsigned firmware_bits;
	int secure_boot, setup_mode; /* negative: no such variable */
	struct bytes tables[MACHINE_TABLES];
	unsigned table_count;
};

extern struct machine machine;

/* The one source that tells of `machine`. */
extern const struct source machine_source;

/* A good machine with two CPUs, in firmware, without ACPI tables. */
void machine_intel(void);
void machine_amd(void);

/* A leaf or MSR of one CPU, to be changed; made where it is missing. */
struct leaf *machine_leaf(unsigned cpu, uint32_t number);
uint64_t *machine_msr(unsigned cpu, uint32_t number);

/* Adds a table: length and checksum are put right. Its bytes stay the caller's. */
void machine_table(uint8_t *data, size_t size, const char *signature);

/* xorshift64*, from the environment's SEED; and the environment's N, or `otherwise`. */
uint64_t machine_random(void);
unsigned long machine_rounds(unsigned long otherwise);

/* Flips a few bits of what a CPU says: leaves, MSRs, CR4. */
void machine_disturb(unsigned cpu);

#endif
