/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See xcr0.h. The rules between state components: SDM 1 13.3; APM 2 11.5.2.
 */
#include "arch/x86/xcr0.h"

#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/policy.h"
#include "arch/x86/trap.h"

#define XCR0_X87    (1ull << 0)
#define XCR0_SSE    (1ull << 1)
#define XCR0_AVX    (1ull << 2)
#define XCR0_MPX    (3ull << 3)
#define XCR0_AVX512 (7ull << 5)
#define XCR0_TILE   (3ull << 17)

/* All of a group of bits or none, and only with those it builds on. */
static bool group_ok(uint64_t value, uint64_t group, uint64_t needs)
{
	uint64_t set = value & group;

	return set == 0 || (set == group && (value & needs) == needs);
}

static bool xcr0_valid(uint64_t value)
{
	if (test_switch(TEST_XSETBV_OPEN))
		return true;
	return value & XCR0_X87 && (value & ~policy_xcr0()) == 0 &&
	    group_ok(value, XCR0_AVX, XCR0_SSE) && group_ok(value, XCR0_MPX, 0) &&
	    group_ok(value, XCR0_AVX512, XCR0_AVX) && group_ok(value, XCR0_TILE, 0);
}

bool xcr0_write(const struct vcpu *vcpu)
{
	uint64_t value = (vcpu->regs.rdx & UINT32_MAX) << 32 | (vcpu->regs.rax & UINT32_MAX);

	return (uint32_t)vcpu->regs.rcx == 0 && xcr0_valid(value) && xsetbv_safe(0, value);
}
