/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/string.c against the host's own functions.
 */
#include "tests/unit/trustlets/fake.h"

#define SIZE 80u

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void fill(uint8_t *at)
{
	for (unsigned i = 0; i < SIZE; i++)
		at[i] = (uint8_t)random_next();
}

static void copies_moves_and_sets_what_it_is_told(void **state)
{
	uint8_t from[SIZE], to[SIZE], wanted[SIZE];

	for (unsigned i = 0; i < 2000; i++) {
		size_t a = random_next() % 40, b = random_next() % 40, bytes = random_next() % 41;

		fill(from);
		fill(to);
		memcpy(wanted, to, SIZE);
		memcpy(wanted + a, from + b, bytes);
		assert_ptr_equal(rt_memcpy(to + a, from + b, bytes), to + a);
		assert_memory_equal(to, wanted, SIZE);
		memmove(wanted + a, wanted + b, bytes);
		assert_ptr_equal(rt_memmove(to + a, to + b, bytes), to + a);
		assert_memory_equal(to, wanted, SIZE);
		memset(wanted + a, from[0], bytes);
		assert_ptr_equal(rt_memset(to + a, from[0], bytes), to + a);
		assert_memory_equal(to, wanted, SIZE);
	}
}

static void compares_as_the_host_does(void **state)
{
	char a[9], b[9];

	for (unsigned i = 0; i < 20000; i++) {
		size_t most = random_next() % 12;

		for (unsigned k = 0; k < 8; k++) {
			a[k] = "\0ab\xff"[random_next() % 4];
			b[k] = random_next() % 8 ? a[k] : "\0ab\xff"[random_next() % 4];
		}
		a[8] = b[8] = 0;
		assert_int_equal(sign(rt_memcmp(a, b, most > 9 ? 9 : most)),
		    sign(memcmp(a, b, most > 9 ? 9 : most)));
		assert_int_equal(sign(rt_strcmp(a, b)), sign(strcmp(a, b)));
		assert_int_equal(sign(rt_strncmp(a, b, most)), sign(strncmp(a, b, most)));
		assert_int_equal(rt_strlen(a), strlen(a));
		assert_int_equal(rt_strnlen(a, most), strnlen(a, most));
		assert_ptr_equal(rt_strchr(a, 'b'), strchr(a, 'b'));
		assert_ptr_equal(rt_strchr(a, 0), strchr(a, 0));
		assert_ptr_equal(rt_memchr(a, 0xff, 8), memchr(a, 0xff, 8));
		assert_int_equal(trustlet_equal(a, b, 8), memcmp(a, b, 8) == 0);
	}
}

static void copies_text_as_the_host_does(void **state)
{
	char from[9] = { 0 }, to[16], wanted[16];

	for (unsigned i = 0; i < 2000; i++) {
		size_t most = random_next() % 16;

		for (unsigned k = 0; k < 8; k++)
			from[k] = "\0ab\xff"[random_next() % 4];
		memset(to, 0x5a, sizeof(to));
		memset(wanted, 0x5a, sizeof(wanted));
		for (size_t k = 0; k < most; k++)
			wanted[k] = k < strlen(from) ? from[k] : 0;
		assert_ptr_equal(rt_strncpy(to, from, most), to);
		assert_memory_equal(to, wanted, sizeof(to));
	}
}

static void copies_in_and_scrubs(void **state)
{
	uint8_t from[SIZE], to[SIZE] = { 0 };

	fill(from);
	copy_in_once(to + 1, from + 1, SIZE - 2);
	assert_memory_equal(to + 1, from + 1, SIZE - 2);
	assert_int_equal(to[0], 0);
	assert_int_equal(to[SIZE - 1], 0);
	memset(to, 1, SIZE);
	trustlet_scrub(to + 1, SIZE - 2);
	assert_int_equal(to[0], 1);
	assert_int_equal(to[SIZE - 1], 1);
	for (unsigned i = 1; i < SIZE - 1; i++)
		assert_int_equal(to[i], 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(copies_moves_and_sets_what_it_is_told),
	cmocka_unit_test(compares_as_the_host_does),
	cmocka_unit_test(copies_text_as_the_host_does),
	cmocka_unit_test(copies_in_and_scrubs),
};

UNIT_MAIN(tests)
