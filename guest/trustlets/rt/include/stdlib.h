/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The heap (heap.c). What the C library leaves undefined, and is noticed, ends the trustlet.
 */
#ifndef TRUSTLET_RT_STDLIB_H
#define TRUSTLET_RT_STDLIB_H

#include <stddef.h>

/* Memory is aligned to 16 bytes and zero; NULL if there is none left. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *memory, size_t bytes);
void free(void *memory);

_Noreturn void abort(void);

#endif
