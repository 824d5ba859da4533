/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/lib: memory functions, formatted text, SHA-256, checked arithmetic. The memory functions
 * are built under other names here (build.mk), so that the sanitizers keep the C library's.
 */
#include "monitor/lib/checked.h"
#include "monitor/lib/fmt.h"
#include "monitor/lib/sha256.h"
#include "tests/unit/unit.h"

void *monitor_memcpy(void *to, const void *from, size_t bytes);
void *monitor_memset(void *to, int value, size_t bytes);
int monitor_memcmp(const void *a, const void *b, size_t bytes);
void scrub(void *memory, size_t bytes);

#define SIZE 48

static void fill(uint8_t *at, unsigned seed)
{
	for (unsigned i = 0; i < SIZE; i++)
		at[i] = (uint8_t)(seed + 7 * i);
}

static void copies_exactly_what_it_is_told(void **state)
{
	uint8_t from[SIZE], to[SIZE], expected[SIZE];

	for (unsigned start = 0; start < 9; start++) {
		for (unsigned bytes = 0; bytes < 33; bytes++) {
			fill(from, 1);
			fill(to, 100);
			fill(expected, 100);
			memcpy(expected + start, from + 3, bytes);
			assert_ptr_equal(monitor_memcpy(to + start, from + 3, bytes), to + start);
			assert_memory_equal(to, expected, SIZE);
		}
	}
}

static void sets_and_scrubs(void **state)
{
	uint8_t at[SIZE], expected[SIZE];

	for (unsigned bytes = 0; bytes < 33; bytes++) {
		fill(at, 1);
		fill(expected, 1);
		memset(expected + 5, 0xc3, bytes);
		monitor_memset(at + 5, 0xc3, bytes);
		assert_memory_equal(at, expected, SIZE);
		memset(expected + 5, 0, bytes);
		scrub(at + 5, bytes);
		assert_memory_equal(at, expected, SIZE);
	}
}

static void compares(void **state)
{
	assert_int_equal(monitor_memcmp("abc", "abd", 2), 0);
	assert_true(monitor_memcmp("abc", "abd", 3) < 0);
	assert_true(monitor_memcmp("\xff", "\x01", 1) > 0);
	assert_int_equal(monitor_memcmp("", "x", 0), 0);
}

static size_t text(char *to, size_t size, const char *format, ...)
{
	va_list args;
	size_t bytes;

	va_start(args, format);
	bytes = format_text(to, size, format, args);
	va_end(args);
	return bytes;
}

#define EXPECT_TEXT(expected, ...)                                                                 \
	do {                                                                                       \
		char buffer[80];                                                                   \
		size_t bytes = text(buffer, sizeof(buffer), __VA_ARGS__);                          \
		assert_string_equal(buffer, expected);                                             \
		assert_int_equal(bytes, strlen(expected));                                         \
	} while (0)

static void formats_as_printf_does(void **state)
{
	EXPECT_TEXT("plain 100%", "plain %u%%", 100u);
	EXPECT_TEXT("7 4294967295", "%u %u", 7u, ~0u);
	EXPECT_TEXT("18446744073709551615", "%lu", ~0ul);
	EXPECT_TEXT("ff deadbeefcafe 0", "%x %lx %x", 255u, 0xdeadbeefcafeul, 0u);
	EXPECT_TEXT("7!", "%u%d%s", 7u, 7, "not read");
	EXPECT_TEXT("!", "%", 0);
}

static void text_is_cut_and_terminated(void **state)
{
	char buffer[8];

	memset(buffer, 'x', sizeof(buffer));
	assert_int_equal(text(buffer, 4, "%s", "abcdef"), 3);
	assert_string_equal(buffer, "abc");
	assert_int_equal(buffer[4], 'x');
	assert_int_equal(text(buffer, 1, "%u", 12u), 0);
	assert_int_equal(buffer[0], '\0');
	assert_int_equal(text(buffer, 8, "%lu", ~0ul), 7);
	assert_string_equal(buffer, "1844674");
}

static void sha256(const void *data, size_t bytes, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, data, bytes);
	sha256_end(&hash, digest);
}

static void expect_digest(const char *data, size_t bytes, const char *expected)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256(data, bytes, digest);
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, expected);
}

/* FIPS 180-2, appendix B; the first is the empty message of NIST's CAVP. */
static void sha256_of_the_standards_messages(void **state)
{
	static char million[1000000];

	expect_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	expect_digest(million, sizeof(million),
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_does_not_depend_on_the_pieces(void **state)
{
	uint8_t whole[SHA256_BYTES], parts[SHA256_BYTES], data[300];
	struct sha256 hash;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	for (unsigned length = 0; length <= sizeof(data); length++) {
		sha256(data, length, whole);
		sha256_start(&hash);
		for (unsigned at = 0; at < length; at += 1 + at % 67)
			sha256_add(&hash, data + at,
			    length - at < 1 + at % 67 ? length - at : 1 + at % 67);
		sha256_end(&hash, parts);
		assert_memory_equal(whole, parts, SHA256_BYTES);
	}
	for (unsigned i = 0; i < sizeof(hash); i++)
		assert_int_equal(((uint8_t *)&hash)[i], 0);
}

static void arithmetic_tells_when_it_does_not_fit(void **state)
{
	assert_true(range_within(10, 90, 100));
	assert_false(range_within(10, 91, 100));
	assert_false(range_within(~0ull, 2, 100));
	assert_false(range_within(0, ~0ull, 100));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(copies_exactly_what_it_is_told),
	cmocka_unit_test(sets_and_scrubs),
	cmocka_unit_test(compares),
	cmocka_unit_test(formats_as_printf_does),
	cmocka_unit_test(text_is_cut_and_terminated),
	cmocka_unit_test(sha256_of_the_standards_messages),
	cmocka_unit_test(sha256_does_not_depend_on_the_pieces),
	cmocka_unit_test(arithmetic_tells_when_it_does_not_fit),
};

UNIT_MAIN(tests)
