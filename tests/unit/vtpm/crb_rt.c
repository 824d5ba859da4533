/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What crb.c needs of the run-time.
 */
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"

void copy_in_once(void *to, const volatile void *from, size_t bytes)
{
	const volatile uint8_t *source = from;

	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)to)[i] = source[i];
}

void trustlet_scrub(void *memory, size_t bytes)
{
	memset(memory, 0, bytes);
}
