/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * On the host: what START_SHA says in a partition.
 */
#ifndef VTPM_HOST_HAS_SHA_H
#define VTPM_HOST_HAS_SHA_H

#include <cpuid.h>
#include <stdbool.h>

static inline bool host_has_sha(void)
{
	unsigned a, b, c, d, leaf7;

	if (!__get_cpuid_count(7, 0, &a, &leaf7, &c, &d) || !__get_cpuid(1, &a, &b, &c, &d))
		return false;
	return leaf7 & 1u << 29 && c & bit_SSSE3 && c & bit_SSE4_1;
}

#endif
