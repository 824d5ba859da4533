/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/share.c, monitor/partition.c: memory between the normal world and partitions (I1-I5, I8;
 * T08, T11, T15, T36, T38-T40, T44).
 */
#include "monitor/test/take.h"
#include "tests/unit/share.h"

/* ---- What each kind does ---- */

static void donated_frames_are_the_partitions_and_zero(void **state)
{
	mark(FREE, 0x41);
	use_everywhere(FREE);
	made(SHARE_DONATE, S2_R | S2_W, 2);
	expect_holding(FREE, FRAME_PARTITION, partition);
	expect_holding(FREE + FRAME_SIZE, FRAME_PARTITION, partition);
	expect_holding(FREE + 2 * FRAME_SIZE, FRAME_NORMAL, 0);
	expect_bytes(FREE, 0);
	expect_hidden(FREE);
	assert_int_equal(reaches(ACCESS_WRITE), FREE);
	assert_int_equal(reaches(ACCESS_FETCH), NO_FRAME);
	assert_int_equal(host_dma_blocked(), 2);
}

static void lent_frames_keep_their_bytes_and_are_hidden(void **state)
{
	mark(FREE, 0x42);
	use_everywhere(FREE);
	made(SHARE_LEND, S2_R, 1);
	expect_holding(FREE, FRAME_LENT, partition);
	expect_bytes(FREE, 0x42);
	expect_hidden(FREE);
	assert_int_equal(reaches(ACCESS_READ), FREE);
	assert_int_equal(reaches(ACCESS_READ | ACCESS_FETCH), NO_FRAME);
	assert_int_equal(reaches(ACCESS_WRITE), NO_FRAME);
	assert_int_equal(host_dma_blocked(), 1);
}

static void shared_frames_are_reached_by_both(void **state)
{
	mark(FREE, 0x43);
	use_everywhere(FREE);
	made(SHARE_SHARE, S2_R | S2_W, 1);
	expect_holding(FREE, FRAME_SHARED, partition);
	expect_bytes(FREE, 0x43);
	expect_normal(FREE);
	assert_int_equal(reaches(ACCESS_WRITE), FREE);
	assert_int_equal(host_dma_blocked(), 0);
}

static void no_kind_gives_more_rights_than_it_may(void **state)
{
	static const unsigned data[] = { S2_R, S2_R | S2_W };
	uint64_t handle = 7;

	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		for (unsigned prot = 0; prot < 40; prot++) {
			bool allowed = prot == data[0] || prot == data[1];
			enum redoubt_status status = make_list((enum share_kind)kind, prot,
			    (uint64_t[]){ FREE }, 1, &handle);

			assert_int_equal(status, allowed ? REDOUBT_OK : REDOUBT_INVALID);
			if (allowed)
				assert_int_equal(share_end(handle, partition), REDOUBT_OK);
		}
	}
	assert_int_equal(make_list(SHARE_KINDS, S2_R, (uint64_t[]){ FREE }, 1, &handle),
	    REDOUBT_INVALID);
}

/* ---- What is refused ---- */

static void expect_refused(const uint64_t *list, uint64_t count, enum redoubt_status status)
{
	uint64_t handle = 7;

	assert_int_equal(make_list(SHARE_LEND, S2_R, list, count, &handle), status);
	assert_int_equal(handle, 7);
	assert_int_equal(host_dma_blocked(), 0);
	assert_int_equal(reaches(ACCESS_READ), NO_FRAME);
}

static void lists_that_lie_are_refused(void **state)
{
	const struct bootinfo *info = host_info();
	static uint64_t many[PASS_MAX + 1];

	expect_refused((uint64_t[]){ FREE, FREE }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE + FRAME_SIZE, FREE }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE, FREE + FRAME_SIZE + 8 }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE + 1 }, 1, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE, info->region_base }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE, info->record_base }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ 0xa0000, FREE }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE, 0xfee00000 }, 2, REDOUBT_RANGE);
	expect_refused((uint64_t[]){ FREE, ~0xfffull }, 2, REDOUBT_RANGE);
	expect_refused(many, 0, REDOUBT_RANGE);
	for (unsigned i = 0; i < COUNT(many); i++)
		many[i] = FREE + i * FRAME_SIZE;
	expect_refused(many, COUNT(many), REDOUBT_RANGE);
	expect_refused(many, ~0ull, REDOUBT_RANGE);
	/* Nothing is locked after all these. */
	for (unsigned i = 0; i < PASS_MAX; i++)
		expect_holding(many[i], FRAME_NORMAL, 0);
	made(SHARE_DONATE, S2_R, PASS_MAX);
}

static void frames_of_others_are_refused(void **state)
{
	uint64_t handle;

	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		handle = made((enum share_kind)kind, S2_R, 1);
		for (unsigned again = 0; again < SHARE_KINDS; again++) {
			struct share_place place = { partition_create(), { AT }, S2_R };
			uint64_t other = 7;

			assert_int_equal(share_make((enum share_kind)again, &place,
					     &(struct frame_set){ NULL, FREE - FRAME_SIZE, 2 },
					     &other),
			    REDOUBT_RANGE);
			expect_holding(FREE - FRAME_SIZE, FRAME_NORMAL, 0);
		}
		assert_false(protect_take((spa_t){ FREE }, 1));
		assert_false(protect_give((spa_t){ FREE }, 1));
		assert_int_equal(share_end(handle, partition), REDOUBT_OK);
	}
}

static void places_are_checked(void **state)
{
	static const struct {
		uint64_t at;
		uint64_t pages;
		enum redoubt_status status;
	} rows[] = {
		{ 0, 1, REDOUBT_OK },
		{ PARTITION_SPACE - FRAME_SIZE, 1, REDOUBT_OK },
		{ PARTITION_SPACE - FRAME_SIZE, 2, REDOUBT_RANGE },
		{ PARTITION_SPACE, 1, REDOUBT_RANGE },
		{ ~0xfffull, 1, REDOUBT_RANGE },
		{ ~0xfffull, 2, REDOUBT_RANGE },
		{ AT + 8, 1, REDOUBT_RANGE },
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct share_place place = { partition, { rows[i].at }, S2_R };
		struct frame_set frames = { NULL, FREE, rows[i].pages };
		uint64_t handle;

		assert_int_equal(share_make(SHARE_LEND, &place, &frames, &handle), rows[i].status);
		if (rows[i].status == REDOUBT_OK)
			assert_int_equal(share_end(handle, partition), REDOUBT_OK);
	}
}

static void nothing_is_put_over_something(void **state)
{
	struct share_place over = { partition, { AT - FRAME_SIZE }, S2_R };
	struct frame_set frames = { NULL, FREE + 0x10000, 2 };
	uint64_t handle;

	made(SHARE_DONATE, S2_R | S2_W, 1);
	assert_int_equal(share_make(SHARE_LEND, &over, &frames, &handle), REDOUBT_BUSY);
	assert_int_equal(reaches(ACCESS_WRITE), FREE);
	expect_holding(FREE + 0x10000, FRAME_NORMAL, 0);
}

static void partitions_that_do_not_exist_get_nothing(void **state)
{
	static const unsigned ids[] = { 0, 2, PARTITIONS, PARTITIONS + 1, 255, 256, ~0u };
	struct frame_set frames = { NULL, FREE, 1 };
	uint64_t handle;

	for (unsigned i = 0; i < COUNT(ids); i++) {
		struct share_place place = { ids[i], { AT }, S2_R };

		assert_int_equal(share_make(SHARE_LEND, &place, &frames, &handle), REDOUBT_STATE);
	}
	partition_kill(partition);
	assert_int_equal(make_list(SHARE_LEND, S2_R, (uint64_t[]){ FREE }, 1, &handle),
	    REDOUBT_STATE);
}

static void refused_by_devices_nothing_changes(void **state)
{
	uint64_t handle = 7;

	mark(FREE, 0x44);
	for (unsigned i = 0; i < 2; i++) {
		host_refuse_dma_after(i);
		assert_int_equal(make_list(SHARE_DONATE, S2_R, (uint64_t[]){ FREE, FREE + 0x5000 },
				     2, &handle),
		    REDOUBT_NO_RESOURCE);
		assert_int_equal(host_dma_blocked(), 0);
	}
	host_refuse_dma(false);
	expect_bytes(FREE, 0x44);
	expect_normal(FREE);
	expect_holding(FREE, FRAME_NORMAL, 0);
	assert_int_equal(reaches(ACCESS_READ), NO_FRAME);
}

static void grants_and_tables_run_out_cleanly(void **state)
{
	struct share_place place = { partition, { 0 }, S2_R };
	enum redoubt_status status = REDOUBT_OK;
	uint64_t handle;
	unsigned i;

	/* A table each: they run out first. */
	for (i = 0; status == REDOUBT_OK; i++) {
		place.at.v = i * LARGE_SIZE;
		status = share_make(SHARE_LEND, &place,
		    &(struct frame_set){ NULL, FREE + i * FRAME_SIZE, 1 }, &handle);
	}
	assert_int_equal(status, REDOUBT_NO_RESOURCE);
	assert_in_range(i, 128, MONITOR_PARTITION_TABLES);
	/* Then grants, in the tables that there are. */
	for (i = 0; status != REDOUBT_OK || i == 0; i++)
		status = share_make(SHARE_LEND,
		    &(struct share_place){ partition, { FRAME_SIZE }, S2_R },
		    &(struct frame_set){ NULL, FREE + 0x300000, 1 }, &handle);
	for (i = 2; status == REDOUBT_OK; i++) {
		place.at.v = i * (uint64_t)FRAME_SIZE;
		status = share_make(SHARE_LEND, &place,
		    &(struct frame_set){ NULL, FREE + 0x300000 + i * FRAME_SIZE, 1 }, &handle);
	}
	assert_int_equal(status, REDOUBT_NO_RESOURCE);
	expect_holding(FREE + 0x300000 + (i - 1) * FRAME_SIZE, FRAME_NORMAL, 0);
	partition_kill(partition);
	for (i = 0; partition_bury(partition) == REDOUBT_BUSY; i++)
		assert_in_range(i, 0, SHARE_GRANTS);
	expect_holding(FREE, FRAME_NORMAL, 0);
}

/* ---- Ending ---- */

static void what_leaves_a_partition_is_zero_unless_shared(void **state)
{
	static const uint8_t after[SHARE_KINDS] = { 0, 0, 0x66 };

	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		uint64_t handle = made((enum share_kind)kind, S2_R | S2_W, 3);

		for (unsigned cpu = 0; cpu < 2; cpu++) {
			host_on(cpu);
			assert_int_equal(reaches(ACCESS_WRITE), FREE);
			if (kind != SHARE_SHARE)
				host_touch(FREE, ACCESS_READ);
		}
		host_on(0);
		mark(FREE, 0x66);
		assert_int_equal(share_end(handle, partition), REDOUBT_OK);
		expect_bytes(FREE, after[kind]);
		expect_holding(FREE, FRAME_NORMAL, 0);
		expect_normal(FREE);
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			host_on(cpu);
			assert_int_equal(reaches(ACCESS_READ), NO_FRAME);
		}
		host_on(0);
		assert_int_equal(host_dma_blocked(), 0);
	}
}

static void scattered_frames_come_back_each_to_its_place(void **state)
{
	static const uint64_t list[] = { 0x5000, FREE, FREE + 0x1000, FREE + 0x9000, 0x100000000,
		0x100004000 };
	size_t before = monitor_normal_stage2()->pool->available;
	uint64_t handle;

	assert_int_equal(make_list(SHARE_DONATE, S2_R, list, COUNT(list), &handle), REDOUBT_OK);
	for (unsigned i = 0; i < COUNT(list); i++) {
		expect_hidden(list[i]);
		assert_int_equal(host_touch_in(partition_map(partition), AT + i * FRAME_SIZE,
				     ACCESS_READ)
				     .spa,
		    list[i]);
	}
	expect_normal(FREE + 0x2000);
	assert_int_equal(share_end(handle, partition), REDOUBT_OK);
	for (unsigned i = 0; i < COUNT(list); i++)
		expect_normal(list[i]);
	assert_int_equal(monitor_normal_stage2()->pool->available, before);
}

static void only_who_may_ends_a_grant(void **state)
{
	uint64_t handle = made(SHARE_SHARE, S2_R, 1);

	assert_int_equal(share_end(handle, 0), REDOUBT_BUSY);
	assert_int_equal(share_end(handle, partition + 1), REDOUBT_STATE);
	assert_int_equal(reaches(ACCESS_READ), FREE);
	partition_kill(partition);
	assert_int_equal(share_end(handle, 0), REDOUBT_OK);
	expect_holding(FREE, FRAME_NORMAL, 0);
}

static void handles_are_never_used_again(void **state)
{
	uint64_t first = made(SHARE_LEND, S2_R, 1);
	uint64_t second;

	assert_int_equal(share_end(first, partition), REDOUBT_OK);
	assert_int_equal(share_end(first, partition), REDOUBT_STATE);
	second = made(SHARE_LEND, S2_R, 1);
	assert_int_not_equal(first, second);
	assert_int_equal(share_end(first, partition), REDOUBT_STATE);
	assert_int_equal(share_end(second ^ 0x8000, partition), REDOUBT_STATE);
	assert_int_equal(share_end(second + SHARE_GRANTS, partition), REDOUBT_STATE);
	assert_int_equal(share_end(second | 1ull << 60, partition), REDOUBT_STATE);
	assert_int_equal(share_end(~0ull, partition), REDOUBT_STATE);
	assert_int_equal(reaches(ACCESS_READ), FREE);
	assert_int_equal(share_end(second, partition), REDOUBT_OK);
}

static void a_referenced_frame_stays(void **state)
{
	uint64_t handle = made(SHARE_SHARE, S2_R, 2);
	struct frame *frame = frame_lock((spa_t){ FREE + FRAME_SIZE }, FRAME_SHARED);

	assert_true(frame_get(frame));
	frame_unlock(frame);
	assert_int_equal(share_end(handle, partition), REDOUBT_BUSY);
	assert_int_equal(reaches(ACCESS_READ), FREE);
	frame = frame_lock((spa_t){ FREE + FRAME_SIZE }, FRAME_SHARED);
	frame_put(frame);
	frame_unlock(frame);
	assert_int_equal(share_end(handle, partition), REDOUBT_OK);
}

static void calls_do_not_take_frames_that_were_given(void **state)
{
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		uint64_t handle = made((enum share_kind)kind, S2_R | S2_W, 1);
		struct guest_frame claim;

		assert_false(guest_claim((gpa_t){ FREE }, &claim));
		assert_int_equal(share_end(handle, partition), REDOUBT_OK);
	}
}

static const struct CMUnitTest tests[] = {
	TEST(donated_frames_are_the_partitions_and_zero),
	TEST(lent_frames_keep_their_bytes_and_are_hidden),
	TEST(shared_frames_are_reached_by_both),
	TEST(no_kind_gives_more_rights_than_it_may),
	TEST(lists_that_lie_are_refused),
	TEST(frames_of_others_are_refused),
	TEST(places_are_checked),
	TEST(nothing_is_put_over_something),
	TEST(partitions_that_do_not_exist_get_nothing),
	TEST(refused_by_devices_nothing_changes),
	TEST(grants_and_tables_run_out_cleanly),
	TEST(what_leaves_a_partition_is_zero_unless_shared),
	TEST(scattered_frames_come_back_each_to_its_place),
	TEST(only_who_may_ends_a_grant),
	TEST(handles_are_never_used_again),
	TEST(a_referenced_frame_stays),
	TEST(calls_do_not_take_frames_that_were_given),
};

UNIT_MAIN(tests)
