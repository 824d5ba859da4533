/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text (fmt.h).
 */
#include "monitor/lib/fmt.h"

#include <stdbool.h>
#include <stdint.h>

struct sink {
	char *to;
	size_t size;
	size_t used;
};

static void put(struct sink *sink, char c)
{
	if (sink->used + 1 < sink->size)
		sink->to[sink->used++] = c;
}

static void put_number(struct sink *sink, unsigned base, uint64_t value)
{
	unsigned count = 0;
	char digits[20];

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (count > 0)
		put(sink, digits[--count]);
}

size_t format_text(char *to, size_t size, const char *format, va_list args)
{
	struct sink sink = { to, size, 0 };
	bool is_long;

	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		is_long = *++format == 'l';
		format += is_long;
		if (*format == 's') {
			for (const char *text = va_arg(args, const char *); *text != '\0'; text++)
				put(&sink, *text);
		} else if (*format == 'u' || *format == 'x') {
			put_number(&sink, *format == 'x' ? 16 : 10,
			    is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned));
		} else if (*format == '%') {
			put(&sink, '%');
		} else {
			put(&sink, '!');
			break;
		}
		format++;
	}
	to[sink.used] = '\0';
	return sink.used;
}
