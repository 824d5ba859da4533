/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform in a partition: the trustlet run-time.
 */
#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/platform/platform.h"

void platform_random(void *to, size_t bytes)
{
	trustlet_random(to, bytes);
}

_Noreturn void platform_halt(const char *why, const char *what)
{
	trustlet_panic("%s: %s", why, what);
}
