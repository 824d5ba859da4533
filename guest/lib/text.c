/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory, text and TAP.
 */
#include "guest/lib/text.h"

#include <stdatomic.h>

#include "guest/lib/power.h"
#include "guest/lib/x86.h"

#define PORT_E9	   0xe9
#define COM1	   0x3f8
#define COM1_LSR   (COM1 + 5)
#define LSR_READY  0x01
#define LSR_EMPTY  0x20
#define NUMBER_MAX 24

static bool serial;
static unsigned points, failures;
static atomic_flag busy = ATOMIC_FLAG_INIT;

void *memset(void *to, int byte, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < n; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

void text_serial(void)
{
	serial = true;
}

static void serial_put(char c)
{
	for (unsigned i = 0; i < 100000 && !(inb(COM1_LSR) & LSR_EMPTY); i++)
		cpu_pause();
	outb(COM1, (uint8_t)c);
}

void text_wait(void)
{
	while (!(inb(COM1_LSR) & LSR_READY))
		cpu_pause();
	inb(COM1);
}

static void put(char c)
{
	outb(PORT_E9, (uint8_t)c);
	if (!serial)
		return;
	if (c == '\n')
		serial_put('\r');
	serial_put(c);
}

static void put_padded(const char *s, size_t length, unsigned width, char pad)
{
	for (size_t i = length; i < width; i++)
		put(pad);
	for (size_t i = 0; i < length; i++)
		put(s[i]);
}

static void put_number(uint64_t value, unsigned base, unsigned width, char pad)
{
	char digits[NUMBER_MAX];
	unsigned at = NUMBER_MAX;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_padded(digits + at, NUMBER_MAX - at, width, pad);
}

struct conversion {
	char kind;
	char pad;
	bool wide;
	unsigned width;
};

/* Reads what follows a '%'; returns the first character behind it. */
static const char *conversion_read(const char *p, struct conversion *c)
{
	*c = (struct conversion){ .pad = ' ' };
	if (*p == '0')
		c->pad = '0';
	while (*p >= '0' && *p <= '9')
		c->width = c->width * 10 + (unsigned)(*p++ - '0');
	while (*p == 'l') {
		c->wide = true;
		p++;
	}
	c->kind = *p;
	return *p ? p + 1 : p;
}

static void put_signed(int64_t value, const struct conversion *c)
{
	if (value < 0)
		put('-');
	put_number(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, c->width, c->pad);
}

static uint64_t next_unsigned(va_list *args, const struct conversion *c)
{
	return c->wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
}

static void convert(const struct conversion *c, va_list *args)
{
	const char *s;

	switch (c->kind) {
	case 's':
		s = va_arg(*args, const char *);
		put_padded(s, strlen(s), c->width, ' ');
		break;
	case 'c':
		put((char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(c->wide ? va_arg(*args, long) : va_arg(*args, int), c);
		break;
	case 'u':
		put_number(next_unsigned(args, c), 10, c->width, c->pad);
		break;
	case 'x':
		put_number(next_unsigned(args, c), 16, c->width, c->pad);
		break;
	default:
		put(c->kind);
	}
}

static void format(const char *p, va_list *args)
{
	struct conversion c;

	while (*p) {
		if (*p != '%') {
			put(*p++);
			continue;
		}
		p = conversion_read(p + 1, &c);
		convert(&c, args);
	}
}

/* One line at a time; a CPU that dies while it prints must not keep the others silent for ever. */
static void text_lock(void)
{
	for (unsigned i = 0; i < 10000000 && atomic_flag_test_and_set(&busy); i++)
		cpu_pause();
}

static void text_unlock(void)
{
	atomic_flag_clear(&busy);
}

void vprint(const char *text, va_list args)
{
	va_list copy;

	va_copy(copy, args);
	text_lock();
	format(text, &copy);
	text_unlock();
	va_end(copy);
}

void print(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vprint(text, args);
	va_end(args);
}

/* A line made of a head and formatted text, under one lock. */
static void line(const char *head, unsigned number, const char *text, va_list *args)
{
	text_lock();
	for (const char *p = head; *p; p++)
		put(*p);
	if (number) {
		put_number(number, 10, 0, ' ');
		for (const char *p = " - "; *p; p++)
			put(*p);
	}
	format(text, args);
	put('\n');
	text_unlock();
}

bool tap(bool pass, const char *text, ...)
{
	va_list args;

	points++;
	failures += !pass;
	va_start(args, text);
	line(pass ? "ok " : "not ok ", points, text, &args);
	va_end(args);
	return pass;
}

void tap_skip(const char *why, const char *what)
{
	points++;
	print("ok %u - %s # SKIP %s\n", points, what, why);
}

void tap_note(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	line("# ", 0, text, &args);
	va_end(args);
}

void tap_end(void)
{
	print("1..%u\n", points);
}

unsigned tap_failures(void)
{
	return failures;
}

void bail(const char *text, ...)
{
	va_list args;

	va_start(args, text);
	line("Bail out! ", 0, text, &args);
	va_end(args);
	power_off();
}
