/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Time limits. The clock is the run-time's, trustlet_time(): nanoseconds, or, where the loader
 * could not measure the CPU's clock, its cycles, and then a limit is over a few times too early.
 * Should the clock stand still, the number of looks is limited too.
 */
#ifndef VTPM_PTPM_WAIT_H
#define VTPM_PTPM_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct ptpm_wait {
	uint64_t since, limit; /* as the clock has it */
	uint32_t looks;	       /* that are left */
};

void ptpm_wait_start(struct ptpm_wait *wait, uint32_t ms);

/*
 * From now on all waits together have no more than this: the request that is served has a time
 * limit of the monitor's, at which the partition would end.
 */
void ptpm_budget(uint32_t ms);

/*
 * Asked in front of each look at what is waited for: once this is false that look is the last one.
 * So a partition that was suspended for longer than the limit looks once more.
 */
bool ptpm_wait_on(struct ptpm_wait *wait);

/* Lets the time pass. */
void ptpm_pause(uint32_t ms);

#endif
