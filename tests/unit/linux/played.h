/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor below redoubt.ko with a partition `vtpm`, whose requests the test answers: busy at
 * first, suspended on the way, and asked with preemption held off.
 */
#ifndef TESTS_UNIT_LINUX_PLAYED_H
#define TESTS_UNIT_LINUX_PLAYED_H

#include <stdint.h>

#include "monitor/abi/call.h"

#define PLAYED_NUMBER 5u /* of the partition; even ones are in a state that has no information */

struct played {
	unsigned int there;   /* number of the partition `vtpm`; 0: none */
	uint64_t info_result; /* of partition_info, if not 0 */
	unsigned int busy;    /* times partition_call is BUSY first */
	unsigned int suspend; /* times each request is suspended */
	unsigned int left;    /* of these, for the one at hand */
	unsigned int calls, resumes;
	uint64_t answer[CALL_REGS];
};
extern struct played played;

/* All is new, and there. */
void played_start(void);

/* The test's: carries a request out, into played.answer from [1] on; its status. */
uint64_t played_serve(uint64_t number, uint64_t argument);

#endif
