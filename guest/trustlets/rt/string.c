/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory and strings. The compiler calls the first four itself, so that they must not be written as
 * loops that it would turn into calls of them.
 */
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"

/* A word at any address, of whatever was there. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *last = (char *)to + bytes - 1;
	const char *from_last = (const char *)from + bytes - 1;

	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		return memcpy(to, from, bytes);
	__asm__ volatile("std\n\trep movsb\n\tcld"
			 : "+D"(last), "+S"(from_last), "+c"(bytes)
			 :
			 : "memory");
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

void *memchr(const void *memory, int byte, size_t bytes)
{
	const unsigned char *p = memory;

	for (size_t i = 0; i < bytes; i++) {
		if (p[i] == (unsigned char)byte)
			return (void *)(uintptr_t)(p + i);
	}
	return NULL;
}

size_t strnlen(const char *text, size_t most)
{
	size_t n = 0;

	while (n < most && text[n])
		n++;
	return n;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (size_t i = 0; i < most; i++) {
		if (a[i] != b[i])
			return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
		if (!a[i])
			return 0;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strncpy(char *restrict to, const char *restrict from, size_t most)
{
	size_t length = strnlen(from, most);

	memcpy(to, from, length);
	memset(to + length, 0, most - length);
	return to;
}

char *strchr(const char *text, int c)
{
	return memchr(text, c, strlen(text) + 1);
}

void copy_in_once(void *to, const volatile void *from, size_t bytes)
{
	const volatile uint8_t *source = from;
	uint8_t *target = to;

	for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
		*(word *)(void *)target = *(const volatile word *)(const volatile void *)source;
		target += sizeof(word);
		source += sizeof(word);
	}
	for (; bytes > 0; bytes--)
		*target++ = *source++;
}

void trustlet_scrub(void *memory, size_t bytes)
{
	memset(memory, 0, bytes);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

bool trustlet_equal(const void *a, const void *b, size_t bytes)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t different = 0;

	for (size_t i = 0; i < bytes; i++)
		different |= x[i] ^ y[i];
	return different == 0;
}
