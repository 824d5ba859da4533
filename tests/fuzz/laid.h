/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where fuzzers of ACPI's readers lay tables: `size` bytes from LAID_BASE on, and nothing else.
 */
#ifndef FUZZ_LAID_H
#define FUZZ_LAID_H

#include <stddef.h>
#include <stdint.h>

#define LAID_BASE 0x100000u

struct laid {
	uint8_t *bytes;
	size_t size;
};

/* What a reader is given to read with; `context` begins with a struct laid. */
static inline const uint8_t *laid_map(void *context, uint64_t address, uint64_t length)
{
	const struct laid *laid = context;

	if (address < LAID_BASE || address - LAID_BASE > laid->size ||
	    length > laid->size - (address - LAID_BASE))
		return NULL;
	return laid->bytes + (address - LAID_BASE);
}

#endif
