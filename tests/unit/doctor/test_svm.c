/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The doctor refuses by what the SVM monitor refuses by.
 */
/* The monitor's own source: the state that it keeps between CPUs is set back here. */
#include "arch/x86/svm/caps.c"
#include "tests/unit/doctor/drift.h"

static void make(void)
{
	machine_amd();
	__builtin_memset(&chosen, 0, sizeof(chosen));
}

static void same_answers(void **state)
{
	static const enum launch_status statuses[] = { LAUNCH_OK, LAUNCH_NO_VIRTUALIZATION,
		LAUNCH_NO_STAGE2, LAUNCH_ALREADY_RUNNING, LAUNCH_CPU_MISMATCH, LAUNCH_FIVE_LEVEL,
		LAUNCH_SHADOW_STACK };

	compare_many(make, statuses, COUNT(statuses));
}

static void same_lock(void **state)
{
	for (uint64_t vm_cr = 0; vm_cr < 32; vm_cr++) {
		make();
		*machine_msr(0, 0xc0010114) = vm_cr;
		*machine_msr(1, 0xc0010114) = vm_cr;
		compare_pair();
	}
	assert_true(seen[LAUNCH_LOCKED_OFF]);
}

static void same_asids(void **state)
{
	for (unsigned asids = 0; asids < 4; asids++) {
		make();
		machine_leaf(0, 0x8000000a)->ebx = asids;
		machine_leaf(1, 0x8000000a)->ebx = asids;
		compare_pair();
	}
	assert_true(seen[LAUNCH_NO_ASID]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(same_answers),
	cmocka_unit_test(same_lock),
	cmocka_unit_test(same_asids),
};

UNIT_MAIN(tests)
