/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Little-endian fields at any alignment, and comparisons, for programs with and without a C
 * library.
 */
#ifndef TOOLS_DOCTOR_BYTES_H
#define TOOLS_DOCTOR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static inline bool same_bytes(const void *a, const void *b, size_t size)
{
	const uint8_t *left = a, *right = b;

	for (size_t i = 0; i < size; i++)
		if (left[i] != right[i])
			return false;
	return true;
}

/* Whether the bytes of a table sum up to zero (ACPI 6.5, 5.2.6). */
static inline bool sums_to_zero(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

#endif
