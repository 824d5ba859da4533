/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform on the host: the kernel's random numbers.
 */
#include "vtpm/platform/platform.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define AT_ONCE 256u /* getrandom() gives that much without an interruption */

void platform_random(void *to, size_t bytes)
{
	unsigned char *target = to;

	while (bytes > 0) {
		size_t part = bytes < AT_ONCE ? bytes : AT_ONCE;

		if (getrandom(target, part, 0) != (ssize_t)part)
			platform_halt("random", "the kernel gives no numbers");
		target += part;
		bytes -= part;
	}
}

/* What START_SHA tells in a partition. */
bool trustlet_has_sha(void);
bool trustlet_has_sha(void)
{
	unsigned a, b, c, d, leaf7;

	if (!__get_cpuid_count(7, 0, &a, &leaf7, &c, &d) || !__get_cpuid(1, &a, &b, &c, &d))
		return false;
	return leaf7 & bit_SHA && c & bit_SSSE3 && c & bit_SSE4_1;
}

_Noreturn void platform_halt(const char *why, const char *what)
{
	fprintf(stderr, "vtpm: %s: %s\n", why, what);
	abort();
}
