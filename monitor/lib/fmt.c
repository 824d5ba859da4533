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

/* One conversion, as it stands behind the '%'. */
struct spec {
	unsigned width;
	bool zeros;
	bool is_long;
	char kind;
};

static void put(struct sink *sink, char c)
{
	if (sink->used + 1 < sink->size)
		sink->to[sink->used++] = c;
}

static void pad(struct sink *sink, char c, unsigned width, unsigned used)
{
	for (; used < width; used++)
		put(sink, c);
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value)
{
	unsigned base = spec->kind == 'x' ? 16 : 10;
	unsigned count = 0;
	char digits[20];

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	pad(sink, spec->zeros ? '0' : ' ', spec->width, count);
	while (count > 0)
		put(sink, digits[--count]);
}

static void put_text(struct sink *sink, const struct spec *spec, const char *text)
{
	unsigned length = 0;

	while (text[length] != '\0')
		length++;
	pad(sink, ' ', spec->width, length);
	for (; *text != '\0'; text++)
		put(sink, *text);
}

static const char *parse(const char *at, struct spec *spec)
{
	*spec = (struct spec){ .zeros = *at == '0' };
	for (; *at >= '0' && *at <= '9'; at++)
		spec->width = spec->width < 100 ? spec->width * 10 + (unsigned)(*at - '0') : 100;
	for (; *at == 'l'; at++)
		spec->is_long = true;
	spec->kind = *at;
	return *at == '\0' ? at : at + 1;
}

size_t format_text(char *to, size_t size, const char *format, va_list args)
{
	struct sink sink = { to, size, 0 };
	struct spec spec;

	while (*format != '\0') {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format = parse(format + 1, &spec);
		if (spec.kind == 's') {
			put_text(&sink, &spec, va_arg(args, const char *));
		} else if (spec.kind == 'u' || spec.kind == 'x') {
			put_number(&sink, &spec,
			    spec.is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned));
		} else if (spec.kind == '%') {
			put(&sink, '%');
		} else {
			put(&sink, '!');
			break;
		}
	}
	to[sink.used] = '\0';
	return sink.used;
}
