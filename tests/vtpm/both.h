/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The shim's functions beside OpenSSL's of the same names: OURS(f) declares our_f, as the build has
 * renamed it, with the type that OpenSSL's headers give. Numbers of a test come from SEED, how
 * often from N.
 */
#ifndef TESTS_VTPM_BOTH_H
#define TESTS_VTPM_BOTH_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OURS(f) extern __typeof__(f) our_##f

static uint64_t both_state;

static inline uint64_t both_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* splitmix64 */
static inline uint64_t any(void)
{
	uint64_t z = both_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline size_t below(size_t end)
{
	return (size_t)(any() % end);
}

static inline void fill(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((unsigned char *)to)[i] = (unsigned char)any();
}

static inline int both_setup(void **state)
{
	both_state = both_number("SEED", 1);
	return 0;
}

/* Rounds of a test whose usual number is `usual`. */
static inline uint64_t rounds(uint64_t usual)
{
	return usual * both_number("N", 1);
}

#endif
