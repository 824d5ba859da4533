/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/format.c: known texts, bounds, and random formats against the host's snprintf().
 */
#include "tests/unit/trustlets/fake.h"

#define SIZE 64u

#define assert_text(wanted, ...)                                                                   \
	do {                                                                                       \
		char text[SIZE];                                                                   \
		assert_int_equal(rt_snprintf(text, SIZE, __VA_ARGS__), strlen(wanted));            \
		assert_string_equal(text, wanted);                                                 \
	} while (0)

static void known_texts(void **state)
{
	const char *null = NULL;

	assert_text("a -5 7 ff 123456789abcdef0 x%", "%s %d %u %x %lx %c%%", "a", -5, 7u, 0xffu,
	    0x123456789abcdef0ul, 'x');
	assert_text("18446744073709551615 -9223372036854775808", "%zu %ld", SIZE_MAX, INT64_MIN);
	assert_text("-2147483648 4294967295", "%i %u", INT32_MIN, UINT32_MAX);
	assert_text("0x1234", "%p", (void *)0x1234);
	assert_text("   5|005|-05|  abc|(null)", "%4d|%03d|%03d|%5s|%s", 5, 5, -5, "abc", null);
}

static void what_it_does_not_know_is_seen(void **state)
{
	int count = 77;

	assert_text("!n!f!q", "%n%f%q", &count);
	assert_int_equal(count, 77);
	assert_text("a!", "a%");
	assert_text("!", "%08l");
	assert_text("!-5d!.2s!X", "%-5d%.2s%X", "");
}

static void never_writes_behind_the_end(void **state)
{
	char text[SIZE], wanted[SIZE];

	for (size_t size = 0; size < 20; size++) {
		size_t end = size < 16 ? size : 16;

		memset(text, '#', SIZE);
		memset(wanted, '#', SIZE);
		memcpy(wanted, "0123456789   42", end);
		if (end)
			wanted[end - 1] = 0;
		assert_int_equal(rt_snprintf(text, size, "%s%5d", "0123456789", 42), 15);
		assert_memory_equal(text, wanted, SIZE);
	}
	assert_int_equal(rt_snprintf(NULL, 0, "%s", "abc"), 3);
}

static void absurd_widths_are_cut_down(void **state)
{
	char text[8];

	assert_int_equal(rt_snprintf(text, sizeof(text), "%99999999999999999999d", 1), 4096);
	assert_string_equal(text, "       ");
}

/* One random conversion with its flags, appended to `format`. */
static char random_conversion(char *format)
{
	static const char kinds[] = "duxsc";
	char kind = kinds[random_next() % (sizeof(kinds) - 1)];
	uint64_t bits = random_next();
	bool number = kind != 's' && kind != 'c';

	strcat(format, "<%");
	if (number && bits & 1)
		strcat(format, "0");
	if (bits & 2)
		sprintf(format + strlen(format), "%u", (unsigned)(bits >> 8) % 30 + 1);
	if (number)
		strcat(format, "l");
	sprintf(format + strlen(format), "%c>", kind);
	return kind;
}

static void as_the_host_formats(void **state)
{
	uint64_t count = rounds();

	for (uint64_t i = 0; i < count; i++) {
		char format[64] = "", mine[SIZE], hosts[SIZE];
		char kind = random_conversion(format);
		size_t size = random_next() % SIZE;
		unsigned long value = random_next() >> random_next() % 64;
		int length, wanted;

		memset(mine, '#', SIZE);
		memset(hosts, '#', SIZE);
		if (kind == 's') {
			length = rt_snprintf(mine, size, format, "some text");
			wanted = snprintf(hosts, size, format, "some text");
		} else if (kind == 'c') {
			length = rt_snprintf(mine, size, format, 'q');
			wanted = snprintf(hosts, size, format, 'q');
		} else {
			length = rt_snprintf(mine, size, format, value);
			wanted = snprintf(hosts, size, format, value);
		}
		assert_int_equal(length, wanted);
		assert_memory_equal(mine, hosts, SIZE);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(known_texts),
	cmocka_unit_test(what_it_does_not_know_is_seen),
	cmocka_unit_test(never_writes_behind_the_end),
	cmocka_unit_test(absurd_widths_are_cut_down),
	cmocka_unit_test(as_the_host_formats),
};

UNIT_MAIN(tests)
