/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/protect.c, monitor/main.c: the normal world's map (I1, T11, T13,
 * T74).
 */
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/page_owner.h"
#include "monitor/protect.h"
#include "monitor/test/invariant.h"
#include "monitor/test/take.h"
#include "tests/unit/unit.h"

#define GIB(n) ((uint64_t)(n) << 30)
#define MIB(n) ((uint64_t)(n) << 20)
#define FREE   0x400000ull

static int boot(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	return 0;
}

static int boot_without_huge(void **state)
{
	struct host_machine machine = host_default();

	machine.huge = false;
	host_boot(&machine);
	return 0;
}

static struct stage2_leaf lookup(uint64_t gpa)
{
	struct stage2 *s2 = monitor_normal_stage2();
	struct stage2_leaf leaf;

	spin_lock(s2->lock);
	leaf = stage2_lookup(s2, (gpa_t){ gpa });
	spin_unlock(s2->lock);
	return leaf;
}

static int whole(void **state)
{
	struct invariant_report report = invariant_walk();
	uint64_t stale = 0;

	if (report.why)
		print_error("%s at %lx\n", report.why, (unsigned long)report.broken);
	assert_true(report.broken == NOTHING_BROKEN);
	assert_true(host_coherent(&stale));
	assert_false(spin_held(monitor_normal_stage2()->lock));
	return 0;
}

static void all_memory_and_devices_are_mapped_at_launch(void **state)
{
	static const uint64_t there[] = { 0, 0x9f000, 0xa0000, 0xfffff, FREE, 0x80000000,
		0xfee00000, 0x100000000, 0x101000000, 0x13fffffff };

	for (unsigned i = 0; i < COUNT(there); i++) {
		struct stage2_leaf leaf = lookup(there[i]);

		assert_true(leaf.present && leaf.spa.v == there[i]);
		assert_int_equal(leaf.prot, S2_RWX);
		assert_int_equal(host_touch(there[i], ACCESS_WRITE).exits, 0);
	}
	assert_true(lookup(GIB(5) - FRAME_SIZE).present);
	assert_false(lookup(GIB(5)).present);
	assert_true(host_touch(1ull << 48 | FREE, ACCESS_READ).faulted);
}

static void types_follow_the_guests(void **state)
{
	assert_int_equal(lookup(0x9ffff).type, S2_WB);
	assert_int_equal(lookup(0xa0000).type, S2_UC);
	assert_int_equal(lookup(0xbffff).type, S2_UC);
	assert_int_equal(lookup(0xc0000).type, S2_WB);
	assert_int_equal(lookup(0xc0000000).type, S2_UC);
	assert_int_equal(lookup(0xc0000000).shift, HUGE_SHIFT);
	assert_int_equal(lookup(0x100000000).type, S2_WB);
}

static void monitor_is_absent_at_launch(void **state)
{
	const struct bootinfo *info = host_info();
	uint64_t end = info->region_base + info->region_pages * FRAME_SIZE;

	for (uint64_t at = info->region_base; at < end; at += FRAME_SIZE)
		assert_false(lookup(at).present);
	assert_false(lookup(info->record_base).present);
	assert_true(lookup(info->region_base - 1).present);
	assert_true(lookup(end).present);
	assert_true(lookup(info->record_base - 1).present);
	assert_true(lookup(info->record_base + FRAME_SIZE).present);
}

static void reads_of_the_monitor_find_ones(void **state)
{
	const struct bootinfo *info = host_info();
	uint64_t before = audit_total(REDOUBT_AUDIT_MONITOR_READ);
	struct host_access first = host_touch(info->region_base + 0x5008, ACCESS_READ);
	uint8_t seen[FRAME_SIZE];

	assert_false(first.faulted);
	assert_int_equal(first.exits, 1);
	assert_int_equal(first.spa, protect_ones().v + 8);
	host_peek(first.spa & ~0xfffull, seen, sizeof(seen));
	for (unsigned i = 0; i < sizeof(seen); i++)
		assert_int_equal(seen[i], 0xff);
	/* One exit and one audited event for the whole 2 MiB. */
	for (uint64_t i = 0; i < info->region_pages && i < 512; i++)
		assert_int_equal(host_touch(info->region_base + i * FRAME_SIZE, ACCESS_READ).exits,
		    0);
	assert_int_equal(audit_total(REDOUBT_AUDIT_MONITOR_READ), before + 1);
	/* What is beside it in the same 2 MiB is memory as before. */
	assert_int_equal(host_touch(info->record_base, ACCESS_READ).exits, 1);
	assert_int_equal(host_touch(info->record_base - 8, ACCESS_READ).spa, info->record_base - 8);
	assert_int_equal(audit_total(REDOUBT_AUDIT_MONITOR_READ), before + 2);
}

static void refused(uint64_t gpa, unsigned access, unsigned event)
{
	uint64_t before = audit_total(event);
	struct stage2_leaf leaf = lookup(gpa);

	assert_true(host_touch(gpa, access).faulted);
	assert_int_equal(audit_total(event), before + 1);
	assert_int_equal(lookup(gpa).prot, leaf.prot);
}

static void writes_and_fetches_of_the_monitor_fault(void **state)
{
	uint64_t at = host_info()->region_base + 0x3000;

	for (unsigned i = 0; i < 2; i++) {
		refused(at, ACCESS_WRITE, REDOUBT_AUDIT_MONITOR_WRITE);
		refused(at, ACCESS_READ | ACCESS_WRITE, REDOUBT_AUDIT_MONITOR_WRITE);
		refused(at, ACCESS_FETCH, REDOUBT_AUDIT_MONITOR_FETCH);
		refused(at, ACCESS_READ | ACCESS_FETCH, REDOUBT_AUDIT_MONITOR_FETCH);
		refused(host_info()->record_base, ACCESS_WRITE, REDOUBT_AUDIT_MONITOR_WRITE);
		/* The second time with the frame of ones in place. */
		assert_false(host_touch(at, ACCESS_READ).faulted);
	}
}

static void another_cpu_was_faster(void **state)
{
	uint64_t at = host_info()->region_base;
	uint64_t before;

	host_touch(at, ACCESS_READ);
	before = audit_total(REDOUBT_AUDIT_MONITOR_READ);
	assert_int_equal(monitor_violation((gpa_t){ at }, ACCESS_READ, 0), VIOLATION_RETRY);
	assert_int_equal(monitor_violation((gpa_t){ FREE }, ACCESS_WRITE, 0), VIOLATION_RETRY);
	assert_int_equal(audit_total(REDOUBT_AUDIT_MONITOR_READ), before);
}

static void addresses_out_of_reach_fault(void **state)
{
	static const uint64_t there[] = { 1ull << 39, 1ull << 47, 1ull << 51, ~0ull };

	for (unsigned i = 0; i < COUNT(there); i++) {
		uint64_t before = audit_total(REDOUBT_AUDIT_OUTSIDE);

		assert_int_equal(monitor_violation((gpa_t){ there[i] }, ACCESS_READ, 0),
		    VIOLATION_FAULT);
		assert_int_equal(audit_total(REDOUBT_AUDIT_OUTSIDE), before + 1);
	}
	assert_int_equal(host_touch((1ull << 39) - 8, ACCESS_READ).exits, 1);
}

static void devices_above_memory_come_on_demand(void **state)
{
	assert_int_equal(host_touch(GIB(40) + 5, ACCESS_WRITE).exits, 1);
	assert_int_equal(lookup(GIB(40)).shift, HUGE_SHIFT);
	assert_int_equal(lookup(GIB(40)).type, S2_UC);
	assert_int_equal(host_touch(GIB(41) - 1, ACCESS_READ).exits, 0);
	assert_int_equal(host_touch(GIB(41), ACCESS_READ).exits, 1);
}

/* However many places a guest touches, no more tables are used; what memory may need stays. */
static void demand_is_bounded(void **state)
{
	struct stage2_pool *pool = monitor_normal_stage2()->pool;
	size_t before = pool->available;

	for (uint64_t gib = 5; gib < 512; gib++) {
		struct host_access access = host_touch(GIB(gib) + 0x1234, ACCESS_READ);

		assert_false(access.faulted);
		assert_int_equal(access.spa, GIB(gib) + 0x1234);
		assert_true(before - pool->available <= DEMAND_TABLES);
		if (gib % 16 == 0)
			whole(NULL);
	}
}

/* A bus's own addresses are never mapped, above memory or below. */
static int boot_withheld(void **state)
{
	struct host_machine machine = host_default();

	machine.withheld = (struct withheld){ GIB(40), GIB(42) };
	host_boot(&machine);
	return 0;
}

static int boot_withheld_low(void **state)
{
	struct host_machine machine = host_default();

	machine.withheld = (struct withheld){ GIB(3), GIB(5) };
	host_boot(&machine);
	return 0;
}

static void what_is_withheld_is_never_mapped(void **state)
{
	const struct withheld range = stage2_withheld();

	assert_true(host_touch(range.base, ACCESS_READ).faulted);
	assert_true(host_touch(range.base + GIB(1), ACCESS_WRITE).faulted);
	assert_true(host_touch(range.end - 8, ACCESS_FETCH).faulted);
	assert_false(host_touch(range.base - 8, ACCESS_READ).faulted);
	assert_false(host_touch(range.end, ACCESS_READ).faulted);
	whole(NULL);
}

static void whole_map_can_be_split_to_the_last_frame(void **state)
{
	struct stage2 *s2 = monitor_normal_stage2();
	const struct host_machine machine = host_default();

	for (uint64_t gib = 5; gib < 80; gib++)
		host_touch(GIB(gib), ACCESS_READ);
	spin_lock(s2->lock);
	for (unsigned i = 0; i < machine.range_count; i++)
		assert_true(stage2_prepare(s2, (gpa_t){ machine.ranges[i].base },
		    machine.ranges[i].pages, true));
	spin_unlock(s2->lock);
	for (uint64_t gib = 5; gib < 80; gib++)
		assert_false(host_touch(GIB(gib) + MIB(5), ACCESS_READ).faulted);
}

/* ---- Types ---- */

static enum s2_type by_frame(uint64_t at, uint64_t *until)
{
	*until = at + FRAME_SIZE;
	return at & FRAME_SIZE ? S2_WB : S2_WC;
}

/* As bad as MTRRs can make it: a type for each frame of one region, and an edge in 32 others. */
static enum s2_type many_edges(uint64_t at, uint64_t *until)
{
	const uint64_t first = 0x80001000, step = MIB(66);
	uint64_t edge = at < first ? 0 : (at - first) / step + 1;

	if (at < MIB(2))
		return by_frame(at, until);
	*until = edge < 32 ? first + edge * step : ~0xfffull;
	return edge < 32 && edge & 1 ? S2_WB : S2_WC;
}

/* The same, but for the one region, in regions that many_edges() leaves alone. */
static enum s2_type other_edges(uint64_t at, uint64_t *until)
{
	enum s2_type type = many_edges(at < MIB(2) ? at : at + MIB(33), until);

	if (at >= MIB(2) && *until < ~0xfffull)
		*until -= MIB(33);
	return type;
}

static enum s2_type all_uc(uint64_t at, uint64_t *until)
{
	*until = ~0xfffull;
	return S2_UC;
}

/* One boundary inside of usable memory, one inside of a device region. */
static enum s2_type two_edges(uint64_t at, uint64_t *until)
{
	*until = at < FREE + 0x5000 ? FREE + 0x5000 : at < 0x80003000 ? 0x80003000 : ~0xfffull;
	return at < FREE + 0x5000 ? S2_WB : at < 0x80003000 ? S2_WT : S2_WC;
}

static void retype(host_types *types)
{
	uint64_t flushes = host_flushes();

	host_set_types(types);
	monitor_retype();
	assert_true(host_flushes() > flushes);
	whole(NULL);
}

static void change_of_types_takes_effect_everywhere(void **state)
{
	host_on(1);
	host_touch(FREE + 0x4000, ACCESS_READ);
	host_touch(FREE + 0x5000, ACCESS_READ);
	host_on(0);
	retype(two_edges);
	assert_int_equal(lookup(FREE + 0x4fff).type, S2_WB);
	assert_int_equal(lookup(FREE + 0x5000).type, S2_WT);
	assert_int_equal(lookup(0x7fffffff).type, S2_WT);
	assert_int_equal(lookup(0x80002000).type, S2_WT);
	assert_int_equal(lookup(0x80003000).type, S2_WC);
	assert_int_equal(lookup(0x80200000).type, S2_WC);
	assert_int_equal(lookup(0x9f000).type, S2_WB);
}

static void types_changed_back_merge(void **state)
{
	struct stage2_pool *pool = monitor_normal_stage2()->pool;
	size_t before;

	retype(all_uc);
	before = pool->available;
	retype(two_edges);
	assert_true(pool->available < before);
	retype(all_uc);
	assert_int_equal(pool->available, before);
	assert_int_equal(lookup(0x80000000).shift, HUGE_SHIFT);
}

static void hostile_types_cost_no_more_than_was_reserved(void **state)
{
	struct stage2 *s2 = monitor_normal_stage2();
	const struct host_machine machine = host_default();

	spin_lock(s2->lock);
	for (unsigned i = 0; i < machine.range_count; i++)
		assert_true(stage2_prepare(s2, (gpa_t){ machine.ranges[i].base },
		    machine.ranges[i].pages, true));
	spin_unlock(s2->lock);
	for (uint64_t gib = 5; gib < 80; gib++)
		assert_false(host_touch(GIB(gib), ACCESS_READ).faulted);
	retype(many_edges);
	assert_int_equal(lookup(0x1000).type, S2_WB);
	assert_int_equal(lookup(0x2000).type, S2_WC);
	assert_int_not_equal(lookup(0x80000000).type, lookup(0x80001000).type);
	for (uint64_t gib = 5; gib < 80; gib++)
		assert_false(host_touch(GIB(gib), ACCESS_READ).faulted);
	/* All of them moved at once: the old splits are still there. */
	retype(other_edges);
	assert_int_not_equal(lookup(0x82100000).type, lookup(0x82101000).type);
	retype(many_edges);
	retype(all_uc);
}

static void demand_gets_the_new_types(void **state)
{
	host_touch(GIB(40), ACCESS_READ);
	host_set_types(by_frame);
	host_touch(GIB(50), ACCESS_READ);
	assert_int_equal(lookup(GIB(50)).shift, LARGE_SHIFT);
	assert_int_equal(lookup(GIB(50)).type, S2_UC);
	retype(NULL);
	assert_false(lookup(GIB(40)).present);
	assert_int_equal(host_touch(GIB(40), ACCESS_READ).exits, 1);
}

static enum s2_type not_a_type(uint64_t at, uint64_t *until)
{
	*until = at;
	return S2_WB;
}

static void ask_for_types(void *argument)
{
	host_set_types(not_a_type);
	monitor_retype();
}

static void types_that_do_not_advance_are_a_check(void **state)
{
	assert_int_equal(host_end_of(ask_for_types, NULL).end, HOST_STOPPED);
}

/* ---- Frames that change hands ---- */

static void expect_bytes(uint64_t spa, uint8_t value)
{
	uint8_t seen[FRAME_SIZE];

	host_peek(spa, seen, sizeof(seen));
	for (unsigned i = 0; i < sizeof(seen); i++)
		assert_int_equal(seen[i], value);
}

static void mark(uint64_t spa, uint8_t value)
{
	uint8_t bytes[FRAME_SIZE];

	memset(bytes, value, sizeof(bytes));
	host_poke(spa, bytes, sizeof(bytes));
}

static void taken_frames_are_out_of_reach_and_zero(void **state)
{
	uint64_t syncs = host_dma_syncs();

	mark(FREE + FRAME_SIZE, 0x99);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		host_on(cpu);
		assert_int_equal(host_touch(FREE + FRAME_SIZE, ACCESS_WRITE).exits, 0);
	}
	assert_true(protect_take((spa_t){ FREE }, 3));
	assert_int_equal(host_dma_syncs(), syncs + 1);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		host_on(cpu);
		assert_true(host_touch(FREE + FRAME_SIZE, ACCESS_WRITE).faulted);
		assert_int_equal(host_touch(FREE + FRAME_SIZE, ACCESS_READ).spa, protect_ones().v);
		assert_false(host_touch(FREE + 3 * FRAME_SIZE, ACCESS_WRITE).faulted);
		assert_false(host_touch(FREE - 8, ACCESS_WRITE).faulted);
	}
	expect_bytes(FREE + FRAME_SIZE, 0);
}

static void given_frames_come_back_zero(void **state)
{
	struct stage2_pool *pool = monitor_normal_stage2()->pool;
	size_t before = pool->available;

	assert_true(protect_take((spa_t){ FREE }, 512));
	host_on(1);
	assert_int_equal(host_touch(FREE + 0x7000, ACCESS_READ).spa, protect_ones().v);
	host_on(0);
	mark(FREE + 0x7000, 0x55);
	assert_true(protect_give((spa_t){ FREE }, 512));
	host_on(1);
	assert_int_equal(host_touch(FREE + 0x7000, ACCESS_WRITE).spa, FREE + 0x7000);
	expect_bytes(FREE + 0x7000, 0);
	assert_int_equal(lookup(FREE).shift, LARGE_SHIFT);
	assert_int_equal(pool->available, before);
}

/* The second showing of ones in a region leaves the first as it is: there is no flush. */
static void ones_once_shown_stay(void **state)
{
	uint64_t stale;

	assert_true(protect_take((spa_t){ FREE }, 1));
	host_touch(FREE, ACCESS_READ);
	retype(all_uc);
	host_on(1);
	host_touch(FREE, ACCESS_READ);
	host_on(0);
	assert_true(protect_take((spa_t){ FREE + FRAME_SIZE }, 1));
	host_on(1);
	host_touch(FREE, ACCESS_READ);
	host_on(0);
	assert_int_equal(host_touch(FREE + FRAME_SIZE, ACCESS_READ).exits, 1);
	assert_true(host_coherent(&stale));
}

static void only_the_normal_worlds_frames_are_taken(void **state)
{
	const struct bootinfo *info = host_info();

	assert_false(protect_take((spa_t){ info->region_base }, 1));
	assert_false(protect_take((spa_t){ info->record_base - FRAME_SIZE }, 2));
	assert_false(protect_take((spa_t){ 0xa0000 }, 1));
	assert_false(protect_take((spa_t){ 0x9e000 }, 2));
	assert_false(protect_take((spa_t){ FREE + 1 }, 1));
	assert_false(protect_take((spa_t){ FREE }, 0));
	assert_false(protect_take((spa_t){ FREE }, PASS_MAX + 1));
	assert_false(protect_take((spa_t){ FREE }, ~0ull));
	assert_false(protect_take((spa_t){ ~0xfffull }, 2));
	assert_true(protect_take((spa_t){ FREE }, 1));
	assert_false(protect_take((spa_t){ FREE }, 1));
	assert_false(protect_take((spa_t){ FREE - FRAME_SIZE }, 2));
	assert_int_equal(host_touch(FREE - FRAME_SIZE, ACCESS_WRITE).exits, 0);
}

static void only_taken_frames_are_given(void **state)
{
	const struct bootinfo *info = host_info();

	assert_false(protect_give((spa_t){ info->region_base }, 1));
	assert_false(protect_give((spa_t){ info->record_base }, 1));
	assert_false(protect_give((spa_t){ FREE }, 1));
	assert_false(protect_give((spa_t){ FREE }, 0));
	assert_true(protect_take((spa_t){ FREE }, 2));
	assert_false(protect_give((spa_t){ FREE }, 3));
	assert_true(protect_give((spa_t){ FREE }, 2));
}

static void refused_by_devices_nothing_changes(void **state)
{
	mark(FREE, 0x33);
	host_refuse_dma(true);
	assert_false(protect_take((spa_t){ FREE }, 2));
	host_refuse_dma(false);
	assert_int_equal(host_touch(FREE, ACCESS_WRITE).exits, 0);
	expect_bytes(FREE, 0x33);
	assert_true(protect_take((spa_t){ FREE }, 2));
}

/* ---- Start ---- */

static void region_too_small_is_refused(void **state)
{
	struct host_machine machine = host_default();
	uint64_t needed;

	host_build(&machine);
	needed = host_info()->region_pages;
	for (uint64_t pages = needed - 1; pages >= 17; pages = (pages + 16) / 2) {
		machine.region_pages = pages;
		host_build(&machine);
		assert_int_equal(monitor_init(host_info()), LAUNCH_BAD_REGION);
		if (pages == 17)
			break;
	}
	machine.region_pages = needed;
	host_build(&machine);
	assert_int_equal(monitor_init(host_info()), LAUNCH_OK);
}

static void memory_beyond_reach_is_refused(void **state)
{
	struct host_machine machine = host_default();

	machine.phys_bits = 32;
	host_build(&machine);
	assert_int_equal(monitor_init(host_info()), LAUNCH_BAD_REGION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, boot, whole)

static const struct CMUnitTest tests[] = {
	TEST(all_memory_and_devices_are_mapped_at_launch),
	TEST(types_follow_the_guests),
	TEST(monitor_is_absent_at_launch),
	TEST(reads_of_the_monitor_find_ones),
	TEST(writes_and_fetches_of_the_monitor_fault),
	TEST(another_cpu_was_faster),
	TEST(addresses_out_of_reach_fault),
	TEST(devices_above_memory_come_on_demand),
	TEST(demand_is_bounded),
	cmocka_unit_test_setup_teardown(what_is_withheld_is_never_mapped, boot_withheld, whole),
	cmocka_unit_test_setup_teardown(what_is_withheld_is_never_mapped, boot_withheld_low, whole),
	cmocka_unit_test_setup_teardown(demand_is_bounded, boot_without_huge, whole),
	TEST(whole_map_can_be_split_to_the_last_frame),
	cmocka_unit_test_setup_teardown(whole_map_can_be_split_to_the_last_frame, boot_without_huge,
	    whole),
	TEST(change_of_types_takes_effect_everywhere),
	TEST(types_changed_back_merge),
	TEST(hostile_types_cost_no_more_than_was_reserved),
	cmocka_unit_test_setup_teardown(hostile_types_cost_no_more_than_was_reserved,
	    boot_without_huge, whole),
	TEST(demand_gets_the_new_types),
	TEST(types_that_do_not_advance_are_a_check),
	TEST(taken_frames_are_out_of_reach_and_zero),
	TEST(given_frames_come_back_zero),
	TEST(ones_once_shown_stay),
	TEST(only_the_normal_worlds_frames_are_taken),
	TEST(only_taken_frames_are_given),
	TEST(refused_by_devices_nothing_changes),
	cmocka_unit_test(region_too_small_is_refused),
	cmocka_unit_test(memory_beyond_reach_is_refused),
};

UNIT_MAIN(tests)
