/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory functions. The volatile accesses keep the compiler from turning a loop into a
 * call of the very function it stands in, from dropping a scrub, and from reading a source twice.
 */
#include "monitor/lib/string.h"

#include <stdint.h>

/* A word at any address, of whatever was there. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	unsigned char *out = to;
	const unsigned char *in = from;

	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		*(volatile word *)out = *(const volatile word *)in;
		out += sizeof(word);
		in += sizeof(word);
	}
	for (; bytes > 0; bytes--)
		*(volatile unsigned char *)out++ = *(const volatile unsigned char *)in++;
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	unsigned char *out = to;
	uint64_t pattern = 0x0101010101010101ull * (unsigned char)value;

	for (; bytes >= 4 * sizeof(word); bytes -= 4 * sizeof(word)) {
		((volatile word *)out)[0] = pattern;
		((volatile word *)out)[1] = pattern;
		((volatile word *)out)[2] = pattern;
		((volatile word *)out)[3] = pattern;
		out += 4 * sizeof(word);
	}
	for (; bytes > 0; bytes--)
		*(volatile unsigned char *)out++ = (unsigned char)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *left = a;
	const unsigned char *right = b;

	for (size_t i = 0; i < bytes; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

void scrub(void *memory, size_t bytes)
{
	memset(memory, 0, bytes);
}
