/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/page_owner.c, monitor/guest_mem.c: who owns a frame (I1, I8), and touching the guest's
 * (I13, T38, T43).
 */
#include <pthread.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/guest_mem.h"
#include "monitor/page_owner.h"
#include "tests/unit/unit.h"

#define FREE_FRAME 0x200000ull

static int boot(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	return 0;
}

static struct frame *lock_frame(uint64_t at, enum frame_state state)
{
	return frame_lock((spa_t){ at }, (struct holding){ state, 0 });
}

static bool lock_frames(uint64_t at, uint64_t pages, enum frame_state state)
{
	return frames_lock(&(struct frame_set){ NULL, at, pages }, (struct holding){ state, 0 });
}

static void unlock_frames(uint64_t at, uint64_t pages)
{
	frames_unlock(&(struct frame_set){ NULL, at, pages });
}

static void pass_frames(uint64_t at, uint64_t pages, enum frame_state to)
{
	frames_pass(&(struct frame_set){ NULL, at, pages }, (struct holding){ to, 0 });
}

static void expect_state(uint64_t at, enum frame_state state)
{
	assert_int_equal(frame_state((spa_t){ at }), state);
}

static void every_frame_has_its_owner(void **state)
{
	const struct bootinfo *info = host_info();
	uint64_t region_end = info->region_base + info->region_pages * FRAME_SIZE;

	expect_state(0, FRAME_ABSENT);
	expect_state(0x1000, FRAME_NORMAL);
	expect_state(0x1fff, FRAME_NORMAL);
	expect_state(0x9efff, FRAME_NORMAL);
	expect_state(0x9f000, FRAME_ABSENT);
	expect_state(0xfffff, FRAME_ABSENT);
	expect_state(0x100000, FRAME_NORMAL);
	expect_state(info->record_base, FRAME_MONITOR);
	expect_state(info->record_base - 1, FRAME_NORMAL);
	expect_state(info->record_base + FRAME_SIZE, FRAME_NORMAL);
	expect_state(info->region_base - 1, FRAME_NORMAL);
	expect_state(info->region_base, FRAME_MONITOR);
	expect_state(region_end - 1, FRAME_MONITOR);
	expect_state(region_end, FRAME_NORMAL);
	expect_state(0xffffffff, FRAME_ABSENT);
	expect_state(0x100000000, FRAME_NORMAL);
	expect_state(0x100ffffff, FRAME_NORMAL);
	expect_state(0x101000000, FRAME_ABSENT);
	expect_state(~0ull, FRAME_ABSENT);
	assert_int_equal(page_owner_frames(), 0x9e + 0x2f00 + 0x1000);
}

static void lock_names_the_state_expected(void **state)
{
	struct frame *frame;

	assert_null(lock_frame(FREE_FRAME, FRAME_MONITOR));
	frame = lock_frame(FREE_FRAME, FRAME_NORMAL);
	assert_non_null(frame);
	frame_unlock(frame);
	assert_null(lock_frame(0xa0000, FRAME_NORMAL));
	assert_null(lock_frame(host_info()->region_base, FRAME_NORMAL));
}

static void unlock_twice(void *argument)
{
	struct frame *frame = lock_frame(FREE_FRAME, FRAME_NORMAL);

	frame_unlock(frame);
	frame_unlock(frame);
}

static void pass_unlocked(void *argument)
{
	pass_frames(FREE_FRAME, 1, FRAME_PARTITION);
}

static void pass_to_its_owner(void *argument)
{
	if (lock_frames(FREE_FRAME, 1, FRAME_NORMAL))
		pass_frames(FREE_FRAME, 1, FRAME_NORMAL);
}

static void misuse_is_a_check(void **state)
{
	assert_int_equal(host_end_of(unlock_twice, NULL).end, HOST_STOPPED);
	assert_int_equal(host_end_of(pass_unlocked, NULL).end, HOST_STOPPED);
	assert_int_equal(host_end_of(pass_to_its_owner, NULL).end, HOST_STOPPED);
}

static void many_are_locked_together_or_not_at_all(void **state)
{
	uint64_t record = host_info()->record_base;

	assert_true(lock_frames(FREE_FRAME, 32, FRAME_NORMAL));
	unlock_frames(FREE_FRAME, 32);
	assert_false(lock_frames(record - 4 * FRAME_SIZE, 8, FRAME_NORMAL));
	assert_false(lock_frames(0x9e000, 2, FRAME_NORMAL));
	assert_false(lock_frames(FREE_FRAME + 1, 1, FRAME_NORMAL));
	/* What was locked on the way has been unlocked. */
	assert_true(lock_frames(record - 4 * FRAME_SIZE, 4, FRAME_NORMAL));
	unlock_frames(record - 4 * FRAME_SIZE, 4);
}

static void frame_is_scrubbed_when_it_changes_hands(void **state)
{
	spa_t spa = { FREE_FRAME };
	uint8_t bytes[FRAME_SIZE];

	memset(bytes, 0xa5, sizeof(bytes));
	host_poke(spa.v + FRAME_SIZE, bytes, sizeof(bytes));
	assert_true(lock_frames(spa.v, 2, FRAME_NORMAL));
	pass_frames(spa.v, 2, FRAME_PARTITION);
	unlock_frames(spa.v, 2);
	expect_state(spa.v, FRAME_PARTITION);
	expect_state(spa.v + FRAME_SIZE, FRAME_PARTITION);
	expect_state(spa.v + 2 * FRAME_SIZE, FRAME_NORMAL);
	host_peek(spa.v + FRAME_SIZE, bytes, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
}

static void lock_names_the_partition_expected(void **state)
{
	struct frame_set set = { NULL, FREE_FRAME, 2 };
	struct holding lent = { FRAME_LENT, 3 };

	assert_true(frames_lock(&set, (struct holding){ FRAME_NORMAL, 0 }));
	frames_pass(&set, lent);
	frames_unlock(&set);
	assert_false(frames_lock(&set, (struct holding){ FRAME_LENT, 2 }));
	assert_false(frames_lock(&set, (struct holding){ FRAME_PARTITION, 3 }));
	assert_true(frames_lock(&set, lent));
	frames_unlock(&set);
	assert_true(frame_hidden((spa_t){ FREE_FRAME }));
}

/* Only the transitions of page_owner.h exist. */
static void pass_as_told(void *argument)
{
	const struct holding *pair = argument;
	struct frame_set set = { NULL, FREE_FRAME, 1 };

	if (pair[0].state == FRAME_MONITOR)
		set.base = host_info()->record_base;
	else if (pair[0].state != FRAME_NORMAL) {
		frames_lock(&set, (struct holding){ FRAME_NORMAL, 0 });
		frames_pass(&set, pair[0]);
		frames_unlock(&set);
	}
	frames_lock(&set, pair[0]);
	frames_pass(&set, pair[1]);
}

static void no_other_transition_exists(void **state)
{
	static const bool exists[FRAME_ABSENT][FRAME_ABSENT] = {
		[FRAME_NORMAL] = { false, false, true, true, true },
		[FRAME_PARTITION] = { true },
		[FRAME_LENT] = { true, false, false, false },
		[FRAME_SHARED] = { true },
	};

	for (unsigned from = 0; from < FRAME_ABSENT; from++)
		for (unsigned to = 0; to <= FRAME_ABSENT; to++) {
			struct holding pair[2] = { { (enum frame_state)from, from > 1 },
				{ (enum frame_state)to, to > 1 } };
			bool may = to < FRAME_ABSENT && exists[from][to];

			assert_int_equal(host_end_of(pass_as_told, pair).end,
			    may ? HOST_RETURNED : HOST_STOPPED);
		}
}

#define THREADS 4
#define TURNS	20000

static unsigned shared_count;

static void *count_under_lock(void *cpu)
{
	host_on((unsigned)(uintptr_t)cpu);
	for (unsigned i = 0; i < TURNS; i++) {
		struct frame *frame = lock_frame(FREE_FRAME, FRAME_NORMAL);

		shared_count++;
		frame_unlock(frame);
	}
	return NULL;
}

static void lock_excludes_other_cpus(void **state)
{
	struct host_machine machine = host_default();
	pthread_t threads[THREADS];

	machine.cpus = THREADS;
	host_boot(&machine);
	shared_count = 0;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_under_lock, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shared_count, THREADS * TURNS);
}

/* ---- guest_mem ---- */

static bool read_at(uint64_t at, void *to, size_t bytes)
{
	return guest_read_in(&(struct guest_place){ { FRAME_NORMAL, 0 }, { at } }, to, bytes);
}

static bool write_at(uint64_t at, const void *from, size_t bytes)
{
	return guest_write_in(&(struct guest_place){ { FRAME_NORMAL, 0 }, { at } }, from, bytes);
}

static void copies_want_the_callers_own(void **state)
{
	const uint64_t others[] = { host_info()->region_base, host_info()->record_base, 0xa0000,
		0xfee00000, ~0xfffull };
	uint8_t byte = 0;

	for (unsigned i = 0; i < COUNT(others); i++) {
		assert_false(read_at(others[i], &byte, 1));
		assert_false(write_at(others[i], &byte, 1));
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_true(read_at(0x1000, &byte, 1));
		assert_true(write_at(0x1000, &byte, 1));
	}
}

static void copies_touch_their_bytes_only(void **state)
{
	uint8_t bytes[FRAME_SIZE], seen[FRAME_SIZE];

	memset(bytes, 0x11, sizeof(bytes));
	host_poke(FREE_FRAME, bytes, sizeof(bytes));
	assert_true(write_at(FREE_FRAME + 4090, "abcdef", 6));
	assert_true(read_at(FREE_FRAME + 4088, seen, 8));
	assert_memory_equal(seen,
	    "\x11\x11"
	    "abcdef",
	    8);
	host_peek(FREE_FRAME, seen, sizeof(seen));
	assert_memory_equal(seen, bytes, 4090);
	assert_memory_equal(seen + 4090, "abcdef", 6);
}

static void no_copy_leaves_its_frame(void **state)
{
	uint8_t bytes[FRAME_SIZE + 1] = { 0 };

	assert_false(write_at(FREE_FRAME + 4090, bytes, 7));
	assert_false(read_at(FREE_FRAME + 4090, bytes, 7));
	assert_false(read_at(FREE_FRAME, bytes, sizeof(bytes)));
	assert_false(read_at(FREE_FRAME, bytes, ~(size_t)0));
	assert_true(read_at(FREE_FRAME, bytes, FRAME_SIZE));
	assert_true(read_at(FREE_FRAME + 4095, bytes, 1));
}

/* What was locked for a copy is unlocked again, done or refused. */
static void copies_leave_no_lock(void **state)
{
	uint8_t bytes[8] = { 0 };

	assert_true(write_at(FREE_FRAME, bytes, 8));
	assert_true(read_at(FREE_FRAME, bytes, 8));
	assert_false(read_at(FREE_FRAME + 4090, bytes, 8));
	assert_true(lock_frames(FREE_FRAME, 1, FRAME_NORMAL));
	unlock_frames(FREE_FRAME, 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(every_frame_has_its_owner, boot),
	cmocka_unit_test_setup(lock_names_the_state_expected, boot),
	cmocka_unit_test_setup(misuse_is_a_check, boot),
	cmocka_unit_test_setup(many_are_locked_together_or_not_at_all, boot),
	cmocka_unit_test_setup(frame_is_scrubbed_when_it_changes_hands, boot),
	cmocka_unit_test_setup(lock_names_the_partition_expected, boot),
	cmocka_unit_test_setup(no_other_transition_exists, boot),
	cmocka_unit_test(lock_excludes_other_cpus),
	cmocka_unit_test_setup(copies_want_the_callers_own, boot),
	cmocka_unit_test_setup(copies_touch_their_bytes_only, boot),
	cmocka_unit_test_setup(no_copy_leaves_its_frame, boot),
	cmocka_unit_test_setup(copies_leave_no_lock, boot),
};

UNIT_MAIN(tests)
