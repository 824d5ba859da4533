/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The doctor refuses by what the VT-x monitor refuses by. Tried with each needed bit of
 * tools/doctor/vmx.c left out in turn: the test fails.
 */
/* The monitor's own source: the state that it keeps between CPUs is set back here. */
#include "arch/x86/vmx/caps.c"
#include "tests/unit/doctor/drift.h"

static void make(void)
{
	machine_intel();
	__builtin_memset(&chosen, 0, sizeof(chosen));
}

static void same_answers(void **state)
{
	static const enum launch_status statuses[] = { LAUNCH_OK, LAUNCH_NO_VIRTUALIZATION,
		LAUNCH_LOCKED_OFF, LAUNCH_NO_STAGE2, LAUNCH_NO_UNRESTRICTED, LAUNCH_NO_CAPABILITY,
		LAUNCH_NO_SECONDARY_CONTROL, LAUNCH_ALREADY_RUNNING, LAUNCH_CPU_MISMATCH,
		LAUNCH_FIVE_LEVEL, LAUNCH_SHADOW_STACK, LAUNCH_NO_PIN_CONTROL,
		LAUNCH_NO_PRIMARY_CONTROL, LAUNCH_NO_EXIT_CONTROL, LAUNCH_NO_ENTRY_CONTROL };

	compare_many(make, statuses, COUNT(statuses));
}

static void same_mbec(void **state)
{
	struct cpu cpu;

	for (unsigned i = 0; i < 2; i++) {
		make();
		if (i)
			*machine_msr(0, 0x48b) &= ~(1ull << 54);
		assert_int_equal(vendor_check(), LAUNCH_OK);
		cpu_read(&machine_source, &cpu);
		assert_int_equal(cpu_has_mbec(&cpu), stage2_has_mbec());
		assert_int_equal(cpu_has_mbec(&cpu), !i);
	}
}

/* One instruction that CPUID shows and VT-x cannot give; one CPU that differs. */
static void instructions(void **state)
{
	static const unsigned bits[] = { 3, 12, 20 };

	for (unsigned i = 0; i < COUNT(bits); i++) {
		make();
		*machine_msr(0, 0x48b) &= ~(1ull << (32 + bits[i]));
		assert_int_equal(vendor_check(), LAUNCH_NO_SECONDARY_CONTROL);
	}
}

static void differing_cpus(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		make();
		assert_int_equal(vendor_check(), LAUNCH_OK);
		assert_false(vendor_delivers_cp());
		if (i == 0)
			*machine_msr(0, 0x480) |= 1ull << 56;
		else if (i == 1)
			machine_leaf(0, 0x80000008)->eax = 0x3024;
		assert_int_equal(vendor_check(), i < 2 ? LAUNCH_CPU_MISMATCH : LAUNCH_OK);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(same_answers),
	cmocka_unit_test(same_mbec),
	cmocka_unit_test(instructions),
	cmocka_unit_test(differing_cpus),
};

UNIT_MAIN(tests)
