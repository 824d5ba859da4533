/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * arch/x86/stage2.c with the EPT format: prepare, commit, merge, and the pool. tests/model holds it
 * against a model.
 */
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/host.h"
#include "arch/stage2.h"
#include "arch/stage2_format.h"
#include "arch/upcall.h"
#include "monitor/test/invariant.h"
#include "tests/unit/unit.h"

#define POOL	      40u
#define GIB(n)	      ((uint64_t)(n) << 30)
#define MIB(n)	      ((uint64_t)(n) << 20)
#define FRAMES(bytes) ((bytes) / FRAME_SIZE)
#define RWX_WB	      ((struct stage2_attr){ S2_RWX, S2_WB })

static struct spinlock lock = { .rank = LOCK_MAP };
static struct stage2 s2;
static struct stage2_pool pool;

static int build_on(bool huge, bool mbec)
{
	struct host_machine machine = host_default();

	machine.huge = huge;
	machine.mbec = mbec;
	host_build(&machine);
	stage2_pool_init(&pool, region_alloc(POOL), POOL);
	if (spin_held(&lock))
		spin_unlock(&lock);
	assert_true(stage2_init(&s2, &pool, &lock));
	spin_lock(&lock);
	return 0;
}

static int build(void **state)
{
	return build_on(true, true);
}

static int build_plain(void **state)
{
	return build_on(false, false);
}

static void map(uint64_t gpa, uint64_t bytes)
{
	assert_true(stage2_prepare(&s2, (gpa_t){ gpa }, FRAMES(bytes), false));
	stage2_map(&s2, (gpa_t){ gpa }, (spa_t){ gpa }, FRAMES(bytes), RWX_WB);
}

static void expect(uint64_t gpa, unsigned shift, unsigned prot)
{
	struct stage2_leaf leaf = stage2_lookup(&s2, (gpa_t){ gpa });

	assert_int_equal(leaf.present, prot != 0);
	assert_int_equal(leaf.shift, shift);
	assert_int_equal(leaf.prot, prot);
	if (prot)
		assert_int_equal(leaf.spa.v, gpa);
}

static void empty_table_maps_nothing(void **state)
{
	expect(0, 39, 0);
	expect((1ull << 48) - 1, 39, 0);
	assert_int_equal(pool.available, POOL - 1);
}

static void largest_pages_are_used(void **state)
{
	map(MIB(1022), GIB(1) + MIB(4) + FRAME_SIZE);
	expect(MIB(1020), LARGE_SHIFT, 0);
	expect(MIB(1022), LARGE_SHIFT, S2_RWX);
	expect(GIB(1) + 12345, HUGE_SHIFT, S2_RWX);
	expect(GIB(2), LARGE_SHIFT, S2_RWX);
	expect(GIB(2) + MIB(2), FRAME_SHIFT, S2_RWX);
	expect(GIB(2) + MIB(2) + FRAME_SIZE, FRAME_SHIFT, 0);
	/* Root, one PDPT, two PDs, one PT. */
	assert_int_equal(pool.available, POOL - 5);
}

static void no_huge_pages_where_there_are_none(void **state)
{
	map(0, GIB(2));
	expect(GIB(1), LARGE_SHIFT, S2_RWX);
	assert_int_equal(pool.available, POOL - 4);
}

static void split_translates_the_same(void **state)
{
	map(0, GIB(1));
	stage2_retype(&s2, (gpa_t){ 0 }, FRAMES(GIB(1)), S2_WC);
	stage2_protect(&s2, (gpa_t){ 0 }, FRAMES(GIB(1)), S2_R | S2_KX);
	assert_true(stage2_prepare(&s2, (gpa_t){ MIB(6) + FRAME_SIZE }, 1, false));
	for (uint64_t gpa = 0; gpa < GIB(1); gpa += FRAME_SIZE) {
		struct stage2_leaf leaf = stage2_lookup(&s2, (gpa_t){ gpa });

		assert_true(leaf.spa.v == gpa && leaf.type == S2_WC);
		assert_int_equal(leaf.prot, S2_R | S2_KX);
	}
	expect(MIB(6), FRAME_SHIFT, S2_R | S2_KX);
	expect(MIB(8), LARGE_SHIFT, S2_R | S2_KX);
}

static void small_means_4_kib_everywhere(void **state)
{
	map(0, MIB(2));
	assert_true(stage2_prepare(&s2, (gpa_t){ 0 }, 1024, true));
	expect(0, FRAME_SHIFT, S2_RWX);
	expect(MIB(2) + FRAME_SIZE, FRAME_SHIFT, 0);
	stage2_map(&s2, (gpa_t){ MIB(2) }, (spa_t){ 0x5000 }, 1,
	    (struct stage2_attr){ S2_R, S2_UC });
	assert_int_equal(stage2_lookup(&s2, (gpa_t){ MIB(2) + 5 }).spa.v, 0x5005);
	assert_int_equal(stage2_lookup(&s2, (gpa_t){ MIB(2) + 5 }).type, S2_UC);
}

static void nothing_is_left_of_what_is_unmapped(void **state)
{
	uint64_t *table;

	map(0, MIB(2));
	assert_true(stage2_prepare(&s2, (gpa_t){ 0 }, 512, true));
	stage2_protect(&s2, (gpa_t){ 0x3000 }, 1, 0);
	expect(0x3000, FRAME_SHIFT, 0);
	/* The entry holds no frame number (T10). */
	table = region_ptr(format_address(s2.root[0], 3));
	table = region_ptr(format_address(table[0], 2));
	table = region_ptr(format_address(table[0], 1));
	assert_int_equal(table[3], 0);
	assert_int_not_equal(table[2], 0);
}

static void failed_prepare_changes_no_translation(void **state)
{
	map(0, GIB(50));
	for (unsigned gib = 0; pool.available > 1; gib++)
		assert_true(stage2_prepare(&s2, (gpa_t){ GIB(gib) }, 512, false));
	assert_int_equal(pool.available, 1);
	assert_false(stage2_prepare(&s2, (gpa_t){ GIB(49) + MIB(2) + FRAME_SIZE }, 4, false));
	for (uint64_t gpa = 0; gpa < GIB(50); gpa += MIB(1)) {
		struct stage2_leaf leaf = stage2_lookup(&s2, (gpa_t){ gpa });

		assert_true(leaf.present && leaf.spa.v == gpa && leaf.prot == S2_RWX);
	}
}

static void merge_gives_tables_back_after_the_flush(void **state)
{
	size_t before;
	gpa_t all = { 0 };

	map(0, GIB(2));
	before = pool.available;
	assert_true(stage2_prepare(&s2, (gpa_t){ MIB(512) }, 1, false));
	assert_int_equal(pool.available, before - 2);
	assert_int_equal(stage2_merge(&s2, all, FRAMES(GIB(2))), 2);
	expect(MIB(512), HUGE_SHIFT, S2_RWX);
	assert_int_equal(pool.available, before - 2);
	stage2_reclaim(&s2);
	assert_int_equal(pool.available, before);
	assert_int_equal(stage2_merge(&s2, all, FRAMES(GIB(2))), 0);
}

static void retired_table_still_translates(void **state)
{
	uint64_t *table;

	map(0, MIB(4));
	assert_true(stage2_prepare(&s2, (gpa_t){ 0 }, 512, true));
	table = region_ptr(format_address(s2.root[0], 3));
	table = region_ptr(format_address(table[0], 2));
	table = region_ptr(format_address(table[0], 1));
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 1);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(format_address(table[i], 0).v, i * FRAME_SIZE);
	stage2_reclaim(&s2);
	/* The next to take it finds it empty. */
	assert_true(stage2_prepare(&s2, (gpa_t){ MIB(512) }, 1, true));
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(table[i], 0);
}

static void empty_tables_are_merged_away(void **state)
{
	map(GIB(700), FRAME_SIZE);
	assert_int_equal(pool.available, POOL - 4);
	stage2_protect(&s2, (gpa_t){ GIB(700) }, 1, 0);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ GIB(700) }, 1), 3);
	stage2_reclaim(&s2);
	assert_int_equal(pool.available, POOL - 1);
	expect(GIB(700), 39, 0);
}

static void unequal_leaves_are_not_merged(void **state)
{
	map(0, MIB(2));
	assert_true(stage2_prepare(&s2, (gpa_t){ 0 }, 512, true));
	stage2_protect(&s2, (gpa_t){ 511 * FRAME_SIZE }, 1, S2_R);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 0);
	stage2_protect(&s2, (gpa_t){ 511 * FRAME_SIZE }, 1, S2_RWX);
	stage2_retype(&s2, (gpa_t){ 7 * FRAME_SIZE }, 1, S2_UC);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 0);
	stage2_retype(&s2, (gpa_t){ 7 * FRAME_SIZE }, 1, S2_WB);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 1);
}

static void shifted_leaves_are_not_merged(void **state)
{
	assert_true(stage2_prepare(&s2, (gpa_t){ 0 }, 512, true));
	stage2_map(&s2, (gpa_t){ 0 }, (spa_t){ FRAME_SIZE }, 512, RWX_WB);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 0);
	/* All the same frame: the frame of ones looks so. */
	for (uint64_t i = 0; i < 512; i++)
		stage2_map(&s2, (gpa_t){ i * FRAME_SIZE }, (spa_t){ 0 }, 1, RWX_WB);
	assert_int_equal(stage2_merge(&s2, (gpa_t){ 0 }, 512), 0);
}

struct seen {
	unsigned count;
	unsigned stop_at;
	uint64_t last;
};

static bool count_leaf(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct seen *seen = ctx;

	assert_true(seen->count == 0 || gpa.v > seen->last);
	assert_int_equal(leaf->spa.v, gpa.v);
	seen->last = gpa.v;
	return ++seen->count != seen->stop_at;
}

static void walk_sees_each_leaf_in_order(void **state)
{
	struct seen seen = { 0 };

	map(MIB(2), MIB(2));
	map(GIB(1), GIB(1));
	map(GIB(1000), 2 * FRAME_SIZE);
	map((1ull << 48) - FRAME_SIZE, FRAME_SIZE);
	stage2_walk(&s2, count_leaf, &seen);
	assert_int_equal(seen.count, 5);
	assert_true(seen.last == (1ull << 48) - FRAME_SIZE);
	seen = (struct seen){ .stop_at = 2 };
	stage2_walk(&s2, count_leaf, &seen);
	assert_int_equal(seen.count, 2);
}

/* ---- The format ---- */

static void ept_entries_are_as_the_manual_says(void **state)
{
	spa_t spa = { GIB(3) };

	assert_int_equal(format_leaf(spa, 0, S2_R, S2_UC), GIB(3) | 1);
	assert_int_equal(format_leaf(spa, 0, S2_RWX, S2_WB), GIB(3) | 0x437);
	assert_int_equal(format_leaf(spa, 1, S2_RWX, S2_WB), GIB(3) | 0x4b7);
	assert_int_equal(format_leaf(spa, 2, S2_R | S2_KX, S2_WC), GIB(3) | 0x8d);
	assert_int_equal(format_leaf(spa, 0, S2_R | S2_UX, S2_WC), GIB(3) | 0x409);
	assert_int_equal(format_table(spa, 1), GIB(3) | 0x407);
	assert_true(format_is_table(format_table(spa, 1), 1));
	assert_false(format_is_table(format_leaf(spa, 1, S2_R, S2_WB), 1));
	assert_false(format_is_table(format_leaf(spa, 0, S2_R, S2_WB), 0));
	assert_false(format_is_table(0, 2));
}

static void one_execute_bit_follows_both(void **state)
{
	spa_t spa = { MIB(2) };

	assert_int_equal(format_leaf(spa, 0, S2_RWX, S2_WB), MIB(2) | 0x37);
	assert_int_equal(format_leaf(spa, 0, S2_R | S2_KX, S2_WB), MIB(2) | 0x31);
	assert_int_equal(format_leaf(spa, 0, S2_R | S2_UX, S2_WB), MIB(2) | 0x31);
	assert_int_equal(format_table(spa, 1), MIB(2) | 7);
	assert_int_equal(format_prot(MIB(2) | 0x37), S2_RWX);
	assert_int_equal(format_prot(MIB(2) | 0x33), S2_R | S2_W);
}

static void every_mask_and_type_reads_back(void **state)
{
	static const enum s2_type types[] = { S2_UC, S2_WC, S2_WT, S2_WP, S2_WB };

	for (unsigned level = 0; level < 3; level++) {
		for (unsigned prot = 1; prot <= S2_RWX; prot += 2) {
			for (unsigned i = 0; i < COUNT(types); i++) {
				uint64_t entry = format_leaf((spa_t){ GIB(5) }, level, prot,
				    types[i]);

				assert_int_equal(format_address(entry, level).v, GIB(5));
				assert_int_equal(format_prot(entry), prot);
				assert_int_equal(format_type(entry), types[i]);
			}
		}
	}
}

/* ---- Misuse ---- */

static void unlocked(void *argument)
{
	spin_unlock(&lock);
	stage2_protect(&s2, (gpa_t){ 0 }, 1, 0);
}

static void lookup_unlocked(void *argument)
{
	spin_unlock(&lock);
	stage2_lookup(&s2, (gpa_t){ 0 });
}

static void write_only(void *argument)
{
	stage2_protect(&s2, (gpa_t){ 0 }, 1, S2_W);
}

static void unprepared_map(void *argument)
{
	stage2_map(&s2, (gpa_t){ 0 }, (spa_t){ 0 }, 1, RWX_WB);
}

static void unprepared_protect(void *argument)
{
	map(0, MIB(2));
	stage2_protect(&s2, (gpa_t){ 0 }, 1, 0);
}

static void incongruent(void *argument)
{
	if (stage2_prepare(&s2, (gpa_t){ 0 }, 512, false))
		stage2_map(&s2, (gpa_t){ 0 }, (spa_t){ FRAME_SIZE }, 512, RWX_WB);
}

static void out_of_reach(void *argument)
{
	stage2_prepare(&s2, (gpa_t){ (1ull << 48) - FRAME_SIZE }, 2, false);
}

static void wrapping(void *argument)
{
	stage2_prepare(&s2, (gpa_t){ FRAME_SIZE }, ~0ull >> 12, false);
}

static void unaligned(void *argument)
{
	stage2_prepare(&s2, (gpa_t){ 8 }, 1, false);
}

static void half_execute(void *argument)
{
	stage2_protect(&s2, (gpa_t){ 0 }, 1, S2_R | S2_KX);
}

static void misuse_is_a_check(void **state)
{
	static void (*const cases[])(void *) = { unlocked, lookup_unlocked, write_only,
		unprepared_map, unprepared_protect, incongruent, out_of_reach, wrapping,
		unaligned };

	for (unsigned i = 0; i < COUNT(cases); i++)
		assert_int_equal(host_end_of(cases[i], NULL).end, HOST_STOPPED);
	assert_int_equal(host_end_of(half_execute, NULL).end, HOST_RETURNED);
}

static void half_execute_is_a_check_without_mbec(void **state)
{
	assert_int_equal(host_end_of(half_execute, NULL).end, HOST_STOPPED);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(empty_table_maps_nothing, build),
	cmocka_unit_test_setup(largest_pages_are_used, build),
	cmocka_unit_test_setup(no_huge_pages_where_there_are_none, build_plain),
	cmocka_unit_test_setup(split_translates_the_same, build),
	cmocka_unit_test_setup(small_means_4_kib_everywhere, build),
	cmocka_unit_test_setup(nothing_is_left_of_what_is_unmapped, build),
	cmocka_unit_test_setup(failed_prepare_changes_no_translation, build),
	cmocka_unit_test_setup(merge_gives_tables_back_after_the_flush, build),
	cmocka_unit_test_setup(retired_table_still_translates, build),
	cmocka_unit_test_setup(empty_tables_are_merged_away, build),
	cmocka_unit_test_setup(unequal_leaves_are_not_merged, build),
	cmocka_unit_test_setup(shifted_leaves_are_not_merged, build),
	cmocka_unit_test_setup(walk_sees_each_leaf_in_order, build),
	cmocka_unit_test_setup(ept_entries_are_as_the_manual_says, build),
	cmocka_unit_test_setup(one_execute_bit_follows_both, build_plain),
	cmocka_unit_test_setup(every_mask_and_type_reads_back, build),
	cmocka_unit_test_setup(misuse_is_a_check, build),
	cmocka_unit_test_setup(half_execute_is_a_check_without_mbec, build_plain),
};

UNIT_MAIN(tests)
