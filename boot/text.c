/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text.
 */
#include "boot/text.h"

#include <stdbool.h>
#include <stdint.h>

struct sink {
	char *out;
	size_t size;
	size_t length;
};

struct spec {
	unsigned width;
	char pad;
	bool is_long;
	char kind;
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size)
		sink->out[sink->length++] = c;
}

static void put_text(struct sink *sink, const char *text)
{
	while (*text)
		put(sink, *text++);
}

static void put_number(struct sink *sink, uint64_t value, const struct spec *spec)
{
	unsigned base = spec->kind == 'x' ? 16 : 10;
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	for (unsigned i = count; i < spec->width; i++)
		put(sink, spec->pad);
	while (count)
		put(sink, digits[--count]);
}

/* Reads a conversion behind its %; returns what follows it. */
static const char *read_spec(const char *format, struct spec *spec)
{
	*spec = (struct spec){ .pad = ' ' };
	if (*format == '0') {
		spec->pad = '0';
		format++;
	}
	while (*format >= '0' && *format <= '9')
		spec->width = spec->width * 10 + (unsigned)(*format++ - '0');
	if (*format == 'l') {
		spec->is_long = true;
		format++;
	}
	spec->kind = *format;
	return *format ? format + 1 : format;
}

size_t text_vformat(char *out, size_t size, const char *format, va_list args)
{
	struct sink sink = { out, size, 0 };
	struct spec spec;

	while (*format) {
		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format = read_spec(format + 1, &spec);
		if (spec.kind == 's')
			put_text(&sink, va_arg(args, const char *));
		else if (spec.kind == 'c')
			put(&sink, (char)va_arg(args, int));
		else if (spec.kind == 'u' || spec.kind == 'x')
			put_number(&sink,
			    spec.is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned),
			    &spec);
		else
			put(&sink, spec.kind);
	}
	if (size)
		out[sink.length] = 0;
	return sink.length;
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = text_vformat(out, size, format, args);
	va_end(args);
	return length;
}
