/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform on the host: the kernel's random numbers.
 */
#include "vtpm/platform/platform.h"

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

_Noreturn void platform_halt(const char *why, const char *what)
{
	fprintf(stderr, "vtpm: %s: %s\n", why, what);
	abort();
}
