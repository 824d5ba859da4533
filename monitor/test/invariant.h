/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The invariants of the normal world's map (I1), checked by going over all of it. Test build and
 * host tests only.
 */
#ifndef MONITOR_TEST_INVARIANT_H
#define MONITOR_TEST_INVARIANT_H

#include <stdint.h>

#define NOTHING_BROKEN (~0ull)

struct invariant_report {
	uint64_t broken; /* GPA of the first leaf that breaks one; NOTHING_BROKEN */
	const char *why;
	uint64_t leaves;
};

/*
 * Checks that every leaf is readable and lies within reach; that it maps an address to itself, or,
 * where the monitor owns the frame, to the frame of ones, read-only; and that no frame of the
 * monitor's is mapped otherwise. Takes the stage2 lock, for as long as it takes to look at every
 * descriptor.
 */
struct invariant_report invariant_walk(void);

#endif
