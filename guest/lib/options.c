/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Options.
 */
#include "guest/lib/options.h"

#include "guest/lib/text.h"

static char text[OPTION_MAX];
static char value[OPTION_MAX];

void options_set(const char *from)
{
	size_t length = strlen(from);

	if (length >= OPTION_MAX)
		bail("options are longer than %u bytes", OPTION_MAX - 1);
	memcpy(text, from, length + 1);
}

const char *options_text(void)
{
	return text;
}

bool text_equal(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && !memcmp(a, b, n);
}

/* The text behind "key=" at the start of a word, or NULL. */
static const char *find(const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; *p; p++) {
		bool start = p == text || p[-1] == ' ';

		if (start && strlen(p) > n && !memcmp(p, key, n) && p[n] == '=')
			return p + n + 1;
	}
	return NULL;
}

const char *option(const char *key)
{
	const char *p = find(key);
	size_t n = 0;

	while (p && p[n] && p[n] != ' ' && p[n] != '\n' && p[n] != '\r') {
		value[n] = p[n];
		n++;
	}
	value[n] = 0;
	return value;
}

static int digit(char c, unsigned base)
{
	int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

	return d < (int)base ? d : -1;
}

uint64_t option_number(const char *key, uint64_t otherwise)
{
	const char *p = option(key);
	unsigned base = 10;
	uint64_t number = 0;

	if (!*p)
		return otherwise;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (; *p; p++) {
		if (digit(*p, base) < 0)
			bail("option %s is no number", key);
		number = number * base + (uint64_t)digit(*p, base);
	}
	return number;
}
