/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text into memory.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_MAX 24u
#define WIDTH_MAX  4096

struct out {
	char *to;
	size_t size, length; /* length: of the whole text, though it may not fit */
};

struct conversion {
	char kind;
	bool zero, wide;
	size_t width;
};

static void put(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->to[out->length] = c;
	out->length++;
}

static void put_repeated(struct out *out, char c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(out, c);
}

/* `sign` characters come before the zeroes that fill the width. */
static void put_field(struct out *out, const struct conversion *c, const char *text, size_t length,
    size_t sign)
{
	size_t fill = length < c->width ? c->width - length : 0;

	if (!c->zero)
		put_repeated(out, ' ', fill);
	for (size_t i = 0; i < sign; i++)
		put(out, text[i]);
	if (c->zero)
		put_repeated(out, '0', fill);
	for (size_t i = sign; i < length; i++)
		put(out, text[i]);
}

static void put_number(struct out *out, const struct conversion *c, uint64_t value,
    const char *sign)
{
	uint64_t base = c->kind == 'x' ? 16 : 10;
	size_t at = NUMBER_MAX, signs = strlen(sign);
	char text[NUMBER_MAX];

	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	at -= signs;
	memcpy(text + at, sign, signs);
	put_field(out, c, text + at, NUMBER_MAX - at, signs);
}

/* Reads what follows a '%'; returns the first character behind it. An absurd width is cut down. */
static const char *read_conversion(const char *p, struct conversion *c)
{
	*c = (struct conversion){ .zero = *p == '0' };
	for (; *p >= '0' && *p <= '9'; p++) {
		if (c->width <= WIDTH_MAX)
			c->width = c->width * 10 + (size_t)(*p - '0');
	}
	if (c->width > WIDTH_MAX)
		c->width = WIDTH_MAX;
	for (; *p == 'l' || *p == 'z'; p++)
		c->wide = true;
	c->kind = *p;
	return *p ? p + 1 : p;
}

static void put_signed(struct out *out, struct conversion *c, int64_t value)
{
	put_number(out, c, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0 ? "-" : "");
}

static void convert(struct out *out, struct conversion *c, va_list *args)
{
	const char *text;
	char character;

	switch (c->kind) {
	case 's':
		text = va_arg(*args, const char *);
		c->zero = false;
		put_field(out, c, text ? text : "(null)", strlen(text ? text : "(null)"), 0);
		break;
	case 'c':
		character = (char)va_arg(*args, int);
		put_field(out, c, &character, 1, 0);
		break;
	case 'd':
	case 'i':
		put_signed(out, c, c->wide ? va_arg(*args, long) : va_arg(*args, int));
		break;
	case 'x':
	case 'u':
		put_number(out, c, c->wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned),
		    "");
		break;
	case 'p':
		c->kind = 'x';
		put_number(out, c, (uint64_t)va_arg(*args, void *), "0x");
		break;
	case '%':
		put(out, '%');
		break;
	default:
		put(out, '!');
		if (c->kind)
			put(out, c->kind);
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct out out = { to, size, 0 };
	struct conversion c;
	va_list rest;

	va_copy(rest, args);
	while (*format) {
		if (*format != '%') {
			put(&out, *format++);
			continue;
		}
		format = read_conversion(format + 1, &c);
		convert(&out, &c, &rest);
	}
	va_end(rest);
	if (size)
		to[out.length < size ? out.length : size - 1] = 0;
	return (int)out.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(to, size, format, args);
	va_end(args);
	return length;
}
