/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubt.ko's keeper of the TPM's state, on a fake kernel and a partition that the test plays. */
#include "guest/linux/driver/args.h"
#include "guest/linux/driver/driver.h"
#include "monitor/abi/tpm_state.h"
#include "tests/unit/linux/fake.h"
#include "tests/unit/linux/played.h"
#include "tests/unit/unit.h"

/* The partition: what it has, will do and was asked. */
static struct {
	u64 status;	/* of each request, if not 0 */
	u64 generation; /* of the state that waits; 0: none */
	u64 slot, size;
	void (*tamper)(unsigned int piece, u64 words[3]);
	unsigned int pieces, told[2], kept;
} tpm;

static _Alignas(8) u8 mailbox[TPM_MAILBOX_PAGES * 4096];
static u8 state[TPM_SLOT_BYTES];
static u8 buffer[REDOUBT_STATE_BYTES];

static void set_word(void)
{
	memcpy(mailbox, &tpm.generation, sizeof(tpm.generation));
}

/* A state comes to wait. */
static void seal(u64 generation, u64 slot, u64 size)
{
	for (size_t i = 0; i < sizeof(state); i++)
		state[i] = (u8)(i * 7 + (i >> 8) + generation);
	tpm.generation = generation;
	tpm.slot = slot;
	tpm.size = size;
	set_word();
}

static u64 put_piece(u64 offset)
{
	u64 left = offset < tpm.size && tpm.generation ? tpm.size - offset : 0;
	u64 bytes = left < TPM_PIECE_BYTES ? left : TPM_PIECE_BYTES;

	if (bytes && offset + bytes <= sizeof(state))
		memcpy(mailbox + 4096, state + offset, bytes);
	played.answer[1] = bytes;
	played.answer[2] = tpm.slot | tpm.size << 32;
	played.answer[3] = tpm.generation;
	if (tpm.tamper)
		tpm.tamper(tpm.pieces, played.answer + 1);
	tpm.pieces++;
	return REDOUBT_OK;
}

uint64_t played_serve(uint64_t number, uint64_t argument)
{
	if (tpm.status)
		return tpm.status;
	switch (number) {
	case TPM_REQUEST_STATE_PIECE:
		return put_piece(argument);
	case TPM_REQUEST_STATE_KEPT:
		if (!tpm.generation || argument != tpm.generation)
			return TPM_STATUS_UNKNOWN;
		tpm.generation = 0;
		tpm.kept++;
		set_word();
		return REDOUBT_OK;
	case TPM_REQUEST_STORAGE:
		assert_in_range(argument, 0, 1);
		tpm.told[argument]++;
		return REDOUBT_OK;
	default:
		fail_msg("request %lu", (unsigned long)number);
		return REDOUBT_INVALID;
	}
}

/* Two open files. */
static struct redoubt_file files[2];

static int keep(unsigned int file, u32 on)
{
	struct redoubt_ioc_state_keep arg = { .on = on };

	return redoubt_ioc_state_keep(&files[file], &arg);
}

static int fresh(void **unused)
{
	memset(&tpm, 0, sizeof(tpm));
	played_start();
	memset(&fake_kernel, 0, sizeof(fake_kernel));
	memset(files, 0, sizeof(files));
	memset(buffer, 0xee, sizeof(buffer));
	fake_kernel.memory = mailbox;
	set_word();
	return 0;
}

static int keeping(void **unused)
{
	fresh(unused);
	assert_int_equal(keep(0, 1), 0);
	return 0;
}

/* Nothing is left of a keeper, and nobody has forgotten a lock or preemption. */
static int gone(void **unused)
{
	redoubt_state_release(&files[0]);
	redoubt_state_release(&files[1]);
	return fake_kernel.mapped || fake_kernel.held;
}

static void keeper_finds_the_partition_and_tells_it(void **unused)
{
	assert_int_equal(keep(0, 1), 0);
	assert_int_equal(fake_kernel.mapped_at, 0xfed46000);
	assert_int_equal(fake_kernel.mapped_bytes, 5 * 4096);
	assert_int_equal(tpm.told[1], 1);
	assert_int_equal(keep(0, 1), 0);
	assert_int_equal(tpm.told[1], 1);
	assert_int_equal(keep(0, 0), 0);
	assert_int_equal(tpm.told[0], 1);
	assert_int_equal(fake_kernel.mapped, 0);
	assert_int_equal(keep(0, 0), -EBADFD);
	assert_int_equal(played.calls, 2);
}

static void one_file_keeps_at_a_time(void **unused)
{
	assert_int_equal(keep(0, 1), 0);
	assert_int_equal(keep(1, 1), -EBUSY);
	assert_int_equal(keep(1, 0), -EBADFD);
	redoubt_state_release(&files[1]);
	assert_int_equal(tpm.told[0], 0);
	redoubt_state_release(&files[0]);
	assert_int_equal(tpm.told[0], 1);
	assert_int_equal(keep(1, 1), 0);
	assert_int_equal(tpm.told[1], 2);
}

static void without_a_tpm_there_is_no_keeper(void **unused)
{
	played.there = 0;
	assert_int_equal(keep(0, 1), -ENOENT);
	played.info_result = REDOUBT_UNKNOWN_CALL;
	assert_int_equal(keep(0, 1), -ENOSYS);
	assert_int_equal(played.calls, 0);
	played.info_result = 0;
	played.there = PLAYED_NUMBER;
	fake_kernel.memory = NULL;
	assert_int_equal(keep(0, 1), -ENOMEM);
	fake_kernel.memory = mailbox;
	tpm.status = REDOUBT_UNKNOWN_CALL;
	assert_int_equal(keep(0, 1), -EOPNOTSUPP);
	tpm.status = REDOUBT_INVALID;
	assert_int_equal(keep(0, 1), -EPROTO);
	tpm.status = TPM_STATUS_UNKNOWN;
	assert_int_equal(keep(0, 1), -EPROTO);
	assert_int_equal(fake_kernel.mapped, 0);
	assert_int_equal(keep(0, 0), -EBADFD);
}

static int wait_for(unsigned int file, u32 wait_ms, u64 *generation)
{
	struct redoubt_ioc_state_wait arg = { .wait_ms = wait_ms, .generation = 77 };
	int error = redoubt_ioc_state_wait(&files[file], &arg);

	*generation = arg.generation;
	return error;
}

static void seal_at_fourth(void)
{
	if (fake_kernel.naps == 4)
		seal(9, 0, 100);
}

static void wait_looks_in_memory(void **unused)
{
	unsigned int calls = played.calls;
	u64 generation;

	fake_kernel.on_nap = seal_at_fourth;
	assert_int_equal(wait_for(0, 1000, &generation), 0);
	assert_int_equal(generation, 9);
	assert_int_equal(fake_kernel.slept, 40);
	assert_int_equal(wait_for(0, 1000, &generation), 0);
	assert_int_equal(generation, 9);
	assert_int_equal(fake_kernel.naps, 4);
	assert_int_equal(played.calls, calls);
}

static void wait_gives_up_as_told(void **unused)
{
	u64 generation;

	assert_int_equal(wait_for(0, 25, &generation), 0);
	assert_int_equal(generation, 0);
	assert_int_equal(fake_kernel.slept, 25);
	assert_int_equal(fake_kernel.naps, 3);
	fake_kernel.signal_at = 5;
	assert_int_equal(wait_for(0, 1000, &generation), -EINTR);
	assert_int_equal(fake_kernel.naps, 5);
	files[0].nonblock = true;
	assert_int_equal(wait_for(0, 1000, &generation), 0);
	assert_int_equal(fake_kernel.naps, 5);
}

static void leave_at_second(void)
{
	if (fake_kernel.naps == 2)
		assert_int_equal(keep(0, 0), 0);
}

static void only_the_keeper_waits_takes_and_acknowledges(void **unused)
{
	struct redoubt_ioc_state_read read = { .buffer = (uintptr_t)buffer, .length = 4096 };
	struct redoubt_ioc_state_kept kept = { .generation = 9 };
	u64 generation;

	assert_int_equal(wait_for(1, 1000, &generation), -EBADFD);
	fake_kernel.on_nap = leave_at_second;
	assert_int_equal(wait_for(0, 1000, &generation), -EBADFD);
	assert_int_equal(fake_kernel.naps, 2);
	seal(9, 0, 100);
	assert_int_equal(redoubt_ioc_state_read(&files[0], &read), -EBADFD);
	assert_int_equal(redoubt_ioc_state_kept(&files[0], &kept), -EBADFD);
	assert_int_equal(tpm.pieces + tpm.kept, 0);
}

static int take(u32 length, struct redoubt_ioc_state_read *read)
{
	*read = (struct redoubt_ioc_state_read){ .buffer = (uintptr_t)buffer, .length = length };
	return redoubt_ioc_state_read(&files[0], read);
}

static void state_is_taken_in_pieces(void **unused)
{
	static const u64 sizes[] = { 1, TPM_PIECE_BYTES, TPM_PIECE_BYTES + 1, 40000,
		TPM_SLOT_BYTES };
	struct redoubt_ioc_state_read read;

	for (unsigned int i = 0; i < COUNT(sizes); i++) {
		memset(buffer, 0xee, sizeof(buffer));
		seal(1000 + i, i % 2, sizes[i]);
		tpm.pieces = 0;
		assert_int_equal(take((u32)sizes[i], &read), 0);
		assert_int_equal(read.size, sizes[i]);
		assert_int_equal(read.slot, i % 2);
		assert_int_equal(read.generation, 1000 + i);
		assert_memory_equal(buffer, state, sizes[i]);
		assert_true(sizes[i] == sizeof(buffer) || buffer[sizes[i]] == 0xee);
		assert_int_equal(tpm.pieces, (sizes[i] + TPM_PIECE_BYTES - 1) / TPM_PIECE_BYTES);
	}
}

static void requests_are_carried_through_whole(void **unused)
{
	struct redoubt_ioc_state_read read;

	seal(5, 1, 40000);
	played.suspend = 100;
	fake_kernel.fatal_at = 1;
	assert_int_equal(take(sizeof(buffer), &read), 0);
	assert_int_equal(played.resumes, 300);
	assert_int_equal(fake_kernel.rescheduled, 0);
	assert_memory_equal(buffer, state, 40000);
}

/* What is wrong with which piece. */
static unsigned int wrong_piece, wrong_word;
static u64 wrong_value;

static void put_wrong(unsigned int piece, u64 words[3])
{
	if (piece == wrong_piece)
		words[wrong_word] = wrong_value;
}

static void answers_that_make_no_sense_are_refused(void **unused)
{
	static const struct {
		unsigned int piece, word;
		u64 value;
		int error;
	} cases[] = {
		{ 0, 0, 0, -ENODATA },
		{ 0, 0, TPM_PIECE_BYTES + 1, -EPROTO },
		{ 2, 0, 40000 - 2 * TPM_PIECE_BYTES + 1, -EPROTO },
		{ 1, 0, 0, -EAGAIN },
		{ 0, 1, 2 | 40000ull << 32, -EPROTO },
		{ 0, 1, (TPM_SLOT_BYTES + 1ull) << 32, -EPROTO },
		{ 0, 1, 1, -EPROTO },
		{ 1, 1, 40000ull << 32, -EPROTO },
		{ 2, 1, 1 | 40001ull << 32, -EPROTO },
		{ 0, 2, 0, -EPROTO },
		{ 1, 2, 6, -EAGAIN },
		{ 2, 2, 0, -EAGAIN },
	};
	struct redoubt_ioc_state_read read;

	seal(5, 1, 40000);
	tpm.tamper = put_wrong;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		tpm.pieces = 0;
		wrong_piece = cases[i].piece;
		wrong_word = cases[i].word;
		wrong_value = cases[i].value;
		assert_int_equal(take(sizeof(buffer), &read), cases[i].error);
		assert_int_equal(tpm.pieces, wrong_piece + 1);
		assert_int_equal(read.generation, 0);
	}
	wrong_piece = 99;
	assert_int_equal(take(sizeof(buffer), &read), 0);
}

static void reads_that_fail(void **unused)
{
	struct redoubt_ioc_state_read read;

	assert_int_equal(take(sizeof(buffer), &read), -ENODATA);
	seal(5, 1, 40000);
	assert_int_equal(take(39999, &read), -EINVAL);
	assert_int_equal(buffer[0], 0xee);
	fake_kernel.bad_buffer = true;
	assert_int_equal(take(40000, &read), -EFAULT);
	fake_kernel.bad_buffer = false;
	tpm.status = TPM_STATUS_UNKNOWN;
	assert_int_equal(take(40000, &read), -EPROTO);
	tpm.status = 0;
	fake_kernel.lock_interrupted = true;
	assert_int_equal(take(40000, &read), -EINTR);
	fake_kernel.lock_interrupted = false;
	assert_int_equal(take(40000, &read), 0);
}

static int say_kept(u64 generation)
{
	struct redoubt_ioc_state_kept kept = { .generation = generation };

	return redoubt_ioc_state_kept(&files[0], &kept);
}

static void kept_names_the_generation(void **unused)
{
	u64 generation;

	assert_int_equal(say_kept(1ull << 40), -ESTALE);
	seal(1ull << 40, 0, 100);
	assert_int_equal(say_kept((1ull << 40) + 1), -ESTALE);
	assert_int_equal(tpm.kept, 0);
	assert_int_equal(say_kept(1ull << 40), 0);
	assert_int_equal(tpm.kept, 1);
	assert_int_equal(wait_for(0, 0, &generation), 0);
	assert_int_equal(generation, 0);
}

static void busy_tpm_is_asked_again_for_a_minute(void **unused)
{
	static const unsigned int naps[] = { 1, 2, 4, 8, 16, 16 };

	seal(5, 0, 100);
	played.busy = 6;
	assert_int_equal(say_kept(5), 0);
	assert_int_equal(fake_kernel.naps, 6);
	assert_memory_equal(fake_kernel.nap, naps, sizeof(naps));
	seal(6, 0, 100);
	played.busy = 100000;
	assert_int_equal(say_kept(6), -EBUSY);
	assert_int_equal(fake_kernel.slept, 47 + 60000);
	fake_kernel.signal_at = fake_kernel.naps + 2;
	assert_int_equal(say_kept(6), -EINTR);
	played.busy = 3;
	fake_kernel.signal_at = fake_kernel.naps + 1;
	redoubt_state_release(&files[0]);
	assert_int_equal(tpm.told[0], 1);
}

static void keeper_does_not_leave_what_waits(void **unused)
{
	seal(5, 0, 100);
	assert_int_equal(keep(0, 0), -EAGAIN);
	assert_int_equal(tpm.told[0], 1);
	assert_int_equal(tpm.told[1], 2);
	assert_int_equal(say_kept(5), 0);
	assert_int_equal(keep(0, 0), 0);
	assert_int_equal(tpm.told[0], 2);
	assert_int_equal(keep(0, 1), 0);
	seal(6, 0, 100);
	redoubt_state_release(&files[0]);
	assert_int_equal(tpm.told[0], 3);
	assert_int_equal(tpm.told[1], 3);
	assert_int_equal(fake_kernel.mapped, 0);
}

static void keeper_of_a_dead_tpm_leaves(void **unused)
{
	seal(5, 0, 100);
	tpm.status = REDOUBT_INVALID;
	assert_int_equal(keep(0, 0), 0);
	assert_int_equal(fake_kernel.mapped, 0);
}

static void arguments(void **unused)
{
	struct redoubt_ioc_state_keep on = { .on = 2 };
	struct redoubt_ioc_state_wait wait = { .wait_ms = REDOUBT_WAIT_MAX + 1 };
	struct redoubt_ioc_state_read read;
	unsigned int calls = played.calls;

	seal(5, 0, 100);
	assert_int_equal(redoubt_ioc_state_keep(&files[0], &on), -EINVAL);
	on = (struct redoubt_ioc_state_keep){ .on = 0, .reserved = 1 };
	assert_int_equal(redoubt_ioc_state_keep(&files[0], &on), -EINVAL);
	assert_int_equal(redoubt_ioc_state_wait(&files[0], &wait), -EINVAL);
	wait = (struct redoubt_ioc_state_wait){ .reserved = 1 };
	assert_int_equal(redoubt_ioc_state_wait(&files[0], &wait), -EINVAL);
	assert_int_equal(take(0, &read), -EINVAL);
	assert_int_equal(take(REDOUBT_STATE_BYTES + 1, &read), -EINVAL);
	read = (struct redoubt_ioc_state_read){ .length = 1, .reserved = 1 };
	assert_int_equal(redoubt_ioc_state_read(&files[0], &read), -EINVAL);
	assert_int_equal(played.calls, calls);
	wait = (struct redoubt_ioc_state_wait){ .wait_ms = REDOUBT_WAIT_MAX };
	assert_int_equal(redoubt_ioc_state_wait(&files[0], &wait), 0);
	assert_int_equal(take(REDOUBT_STATE_BYTES, &read), 0);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, gone)

static const struct CMUnitTest tests[] = {
	TEST(keeper_finds_the_partition_and_tells_it, fresh),
	TEST(one_file_keeps_at_a_time, fresh),
	TEST(without_a_tpm_there_is_no_keeper, fresh),
	TEST(wait_looks_in_memory, keeping),
	TEST(wait_gives_up_as_told, keeping),
	TEST(only_the_keeper_waits_takes_and_acknowledges, keeping),
	TEST(state_is_taken_in_pieces, keeping),
	TEST(requests_are_carried_through_whole, keeping),
	TEST(answers_that_make_no_sense_are_refused, keeping),
	TEST(reads_that_fail, keeping),
	TEST(kept_names_the_generation, keeping),
	TEST(busy_tpm_is_asked_again_for_a_minute, keeping),
	TEST(keeper_does_not_leave_what_waits, keeping),
	TEST(keeper_of_a_dead_tpm_leaves, keeping),
	TEST(arguments, keeping),
};

UNIT_MAIN(tests)
