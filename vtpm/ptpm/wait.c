/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Time limits (wait.h).
 */
#include "vtpm/ptpm/wait.h"

#include "guest/trustlets/rt/trustlet.h"

#define NS_PER_MS 1000000ull
/* More than there are in the longest limit: a look at the clock is a call of the monitor. */
#define LOOKS 50000000u

static uint64_t since, limit = UINT64_MAX; /* of all waits together */

void ptpm_budget(uint32_t ms)
{
	since = trustlet_time();
	limit = ms * NS_PER_MS;
}

void ptpm_wait_start(struct ptpm_wait *wait, uint32_t ms)
{
	*wait = (struct ptpm_wait){ trustlet_time(), ms * NS_PER_MS, LOOKS };
}

bool ptpm_wait_on(struct ptpm_wait *wait)
{
	uint64_t now;

	if (wait->looks == 0)
		return false;
	wait->looks--;
	now = trustlet_time();
	return now - wait->since < wait->limit && now - since < limit;
}

void ptpm_pause(uint32_t ms)
{
	struct ptpm_wait wait;

	ptpm_wait_start(&wait, ms);
	while (ptpm_wait_on(&wait))
		;
}
