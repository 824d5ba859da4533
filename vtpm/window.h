/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory that the normal world reads or writes at the same time (monitor/abi/tpm.h). Whatever cache
 * type it gives the window, it finds what was written, and is found what it wrote.
 */
#ifndef VTPM_WINDOW_H
#define VTPM_WINDOW_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Behind a change, and in front of a read. `from` begins a cache line. */
static inline void window_sync(const volatile void *from, size_t bytes)
{
	const size_t line = 64;

	for (size_t at = 0; at < bytes; at += line)
		_mm_clflush((const void *)((uintptr_t)from + at));
	_mm_mfence();
}

#endif
