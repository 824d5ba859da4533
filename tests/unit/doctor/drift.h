/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's own check and the doctor's, asked about the same machines: they must say the same.
 * Included by the test of each vendor, which brings the monitor's caps.c.
 */
#ifndef TESTS_UNIT_DOCTOR_DRIFT_H
#define TESTS_UNIT_DOCTOR_DRIFT_H

#include "arch/x86/start.h"
#include "tests/unit/doctor/machine.h"
#include "tools/doctor/cpu.h"

#define DRIFT_ROUNDS   200000u
#define DRIFT_STATUSES 32u

static unsigned seen[DRIFT_STATUSES];

/* What the doctor says of the CPU at `index`, given what it has read of the first. */
static enum launch_status doctor_says(unsigned index, const struct cpu *first, struct cpu *own)
{
	enum launch_status status;

	machine.running = index;
	cpu_read(&machine_source, own);
	status = cpu_judge(own);
	if (status == LAUNCH_OK && first && !cpu_same(first, own))
		status = LAUNCH_CPU_MISMATCH;
	return status;
}

static void compare_pair(void)
{
	struct cpu first, second;
	enum launch_status said = doctor_says(0, NULL, &first), monitor = vendor_check();

	assert_int_equal(said, monitor);
	assert_true((unsigned)monitor < DRIFT_STATUSES);
	seen[monitor]++;
	if (monitor != LAUNCH_OK)
		return;
	said = doctor_says(1, &first, &second);
	monitor = vendor_check();
	assert_int_equal(said, monitor);
	seen[monitor]++;
}

/*
 * `make` makes a good machine, and has the monitor forget the last one. `statuses`: those that must
 * have come up, so that the comparison is of something.
 */
static inline void compare_many(void (*make)(void), const enum launch_status *statuses,
    unsigned count)
{
	for (unsigned long i = 0; i < machine_rounds(DRIFT_ROUNDS); i++) {
		make();
		machine_disturb(0);
		machine.cpu[1] = machine.cpu[0];
		machine_disturb(1);
		compare_pair();
	}
	for (unsigned i = 0; i < count; i++)
		if (!seen[statuses[i]])
			fail_msg("status %u never came up", statuses[i]);
}

#endif
