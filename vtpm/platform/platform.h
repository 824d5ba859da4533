/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the shim needs of where it runs: partition.c above the trustlet run-time, host/platform.c on
 * the host.
 */
#ifndef VTPM_PLATFORM_H
#define VTPM_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Random bytes fit for keys. Halts rather than give weak ones or fail: libtpms would fall back to
 * rand().
 */
void platform_random(void *to, size_t bytes);

/* Ends the partition, or the program, saying why; the text is for everyone to read. */
_Noreturn void platform_halt(const char *why, const char *what);

#endif
