/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The invariants of the second-stage maps (I1, I2), checked by going over all of them. Test build
 * and host tests only.
 */
#pragma once

#include <stdint.h>

#include "arch/stage2.h"

#define NOTHING_BROKEN (~0ull)

struct invariant_report {
	uint64_t broken; /* GPA of the first leaf that breaks one; NOTHING_BROKEN */
	const char *why;
	uint64_t leaves;
};

/*
 * Checks that every leaf of the normal world's map is readable and lies within reach; that it maps
 * an address to itself, or, where the frame is hidden, to the frame of ones, read-only; that no
 * hidden frame is mapped otherwise. That every leaf of a partition's map leads to a frame which the
 * partition has, none of them writable and executable, and that no frame which a partition has is
 * missing there. Takes the map's lock, for as long as it takes to look at every descriptor.
 */
struct invariant_report invariant_walk(void);

/*
 * Calls `visit` for each present leaf, lowest address first; stops when it returns false. The
 * tables' lock is held.
 */
void stage2_walk(const struct stage2 *s2,
    bool (*visit)(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf), void *ctx);
