/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands composed, lines said.
 */
#include "tests/bench/vtpm_compare/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

#define DEBUG_PORT 0xe9

void put(struct text *to, uint64_t number, size_t bytes)
{
	if (to->length + bytes > TEXT_MAX)
		fail("a command too long");
	while (bytes > 0)
		to->bytes[to->length++] = (uint8_t)(number >> 8 * --bytes);
}

void put_bytes(struct text *to, const uint8_t *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		put(to, from[i], 1);
}

size_t open_size(struct text *to)
{
	put(to, 0, 2);
	return to->length;
}

void close_size(struct text *to, size_t at)
{
	size_t bytes = to->length - at;

	to->bytes[at - 2] = (uint8_t)(bytes >> 8);
	to->bytes[at - 1] = (uint8_t)bytes;
}

uint64_t take(const uint8_t **at, size_t bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | *(*at)++;
	return number;
}

static void say_text(const char *text)
{
	if (ioperm(DEBUG_PORT, 1, 1) != 0) {
		puts(text);
		return;
	}
	for (; *text; text++)
		outb((unsigned char)*text, DEBUG_PORT);
	outb('\n', DEBUG_PORT);
}

void say(const char *format, ...)
{
	char line[256];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	say_text(line);
}

void fail(const char *format, ...)
{
	char line[256] = "compare failed: ";
	size_t at = strlen(line);
	va_list list;

	va_start(list, format);
	(void)vsnprintf(line + at, sizeof(line) - at, format, list);
	va_end(list);
	say_text(line);
	exit(1);
}
