/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubt.ko's taking of packages, on a fake kernel and a partition that the test plays. */
#include "guest/linux/driver/args.h"
#include "guest/linux/driver/driver.h"
#include "monitor/abi/tpm_state.h"
#include "tests/unit/linux/fake.h"
#include "tests/unit/linux/played.h"
#include "tests/unit/unit.h"

#define GENERATION (1ull << 40)

/* The partition: what it has, will do and was asked. */
static struct {
	u64 status; /* of the request `failing` */
	unsigned int failing;
	u64 size; /* of the next package */
	bool made;
	void (*tamper)(unsigned int piece, u64 words[3]);
	unsigned int pieces, dropped;
} tpm;

static u8 mailbox[4096], package[REDOUBT_PACKAGE_BYTES], buffer[REDOUBT_PACKAGE_BYTES];

/* As monitor/abi/tpm_state.h has it: the second half of the page, and nothing in the first. */
static u64 put_piece(u64 offset)
{
	u64 bytes = tpm.size - offset < 2048 ? tpm.size - offset : 2048;

	if (!offset)
		tpm.made = true;
	if (!tpm.made || offset > tpm.size)
		return REDOUBT_INVALID;
	memcpy(mailbox + 2048, package + offset, bytes);
	if (!bytes) {
		tpm.made = false;
		tpm.dropped++;
	}
	played.answer[1] = bytes;
	played.answer[2] = tpm.size;
	played.answer[3] = GENERATION;
	if (tpm.tamper)
		tpm.tamper(tpm.pieces, played.answer + 1);
	return REDOUBT_OK;
}

uint64_t played_serve(uint64_t number, uint64_t offset)
{
	bool fails = tpm.status && tpm.pieces == tpm.failing;
	u64 status;

	assert_int_equal(number, 11);
	status = fails ? tpm.status : put_piece(offset);
	tpm.pieces++;
	return status;
}

static int fresh(void **unused)
{
	memset(&tpm, 0, sizeof(tpm));
	played_start();
	memset(&fake_kernel, 0, sizeof(fake_kernel));
	memset(mailbox, 0x99, sizeof(mailbox));
	memset(buffer, 0xee, sizeof(buffer));
	for (size_t i = 0; i < sizeof(package); i++)
		package[i] = (u8)(i * 7 + (i >> 8));
	tpm.size = 5000;
	fake_kernel.memory = mailbox;
	return 0;
}

static int take(u32 length, struct redoubt_ioc_package *arg)
{
	*arg = (struct redoubt_ioc_package){ .buffer = (uintptr_t)buffer, .length = length };
	return redoubt_ioc_package(arg);
}

/* Nothing is mapped or locked any more, and another one can be taken. */
static int gone(void **unused)
{
	struct redoubt_ioc_package arg;

	fresh(unused);
	return take(5000, &arg) || fake_kernel.mapped || fake_kernel.held;
}

static void package_is_taken_in_pieces(void **unused)
{
	static const u64 sizes[] = { 1, 2047, 2048, 2049, 4096, 40000, REDOUBT_PACKAGE_BYTES };
	struct redoubt_ioc_package arg;

	for (unsigned int i = 0; i < COUNT(sizes); i++) {
		memset(buffer, 0xee, sizeof(buffer));
		tpm.size = sizes[i];
		tpm.pieces = 0;
		assert_int_equal(take((u32)sizes[i], &arg), 0);
		assert_int_equal(arg.size, sizes[i]);
		assert_int_equal(arg.generation, GENERATION);
		assert_memory_equal(buffer, package, sizes[i]);
		assert_true(sizes[i] == sizeof(buffer) || buffer[sizes[i]] == 0xee);
		assert_int_equal(tpm.pieces, (sizes[i] + 2047) / 2048 + 1);
		assert_int_equal(tpm.dropped, i + 1);
	}
	assert_int_equal(fake_kernel.mapped_at, 0xfed46000);
	assert_int_equal(fake_kernel.mapped_bytes, 4096);
	for (unsigned int i = 0; i < 2048; i++)
		assert_int_equal(mailbox[i], 0x99);
}

static void requests_are_carried_through_whole(void **unused)
{
	struct redoubt_ioc_package arg;

	played.suspend = 100;
	played.busy = 3;
	fake_kernel.fatal_at = 1;
	assert_int_equal(take(5000, &arg), 0);
	assert_int_equal(played.resumes, 400);
	assert_int_equal(fake_kernel.rescheduled, 0);
	assert_int_equal(fake_kernel.naps, 3);
	assert_memory_equal(buffer, package, 5000);
}

static void without_a_tpm_there_is_none(void **unused)
{
	struct redoubt_ioc_package arg;

	played.there = 0;
	assert_int_equal(take(5000, &arg), -ENOENT);
	played.info_result = REDOUBT_UNKNOWN_CALL;
	assert_int_equal(take(5000, &arg), -ENOSYS);
	played.info_result = 0;
	played.there = PLAYED_NUMBER;
	fake_kernel.memory = NULL;
	assert_int_equal(take(5000, &arg), -ENOMEM);
	assert_int_equal(played.calls, 0);
}

static void refusals_have_their_errors(void **unused)
{
	static const struct {
		unsigned int piece;
		u64 status;
		int error;
	} cases[] = {
		{ 0, REDOUBT_UNKNOWN_CALL, -EOPNOTSUPP },
		{ 0, TPM_STATUS_OFF, -ENODATA },
		{ 1, TPM_STATUS_OFF, -ENODATA },
		{ 0, TPM_STATUS_NO_GUARDIAN, -ENOKEY },
		{ 0, REDOUBT_INVALID, -EPROTO },
		{ 1, REDOUBT_INVALID, -EAGAIN },
		{ 3, REDOUBT_INVALID, -EAGAIN },
		{ 0, TPM_STATUS_UNKNOWN, -EPROTO },
		{ 0, TPM_STATUS_LATE, -EPROTO },
	};
	struct redoubt_ioc_package arg;

	for (unsigned int i = 0; i < COUNT(cases); i++) {
		tpm.pieces = 0;
		tpm.failing = cases[i].piece;
		tpm.status = cases[i].status;
		assert_int_equal(take(5000, &arg), cases[i].error);
		assert_int_equal(tpm.pieces, cases[i].piece + 1);
		assert_int_equal(arg.size | arg.generation, 0);
	}
}

/* What is wrong with which piece. */
static unsigned int wrong_piece, wrong_word;
static u64 wrong_value;

static void put_wrong(unsigned int piece, u64 words[3])
{
	if (piece == wrong_piece)
		words[wrong_word] = wrong_value;
}

/* A package of 5000 bytes comes in pieces of 2048, 2048, 904 and none. */
static void answers_that_make_no_sense_are_refused(void **unused)
{
	static const struct {
		unsigned int piece, word;
		u64 value;
		int error;
	} cases[] = {
		{ 0, 0, 0, -EPROTO },
		{ 0, 0, 2049, -EPROTO },
		{ 0, 0, 1ull << 32, -EPROTO },
		{ 1, 0, 0, -EPROTO },
		{ 2, 0, 905, -EPROTO },
		{ 3, 0, 1, -EPROTO },
		{ 0, 1, 0, -EPROTO },
		{ 0, 1, 2047, -EPROTO },
		{ 0, 1, REDOUBT_PACKAGE_BYTES + 1, -EPROTO },
		{ 0, 1, 5000 | 1ull << 32, -EPROTO },
		{ 0, 1, 4999, -EAGAIN },
		{ 1, 1, 5001, -EAGAIN },
		{ 3, 1, 4999, -EAGAIN },
		{ 0, 2, 0, -EPROTO },
		{ 1, 2, GENERATION + 1, -EAGAIN },
		{ 3, 2, 0, -EAGAIN },
	};
	struct redoubt_ioc_package arg;

	tpm.tamper = put_wrong;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		wrong_piece = cases[i].piece;
		wrong_word = cases[i].word;
		wrong_value = cases[i].value;
		tpm.pieces = 0;
		assert_int_equal(take(REDOUBT_PACKAGE_BYTES, &arg), cases[i].error);
		assert_int_equal(arg.size | arg.generation, 0);
	}
	wrong_piece = 99;
	assert_int_equal(take(REDOUBT_PACKAGE_BYTES, &arg), 0);
}

static void takings_that_fail(void **unused)
{
	struct redoubt_ioc_package arg;

	assert_int_equal(take(4999, &arg), -EINVAL);
	assert_int_equal(buffer[0], 0xee);
	fake_kernel.bad_buffer = true;
	assert_int_equal(take(5000, &arg), -EFAULT);
	fake_kernel.bad_buffer = false;
	fake_kernel.lock_interrupted = true;
	assert_int_equal(take(5000, &arg), -EINTR);
	fake_kernel.lock_interrupted = false;
	played.busy = 100000;
	assert_int_equal(take(5000, &arg), -EBUSY);
	assert_int_equal(fake_kernel.slept, 60000);
	fake_kernel.signal_at = fake_kernel.naps + 2;
	assert_int_equal(take(5000, &arg), -EINTR);
	played.busy = 0;
	assert_int_equal(take(5000, &arg), 0);
	assert_int_equal(fake_kernel.mapped, 0);
}

static void arguments(void **unused)
{
	struct redoubt_ioc_package arg;

	assert_int_equal(take(0, &arg), -EINVAL);
	assert_int_equal(take(REDOUBT_PACKAGE_BYTES + 1, &arg), -EINVAL);
	assert_int_equal(played.calls, 0);
	assert_int_equal(take(REDOUBT_PACKAGE_BYTES, &arg), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

static const struct CMUnitTest tests[] = {
	TEST(package_is_taken_in_pieces),
	TEST(requests_are_carried_through_whole),
	TEST(without_a_tpm_there_is_none),
	TEST(refusals_have_their_errors),
	TEST(answers_that_make_no_sense_are_refused),
	TEST(takings_that_fail),
	TEST(arguments),
};

UNIT_MAIN(tests)
