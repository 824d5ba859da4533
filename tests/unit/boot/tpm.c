/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/tpm.c: what is made of responses that are not as they should be. That those of a real TPM
 * are understood is shown with one (tests/tpm).
 */
#include "boot/tpm.h"

#include "tests/unit/unit.h"

#define HEADER 10u

static struct tpm tpm;
static uint8_t answer[2 * TPM_BYTES];
static size_t answer_bytes;
static unsigned asked, busy; /* how often; how often it is busy first */

static size_t submit(struct tpm *at, struct blob command, bool again)
{
	static const uint8_t retry[HEADER] = { 0x80, 1, 0, 0, 0, HEADER, 0, 0, 9, 0x22 };

	assert_int_equal(command.data[4] << 8 | command.data[5], command.size);
	assert_int_equal(again, asked > 0);
	if (asked++ < busy) {
		memcpy(at->response, retry, HEADER);
		return HEADER;
	}
	memcpy(at->response, answer, answer_bytes < TPM_BYTES ? answer_bytes : TPM_BYTES);
	return answer_bytes;
}

static void put16(size_t at, size_t value)
{
	answer[at] = (uint8_t)(value >> 8);
	answer[at + 1] = (uint8_t)value;
}

/* A response with parameters all zero; `tag` 1 or 2. */
static void prepare(uint8_t tag, size_t parameters)
{
	memset(answer, 0, sizeof(answer));
	answer[0] = 0x80;
	answer[1] = tag;
	answer_bytes = HEADER + parameters;
	put16(4, answer_bytes);
	tpm = (struct tpm){ .submit = submit };
	asked = busy = 0;
}

static void prepare_random(size_t bytes)
{
	prepare(1, 2 + bytes);
	put16(HEADER, bytes);
}

static void prepare_secret(size_t bytes)
{
	prepare(2, 4 + 2 + bytes);
	put16(HEADER + 2, 2 + bytes);
	put16(HEADER + 4, bytes);
}

static bool ask_random(void)
{
	uint8_t out[SHA256_BYTES];

	return tpm_random(&tpm, out);
}

static bool ask_secret(void)
{
	uint8_t out[SHA256_BYTES];

	return tpm_unseal(&tpm, 1, 2, out, sizeof(out));
}

static void expect_malformed(bool (*ask)(void))
{
	assert_false(ask());
	assert_int_equal(tpm.code, TPM_MALFORMED);
}

static void right_ones_pass(void **state)
{
	prepare_random(32);
	assert_true(ask_random());
	assert_int_equal(tpm.code, 0);
	prepare_secret(32);
	assert_true(ask_secret());
	assert_int_equal(tpm.code, 0);
}

static void wrong_sizes_inside(void **state)
{
	for (size_t bytes = 0; bytes < 70; bytes++) {
		if (bytes == 32)
			continue;
		prepare_random(bytes);
		expect_malformed(ask_random);
		prepare_secret(bytes);
		expect_malformed(ask_secret);
	}
	prepare_random(32);
	put16(HEADER, 0xffff);
	expect_malformed(ask_random);
	prepare_secret(32);
	put16(HEADER, 0xffff); /* size of parameters */
	expect_malformed(ask_secret);
	prepare_secret(32);
	put16(HEADER + 2, 33); /* which end within what they hold */
	expect_malformed(ask_secret);
}

static void wrong_headers(void **state)
{
	for (size_t bytes = 1; bytes < HEADER; bytes++) {
		prepare_random(32);
		answer_bytes = bytes;
		expect_malformed(ask_random);
	}
	prepare_random(32);
	answer_bytes--;
	expect_malformed(ask_random);
	prepare_random(32);
	answer[2] = 1; /* another size */
	expect_malformed(ask_random);
	prepare_random(32);
	answer[1] = 2; /* another tag */
	expect_malformed(ask_random);
	prepare_random(32);
	answer[6] = 1; /* no such response code */
	expect_malformed(ask_random);
}

static void longer_than_there_is_room(void **state)
{
	prepare_random(32);
	answer_bytes = 2 * TPM_BYTES;
	put16(4, answer_bytes);
	expect_malformed(ask_random);
}

static void codes_are_told(void **state)
{
	prepare(1, 0);
	put16(8, 0x1df);
	assert_false(ask_random());
	assert_int_equal(tpm.code, 0x1df);
	assert_int_equal(tpm_reason(tpm.code), TPM_INTEGRITY);
	assert_int_equal(tpm_reason(0x99d), TPM_POLICY_FAIL);
	assert_int_equal(tpm_reason(0x1c4), TPM_VALUE);
	assert_int_equal(tpm_reason(0x922), 0x922);
	assert_string_equal(tpm.name, "TPM2_GetRandom");
	answer_bytes = 0;
	asked = 0;
	assert_false(ask_random());
	assert_int_equal(tpm.code, TPM_NO_ANSWER);
}

static void busy_ones_are_asked_again(void **state)
{
	prepare_random(32);
	busy = 7;
	assert_true(ask_random());
	assert_int_equal(asked, 8);
	prepare_random(32);
	busy = 100000;
	assert_false(ask_random());
	assert_int_equal(tpm.code, 0x922);
	assert_true(asked < 1000);
}

/* A response with a selection, and so many values behind it, each with the number of its place. */
static void prepare_registers(const uint8_t selection[10], unsigned count)
{
	size_t at = HEADER + 4;

	prepare(1, 4 + 10 + 4 + (size_t)count * (2 + SHA256_BYTES));
	memcpy(answer + at, selection, 10);
	put16(at + 12, count);
	at += 14;
	for (unsigned i = 0; i < count; i++, at += 2 + SHA256_BYTES) {
		put16(at, SHA256_BYTES);
		memset(answer + at + 2, (int)(i + 1), SHA256_BYTES);
	}
}

/* The bank is not in use: it selects nothing. */
static void another_selection(void **state)
{
	static const uint8_t selection[10] = { 0, 0, 0, 1, 0, 0x0b, 3, 0x95, 0, 0 };
	uint8_t value[TPM_PCRS][SHA256_BYTES];

	for (size_t flip = 0; flip <= 14; flip++) {
		prepare_registers(selection, TPM_PCRS);
		if (flip < 14)
			answer[HEADER + 4 + flip] ^= 1;
		assert_int_equal(tpm_pcr_read(&tpm, value), flip == 14);
	}
}

static void registers_in_a_row(void **state)
{
	uint8_t value[TPM_PCRS_READ][SHA256_BYTES];

	for (unsigned first = 0; first < 24; first += 8) {
		uint8_t selection[10] = { 0, 0, 0, 1, 0, 0x0b, 3, 0, 0, 0 };

		selection[7 + first / 8] = 0xff;
		prepare_registers(selection, TPM_PCRS_READ);
		assert_true(tpm_pcr_range(&tpm, first, value));
		assert_memory_equal(tpm.command + HEADER, selection, sizeof(selection));
		for (unsigned i = 0; i < TPM_PCRS_READ; i++)
			for (unsigned byte = 0; byte < SHA256_BYTES; byte++)
				assert_int_equal(value[i][byte], i + 1);
		prepare_registers(selection, TPM_PCRS_READ);
		answer[HEADER + 4 + 7 + first / 8] = 0x7f; /* without the last */
		assert_false(tpm_pcr_range(&tpm, first, value));
		prepare_registers(selection, TPM_PCRS_READ - 1);
		assert_false(tpm_pcr_range(&tpm, first, value));
		assert_int_equal(tpm.code, TPM_MALFORMED);
	}
}

static void washing_leaves_nothing(void **state)
{
	prepare_secret(32);
	memset(answer + HEADER + 6, 0x5c, 32);
	assert_true(ask_secret());
	assert_non_null(memchr(tpm.response, 0x5c, TPM_BYTES));
	answer_bytes = 0;
	asked = 0;
	assert_false(tpm_wash(&tpm));
	assert_null(memchr(tpm.response, 0x5c, TPM_BYTES));
	assert_null(memchr(tpm.command, 0x5c, TPM_BYTES));
}

/* A command that does not fit is not sent. */
static void too_long_to_send(void **state)
{
	static uint8_t part[TPM_BYTES];
	struct tpm_object object = { { part, sizeof(part) }, { part, 2 }, { part, 2 },
		{ part, 8 } };
	uint32_t handle;

	prepare(2, 8);
	assert_false(tpm_load(&tpm, 1, &object, &handle));
	assert_int_equal(tpm.code, TPM_MALFORMED);
	assert_int_equal(asked, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(right_ones_pass),
	cmocka_unit_test(wrong_sizes_inside),
	cmocka_unit_test(wrong_headers),
	cmocka_unit_test(longer_than_there_is_room),
	cmocka_unit_test(codes_are_told),
	cmocka_unit_test(busy_ones_are_asked_again),
	cmocka_unit_test(another_selection),
	cmocka_unit_test(registers_in_a_row),
	cmocka_unit_test(washing_leaves_nothing),
	cmocka_unit_test(too_long_to_send),
};

UNIT_MAIN(tests)
