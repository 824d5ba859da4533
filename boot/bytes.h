/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Little-endian fields of tables and files at any alignment, and the few memory and string
 * functions the loader needs.
 */
#ifndef BOOT_BYTES_H
#define BOOT_BYTES_H

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

static inline void put64(uint8_t *p, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

static inline bool bytes_equal(const void *a, const void *b, size_t size)
{
	const uint8_t *left = a, *right = b;

	for (size_t i = 0; i < size; i++)
		if (left[i] != right[i])
			return false;
	return true;
}

/* Zeroes memory that nobody reads again; a plain loop would be optimized away. */
static inline void scrub(void *memory, size_t size)
{
	volatile uint8_t *at = memory;

	while (size--)
		*at++ = 0;
}

/* Whether two strings are the same. */
static inline bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static inline size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* Whether text holds `c`, which is not NUL. */
static inline bool text_has(const char *text, char c)
{
	while (*text && *text != c)
		text++;
	return *text != 0;
}

#endif
