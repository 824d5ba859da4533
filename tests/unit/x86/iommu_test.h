/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the tests of both kinds of unit begin with.
 */
#ifndef TESTS_UNIT_X86_IOMMU_TEST_H
#define TESTS_UNIT_X86_IOMMU_TEST_H

#include "fake_iommu.h"

static struct fake_unit *unit; /* the machine's first */

/* A launch that goes well. */
static inline void start(void)
{
	assert_true(dma_init(FAKE_TOP, FAKE_POOL));
	assert_true(dma_protected());
	memset(unit->seen, 0, sizeof(unit->seen));
}

/* Whether a device reads and writes there. */
static inline bool reaches(uint64_t address)
{
	struct fake_reach reach = fake_reach(unit, FAKE_DEVICE, address);

	assert_int_equal(reach.read, reach.write);
	if (reach.read)
		assert_int_equal(reach.to, address);
	return reach.read;
}

#endif
