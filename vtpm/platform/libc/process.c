/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Time, numbers, text. All clocks are the run-time's, which does not run backwards; there is no
 * time of day.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/platform/libc/libc.h"
#include "vtpm/platform/platform.h"

#define NS_PER_CLOCK  1000u /* CLOCKS_PER_SEC is a million */
#define NS_PER_SECOND 1000000000u

long clock(void)
{
	return (long)(trustlet_time() / NS_PER_CLOCK);
}

int clock_gettime(int id, struct timespec *now)
{
	uint64_t ns = trustlet_time();

	now->seconds = (int64_t)(ns / NS_PER_SECOND);
	now->nanoseconds = (int64_t)(ns % NS_PER_SECOND);
	return 0;
}

int getpid(void)
{
	return 1;
}

/* libtpms compares with it, and would take it for entropy if RAND_bytes() could fail. */
int rand(void)
{
	uint32_t word;

	platform_random(&word, sizeof(word));
	return (int)(word >> 1);
}

void srand(unsigned seed)
{
}

int *__errno_location(void)
{
	static int number;

	return &number;
}

char *strdup(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = malloc(bytes);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

char *strstr(const char *text, const char *what)
{
	size_t length = strlen(what);

	for (;; text++) {
		if (strncmp(text, what, length) == 0)
			return (char *)(uintptr_t)text;
		if (!*text)
			return NULL;
	}
}

_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
    const char *function)
{
	platform_halt(function, condition);
}
