/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's clock: TSC, TSC_ADJUST and the deadline timer over an offset.
 */
#include "fake_cpu.h"

static struct vcpu vcpu;

static void test_tsc_passes(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_true(fake_passes(0x6e0, true, true));
	assert_true(fake_passes(0x6e0, false, true));
	assert_false(fake_passes(0x6e0, true, false));
	assert_false(fake_passes(0x6e0, false, false));
	assert_true(fake_passes(0x3b, false, true));
	assert_false(fake_passes(0x3b, false, false));
	assert_false(fake_passes(0x3b, true, true));
	assert_false(fake_passes(0x10, true, true));
}

static uint64_t guest_tsc(void)
{
	return fake.tsc + fake.tsc_offset;
}

/*
 * The guest's clock against a model that has one: TSC and TSC_ADJUST move together, a deadline is
 * an absolute time of it, and the CPU's own counter is never written.
 */
static void test_tsc_model(void **state)
{
	uint64_t tsc, adjust = 0x40, deadline = 0, value;

	fake_reset(FAKE_INTEL, &vcpu);
	fake_set_msr(0x3b, adjust);
	policy_vcpu_init(&vcpu);
	tsc = fake.tsc;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t step = fake_random() % 1000;
		uint64_t to = fake_random() % 2 ? fake_random() : tsc + fake_random() % 64;

		fake.tsc += step;
		tsc += step;
		fake_forget();
		switch (fake_random() % 3) {
		case 0:
			assert_true(policy_wrmsr(&vcpu, 0x10, to));
			adjust += to - tsc;
			tsc = to;
			break;
		case 1:
			assert_true(policy_wrmsr(&vcpu, 0x3b, to));
			tsc += to - adjust;
			adjust = to;
			break;
		default:
			deadline = fake_random() % 4 ? to : 0;
			assert_true(policy_wrmsr(&vcpu, 0x6e0, deadline));
		}
		/* What would be 0 in the CPU's time is one tick later: 0 disarms. */
		if (deadline != 0 && deadline == fake.tsc_offset)
			deadline++;
		assert_int_equal(guest_tsc(), tsc);
		assert_true(policy_rdmsr(&vcpu, 0x3b, &value));
		assert_int_equal(value, adjust);
		assert_int_equal(adjust - 0x40, fake.tsc_offset);
		assert_true(policy_rdmsr(&vcpu, 0x6e0, &value));
		assert_int_equal(value, deadline);
		assert_int_equal(fake_msr(0x6e0), deadline == 0 ? 0 : deadline - fake.tsc_offset);
		assert_int_equal(fake_msr(0x3b), 0x40);
		assert_int_equal(fake_msr(0x10), 0);
	}
}

/* A deadline that would be 0 in the CPU's time must not disarm the timer. */
static void test_deadline_zero(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	fake.tsc_offset = 0x5000;
	assert_true(policy_wrmsr(&vcpu, 0x6e0, 0x5000));
	assert_int_equal(fake_msr(0x6e0), 1);
	assert_true(policy_wrmsr(&vcpu, 0x6e0, 0));
	assert_int_equal(fake_msr(0x6e0), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_tsc_passes),
	cmocka_unit_test(test_tsc_model),
	cmocka_unit_test(test_deadline_zero),
};

UNIT_MAIN(tests)
