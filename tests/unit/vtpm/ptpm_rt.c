/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The run-time for vtpm/ptpm (ptpm_rt.h).
 */
#include "tests/unit/vtpm/ptpm_rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "guest/trustlets/rt/trustlet.h"

struct ptpm_clock ptpm_clock;

uint64_t trustlet_time(void)
{
	ptpm_clock.looks++;
	return ptpm_clock.now += ptpm_clock.step;
}

_Noreturn void trustlet_panic(const char *format, ...)
{
	fprintf(stderr, "panic: %s\n", format);
	abort();
}

void trustlet_random(void *to, size_t bytes)
{
	if (getrandom(to, bytes, 0) != (ssize_t)bytes)
		abort();
}

void trustlet_scrub(void *memory, size_t bytes)
{
	memset(memory, 0, bytes);
}

bool trustlet_equal(const void *a, const void *b, size_t bytes)
{
	return memcmp(a, b, bytes) == 0;
}
