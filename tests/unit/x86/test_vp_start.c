/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a partition's VP is told of the CPU, by what CPUID says.
 */
#include "arch/x86/vp_start.h"

#include "fake_cpu.h"

#define RDRAND (1u << 30)
#define SSE    (1u << 19 | 1u << 9)
#define RDSEED (1u << 18)
#define SHA    (1u << 29)

static struct vcpu vcpu;

/* The bits for a CPU with these of leaf 1's ECX and of leaf 7's EBX, and this last leaf. */
static uint32_t told(uint32_t last, uint32_t leaf1, uint32_t leaf7)
{
	fake_set_cpuid(0, 0, (struct cpuid_regs){ last, 0, 0, 0 });
	fake_set_cpuid(1, 0, (struct cpuid_regs){ ~0u, ~0u, leaf1, ~0u });
	fake_set_cpuid(7, 0, (struct cpuid_regs){ ~0u, leaf7, ~0u, ~0u });
	return cpuid_start();
}

static void test_entropy(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(told(7, ~RDRAND & ~SSE, ~RDSEED), 0);
	assert_int_equal(told(7, RDRAND, 0), START_RDRAND);
	assert_int_equal(told(7, 0, RDSEED), START_RDSEED);
	assert_int_equal(told(6, RDRAND, RDSEED), START_RDRAND);
}

/* The SHA extensions are of use with both of SSE's only. */
static void test_sha(void **state)
{
	fake_reset(FAKE_AMD, &vcpu);
	assert_int_equal(told(7, SSE, SHA), START_SHA);
	assert_int_equal(told(13, ~RDRAND, ~RDSEED), START_SHA);
	assert_int_equal(told(7, 1u << 19, SHA), 0);
	assert_int_equal(told(7, 1u << 9, SHA), 0);
	assert_int_equal(told(7, SSE, ~SHA & ~RDSEED), 0);
	assert_int_equal(told(6, SSE, SHA), 0);
	assert_int_equal(told(7, ~0u, ~0u), START_RDRAND | START_RDSEED | START_SHA);
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(test_entropy),
	cmocka_unit_test(test_sha) };

UNIT_MAIN(tests)
