/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the tests of memory between the normal world and partitions share: a machine with one
 * partition, and how its memory looks from both sides.
 */
#ifndef TESTS_UNIT_SHARE_H
#define TESTS_UNIT_SHARE_H

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/guest_mem.h"
#include "monitor/partition.h"
#include "monitor/protect.h"
#include "monitor/share.h"
#include "monitor/test/invariant.h"
#include "tests/unit/unit.h"

#define FREE	 0x200000ull
#define AT	 0x40000000ull
#define NO_FRAME (~0ull)
#define BURY_MAX 1024u /* steps that any of these partitions takes to go back */

/* How a partition can have frames. */
static __attribute__((unused))
const enum frame_state kinds[] = { FRAME_PARTITION, FRAME_LENT, FRAME_SHARED };

static unsigned partition;

static __attribute__((unused)) int boot(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	partition = partition_create();
	return partition == 0;
}

static __attribute__((unused)) int sound(void **state)
{
	struct invariant_report report = invariant_walk();
	uint64_t stale;
	bool sound = report.broken == NOTHING_BROKEN && host_coherent(&stale) &&
	    !spin_held(monitor_normal_stage2()->lock);

	if (report.broken != NOTHING_BROKEN)
		print_error("%s at %llx\n", report.why, (unsigned long long)report.broken);
	for (unsigned id = 1; id <= PARTITIONS; id++) {
		partition_kill(id);
		for (unsigned i = 0; i <= BURY_MAX && partition_state(id) != PARTITION_FREE; i++)
			partition_bury(id);
	}
	return !sound;
}

static __attribute__((unused)) enum redoubt_status make_at(uint64_t at, enum frame_state as,
    const struct frame_set *frames)
{
	struct guest_place place = { { as, partition }, { at } };

	return share_make(&place, frames);
}

static __attribute__((unused)) enum redoubt_status make_list(enum frame_state as,
    const uint64_t *list, uint64_t count)
{
	return make_at(AT, as, &(struct frame_set){ list, 0, count });
}

/* Frames from FREE on, at AT. */
static __attribute__((unused)) void made(enum frame_state as, uint64_t pages)
{
	assert_int_equal(make_at(AT, as, &(struct frame_set){ NULL, FREE, pages }), REDOUBT_OK);
}

/* What the partition has goes back, and there is a new one of this number. */
static __attribute__((unused)) void renew(void)
{
	assert_int_equal(partition_kill(partition), REDOUBT_OK);
	for (unsigned i = 0; partition_bury(partition) != REDOUBT_OK; i++)
		assert_in_range(i, 0, BURY_MAX);
	assert_int_equal(partition_create(), partition);
}

static __attribute__((unused)) void mark(uint64_t spa, uint8_t value)
{
	uint8_t bytes[FRAME_SIZE];

	memset(bytes, value, sizeof(bytes));
	host_poke(spa, bytes, sizeof(bytes));
}

static __attribute__((unused)) void expect_bytes(uint64_t spa, uint8_t value)
{
	uint8_t bytes[FRAME_SIZE];

	host_peek(spa, bytes, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], value);
}

static __attribute__((unused)) void expect_holding(uint64_t spa, enum frame_state state,
    unsigned holder)
{
	assert_int_equal(frame_holding((spa_t){ spa }).state, state);
	assert_int_equal(frame_holding((spa_t){ spa }).partition, holder);
}

/* What the partition reaches at AT: the frame, or NO_FRAME. */
static __attribute__((unused)) uint64_t reaches(unsigned access)
{
	struct host_access result = host_touch_in(partition_map(partition), AT, access);

	return result.faulted ? NO_FRAME : result.spa;
}

/* The normal world on every CPU finds ones, and cannot write or execute. */
static __attribute__((unused)) void expect_hidden(uint64_t spa)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		host_on(cpu);
		assert_true(host_touch(spa, ACCESS_WRITE).faulted);
		assert_true(host_touch(spa, ACCESS_FETCH).faulted);
		assert_int_equal(host_touch(spa, ACCESS_READ).spa, protect_ones().v);
	}
	host_on(0);
}

static __attribute__((unused)) void expect_normal(uint64_t spa)
{
	for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
		host_on(cpu);
		assert_int_equal(host_touch(spa, ACCESS_WRITE).spa, spa);
		assert_int_equal(host_touch(spa, ACCESS_FETCH).spa, spa);
	}
	host_on(0);
}

/* Every CPU of the normal world has it in use. */
static __attribute__((unused)) void use_everywhere(uint64_t spa)
{
	expect_normal(spa);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, sound)

#endif
