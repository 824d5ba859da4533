/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What vtpm/ptpm needs of the run-time, with a clock that runs as the test says.
 */
#ifndef TESTS_UNIT_VTPM_PTPM_RT_H
#define TESTS_UNIT_VTPM_PTPM_RT_H

#include <stdint.h>

extern struct ptpm_clock {
	uint64_t now;  /* nanoseconds */
	uint64_t step; /* that each look takes; 0: it stands still */
	uint64_t looks;
} ptpm_clock;

#endif
