/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands of a TPM, composed: numbers are big-endian, what has a size in front of it is opened and
 * closed. And lines for whoever measures.
 */
#ifndef TESTS_BENCH_VTPM_COMPARE_TEXT_H
#define TESTS_BENCH_VTPM_COMPARE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX 2048u

struct text {
	uint8_t bytes[TEXT_MAX];
	size_t length;
};

void put(struct text *to, uint64_t number, size_t bytes);
void put_bytes(struct text *to, const uint8_t *from, size_t bytes);

/* A size of 16 bits comes here, and later the bytes up to the close. Returns where. */
size_t open_size(struct text *to);
void close_size(struct text *to, size_t at);

/* The number in front of `*at`, which moves on. */
uint64_t take(const uint8_t **at, size_t bytes);

/*
 * A line, on port 0xE9 where the program may, on standard output otherwise. fail() says what is
 * wrong, and ends the program.
 */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 1, 2))) _Noreturn void fail(const char *format, ...);

#endif
