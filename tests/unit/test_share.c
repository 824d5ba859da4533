/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/share.c, monitor/partition.c: memory between the normal world and partitions (I1-I5, I8;
 * T08, T11, T15, T36, T38, T39, T44).
 */
#include "monitor/test/take.h"
#include "tests/unit/share.h"

/* ---- What each kind does ---- */

static void donated_frames_are_the_partitions_and_zero(void **state)
{
	mark(FREE, 0x41);
	use_everywhere(FREE);
	made(FRAME_PARTITION, 2);
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
	made(FRAME_LENT, 1);
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
	made(FRAME_SHARED, 1);
	expect_holding(FREE, FRAME_SHARED, partition);
	expect_bytes(FREE, 0x43);
	expect_normal(FREE);
	assert_int_equal(reaches(ACCESS_WRITE), FREE);
	assert_int_equal(host_dma_blocked(), 0);
}

static void no_kind_gives_more_rights_than_it_may(void **state)
{
	struct stage2 *map = partition_map(partition);

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		made(kinds[i], 1);
		spin_lock(map->lock);
		assert_int_equal(stage2_lookup(map, (gpa_t){ AT }).prot,
		    kinds[i] == FRAME_LENT ? S2_R : S2_R | S2_W);
		spin_unlock(map->lock);
		renew();
	}
}

/* ---- What is refused ---- */

static void expect_refused(const uint64_t *list, uint64_t count, enum redoubt_status status)
{
	assert_int_equal(make_list(FRAME_LENT, list, count), status);
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
	made(FRAME_PARTITION, PASS_MAX);
}

static void frames_of_others_are_refused(void **state)
{
	unsigned first = partition;

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		partition = first;
		made(kinds[i], 1);
		for (unsigned again = 0; again < COUNT(kinds); again++) {
			partition = partition_create();
			assert_int_equal(make_at(AT, kinds[again],
					     &(struct frame_set){ NULL, FREE - FRAME_SIZE, 2 }),
			    REDOUBT_RANGE);
			expect_holding(FREE - FRAME_SIZE, FRAME_NORMAL, 0);
		}
		assert_false(protect_take((spa_t){ FREE }, 1));
		assert_false(protect_give((spa_t){ FREE }, 1));
		partition = first;
		renew();
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
		assert_int_equal(make_at(rows[i].at, FRAME_LENT,
				     &(struct frame_set){ NULL, FREE, rows[i].pages }),
		    rows[i].status);
		if (rows[i].status == REDOUBT_OK)
			renew();
	}
}

static void nothing_is_put_over_something(void **state)
{
	struct frame_set frames = { NULL, FREE + 0x10000, 2 };

	made(FRAME_PARTITION, 1);
	assert_int_equal(make_at(AT - FRAME_SIZE, FRAME_LENT, &frames), REDOUBT_BUSY);
	assert_int_equal(reaches(ACCESS_WRITE), FREE);
	expect_holding(FREE + 0x10000, FRAME_NORMAL, 0);
}

static void partitions_that_do_not_exist_get_nothing(void **state)
{
	static const unsigned ids[] = { 0, 2, PARTITIONS, PARTITIONS + 1, 255, 256, ~0u };
	unsigned first = partition;

	for (unsigned i = 0; i < COUNT(ids); i++) {
		partition = ids[i];
		assert_int_equal(make_list(FRAME_LENT, (uint64_t[]){ FREE }, 1), REDOUBT_STATE);
	}
	partition = first;
	partition_kill(partition);
	assert_int_equal(make_list(FRAME_LENT, (uint64_t[]){ FREE }, 1), REDOUBT_STATE);
}

static void refused_by_devices_nothing_changes(void **state)
{
	mark(FREE, 0x44);
	for (unsigned i = 0; i < 2; i++) {
		host_refuse_dma_after(i);
		assert_int_equal(make_list(FRAME_PARTITION, (uint64_t[]){ FREE, FREE + 0x5000 }, 2),
		    REDOUBT_NO_RESOURCE);
		assert_int_equal(host_dma_blocked(), 0);
	}
	host_refuse_dma(false);
	expect_bytes(FREE, 0x44);
	expect_normal(FREE);
	expect_holding(FREE, FRAME_NORMAL, 0);
	assert_int_equal(reaches(ACCESS_READ), NO_FRAME);
}

static void tables_run_out_cleanly(void **state)
{
	enum redoubt_status status = REDOUBT_OK;
	unsigned given;
	unsigned i;

	for (i = 0; status == REDOUBT_OK; i++)
		status = make_at(i * LARGE_SIZE, FRAME_LENT,
		    &(struct frame_set){ NULL, FREE + i * FRAME_SIZE, 1 });
	given = i - 1;
	assert_int_equal(status, REDOUBT_NO_RESOURCE);
	assert_in_range(i, 128, MONITOR_PARTITION_TABLES);
	expect_holding(FREE + given * FRAME_SIZE, FRAME_NORMAL, 0);
	/* The tables that there are take more. */
	assert_int_equal(make_at(FRAME_SIZE, FRAME_LENT,
			     &(struct frame_set){ NULL, FREE + 0x300000, 511 }),
	    REDOUBT_OK);
	partition_kill(partition);
	for (i = 0; partition_bury(partition) == REDOUBT_BUSY; i++)
		assert_in_range(i, 0, given);
	expect_holding(FREE, FRAME_NORMAL, 0);
	expect_holding(FREE + 0x300000, FRAME_NORMAL, 0);
}

/* ---- Ending ---- */

static void what_leaves_a_partition_is_zero_unless_shared(void **state)
{
	static const uint8_t after[] = { 0, 0, 0x66 };

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		made(kinds[i], 3);
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			host_on(cpu);
			assert_int_equal(reaches(ACCESS_READ), FREE);
			if (kinds[i] != FRAME_SHARED)
				host_touch(FREE, ACCESS_READ);
		}
		host_on(0);
		mark(FREE, 0x66);
		renew();
		expect_bytes(FREE, after[i]);
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

	assert_int_equal(make_list(FRAME_PARTITION, list, COUNT(list)), REDOUBT_OK);
	for (unsigned i = 0; i < COUNT(list); i++) {
		expect_hidden(list[i]);
		assert_int_equal(host_touch_in(partition_map(partition), AT + i * FRAME_SIZE,
				     ACCESS_READ)
				     .spa,
		    list[i]);
	}
	expect_normal(FREE + 0x2000);
	renew();
	for (unsigned i = 0; i < COUNT(list); i++)
		expect_normal(list[i]);
	assert_int_equal(monitor_normal_stage2()->pool->available, before);
}

/* Each step gives back a row: pages that follow each other, frames that ascend, held alike. */
static void what_was_given_goes_back_row_by_row(void **state)
{
	static const struct {
		uint64_t page, frame, pages;
		enum frame_state as;
	} gifts[] = {
		{ 0, 0, 4, FRAME_SHARED },		 /* with the next one: a row */
		{ 4, 4, 4, FRAME_SHARED },		 /* held alike */
		{ 8, 8, 4, FRAME_PARTITION },		 /* held otherwise */
		{ 12, 0x400, 4, FRAME_PARTITION },	 /* not the same run of frames: a row yet */
		{ 16, 0x100, 4, FRAME_PARTITION },	 /* does not ascend */
		{ 21, 0x104, 4, FRAME_PARTITION },	 /* a gap */
		{ 0x1000, 0x900, PASS_MAX, FRAME_LENT }, /* the most */
		{ 0x1200, 0xffe00, PASS_MAX, FRAME_LENT },
	};
	static const unsigned steps[COUNT(gifts)] = { 1, 1, 2, 2, 3, 4, 5, 6 };

	for (unsigned i = 0; i < COUNT(gifts); i++)
		assert_int_equal(make_at(AT + gifts[i].page * FRAME_SIZE, gifts[i].as,
				     &(struct frame_set){ NULL, FREE + gifts[i].frame * FRAME_SIZE,
					 gifts[i].pages }),
		    REDOUBT_OK);
	assert_int_equal(partition_bury(partition), REDOUBT_STATE);
	partition_kill(partition);
	for (unsigned step = 1; step <= 6; step++) {
		assert_int_equal(partition_bury(partition), REDOUBT_BUSY);
		for (unsigned i = 0; i < COUNT(gifts); i++) {
			bool back = steps[i] <= step;
			uint64_t last = gifts[i].frame + gifts[i].pages - 1;

			expect_holding(FREE + last * FRAME_SIZE, back ? FRAME_NORMAL : gifts[i].as,
			    back ? 0 : partition);
		}
	}
	assert_int_equal(partition_bury(partition), REDOUBT_OK);
}

static void calls_do_not_take_frames_that_were_given(void **state)
{
	const struct guest_place place = { { FRAME_NORMAL, 0 }, { FREE } };
	uint8_t byte;

	for (unsigned i = 0; i < COUNT(kinds); i++) {
		made(kinds[i], 1);
		assert_false(guest_read_in(&place, &byte, 1));
		assert_false(guest_write_in(&place, &byte, 1));
		renew();
		assert_true(guest_read_in(&place, &byte, 1));
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
	TEST(tables_run_out_cleanly),
	TEST(what_leaves_a_partition_is_zero_unless_shared),
	TEST(scattered_frames_come_back_each_to_its_place),
	TEST(what_was_given_goes_back_row_by_row),
	TEST(calls_do_not_take_frames_that_were_given),
};

UNIT_MAIN(tests)
