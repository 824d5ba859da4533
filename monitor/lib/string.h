/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The few functions of <string.h> that root mode uses; the compiler calls them too. Meanings are
 * the C library's. One that is not here does not link.
 */
#pragma once

#include <stddef.h>

/* Reads each byte of `from` exactly once, whatever the compiler thinks of it (I4). */
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

/* Zeroes memory; is never optimized away. */
void scrub(void *memory, size_t bytes);
