/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/partition.c, and what monitor/share.c does for it: the end of a partition (I8; T15,
 * T44).
 */
#include "tests/unit/share.h"

static void a_dead_partitions_memory_goes_back(void **state)
{
	size_t tables = partition_map(partition)->pool->available;
	unsigned steps = 0;

	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(make_at(i * LARGE_SIZE, kinds[i % COUNT(kinds)],
				     &(struct frame_set){ NULL, FREE + i * 0x4000ull, 3 }),
		    REDOUBT_OK);
		mark(FREE + i * 0x4000ull, 0x99);
	}
	assert_int_equal(partition_bury(partition), REDOUBT_STATE);
	partition_kill(partition);
	while (partition_bury(partition) == REDOUBT_BUSY)
		assert_in_range(++steps, 1, 9);
	assert_int_equal(steps, 9);
	for (unsigned i = 0; i < 9; i++) {
		expect_normal(FREE + i * 0x4000ull);
		expect_bytes(FREE + i * 0x4000ull,
		    kinds[i % COUNT(kinds)] == FRAME_SHARED ? 0x99 : 0);
	}
	assert_int_equal(partition_map(partition)->pool->available, tables);
	assert_int_equal(partition_state(partition), PARTITION_FREE);
	assert_int_equal(partition_create(), partition);
}

static void there_are_as_many_partitions_as_ids(void **state)
{
	for (unsigned i = 2; i <= PARTITIONS; i++)
		assert_int_equal(partition_create(), i);
	assert_int_equal(partition_create(), 0);
	assert_int_equal(partition_bury(5), REDOUBT_STATE);
	partition_kill(0);
	partition_kill(PARTITIONS + 1);
	for (unsigned i = 1; i <= PARTITIONS; i++)
		assert_int_equal(partition_state(i), PARTITION_BUILDING);
	partition_kill(5);
	assert_int_equal(partition_bury(5), REDOUBT_OK);
	assert_int_equal(partition_bury(5), REDOUBT_STATE);
	assert_int_equal(partition_bury(0), REDOUBT_STATE);
	assert_int_equal(partition_bury(~0u), REDOUBT_STATE);
	assert_int_equal(partition_create(), 5);
}

/* What is refused leaves no table behind, and what ends none (T44). */
static void tables_come_back_at_once(void **state)
{
	size_t tables = partition_map(partition)->pool->available;

	for (unsigned i = 0; i < 600; i++) {
		uint64_t at = i * LARGE_SIZE;

		assert_int_equal(make_at(at, FRAME_LENT,
				     &(struct frame_set){ NULL, host_info()->region_base, 1 }),
		    REDOUBT_RANGE);
		assert_int_equal(make_at(at, FRAME_LENT, &(struct frame_set){ NULL, FREE, 1 }),
		    REDOUBT_OK);
		renew();
		assert_int_equal(partition_map(partition)->pool->available, tables);
	}
}

static void take_apart_unlocked(void *argument)
{
	share_take_apart(partition);
}

static void taking_apart_wants_the_lock(void **state)
{
	assert_int_equal(host_end_of(take_apart_unlocked, NULL).end, HOST_STOPPED);
}

static const struct CMUnitTest tests[] = {
	TEST(a_dead_partitions_memory_goes_back),
	TEST(there_are_as_many_partitions_as_ids),
	TEST(tables_come_back_at_once),
	TEST(taking_apart_wants_the_lock),
};

UNIT_MAIN(tests)
