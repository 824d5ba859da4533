/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * With the vTPM's shim. Its random numbers are the trustlet run-time's, as in a partition: what
 * that asks of the monitor is answered here.
 */
#include <string.h>
#include <sys/random.h>
#include <x86intrin.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "tests/bench/vtpm_compare/side.h"
#include "tests/bench/vtpm_compare/text.h"
#include "vtpm/platform/platform.h"

const char *side_name(void)
{
	return "ours";
}

void side_start(void)
{
	random_start();
}

void platform_random(void *to, size_t bytes)
{
	trustlet_random(to, bytes);
}

void platform_halt(const char *why, const char *what)
{
	fail("%s: %s", why, what);
}

void trustlet_panic(const char *format, ...)
{
	fail("%s", format);
}

uint64_t trustlet_time(void)
{
	return __rdtsc();
}

void trustlet_scrub(void *memory, size_t bytes)
{
	explicit_bzero(memory, bytes);
}

/* The loader's 32 bytes. */
struct monitor_call monitor_must(struct monitor_call regs)
{
	if (getrandom(&regs, sizeof(regs), 0) != (ssize_t)sizeof(regs))
		fail("the kernel gives no numbers");
	return regs;
}

__attribute__((target("rdseed,rdrnd"))) bool hardware_random(bool seed, uint64_t *word)
{
	unsigned long long value = 0;
	int good = seed ? _rdseed64_step(&value) : _rdrand64_step(&value);

	*word = value;
	return good != 0;
}
