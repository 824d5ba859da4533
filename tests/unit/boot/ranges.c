/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/ranges.c against a map of single pages.
 */
#include "boot/ranges.h"
#include "tests/unit/unit.h"

#define PAGES  256u
#define ROUNDS 2000u
#define ADDS   40u

static struct bootinfo_range list[PAGES];
static struct ranges ranges;

static void start(size_t max)
{
	ranges = (struct ranges){ list, 0, max };
}

/* Sorted, apart from each other, none empty. */
static void well_formed(void)
{
	for (size_t i = 0; i < ranges.count; i++) {
		assert_int_not_equal(list[i].pages, 0);
		if (i)
			assert_true(list[i - 1].base + (list[i - 1].pages << 12) < list[i].base);
	}
}

static void equals(const bool *model)
{
	uint64_t count = 0;

	for (unsigned page = 0; page < PAGES; page++) {
		assert_int_equal(ranges_hold(&ranges, (uint64_t)page << 12, 1), model[page]);
		count += model[page];
	}
	assert_int_equal(ranges_pages(&ranges), count);
}

static void random_additions_match_the_model(void **state)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < ROUNDS; round++) {
		bool model[PAGES] = { false };

		start(PAGES);
		for (unsigned i = 0; i < ADDS; i++) {
			unsigned base, pages;

			seed = seed * 1664525 + 1013904223;
			base = seed >> 24;
			pages = 1 + (seed >> 16) % 6;
			pages = base + pages > PAGES ? PAGES - base : pages;
			assert_true(ranges_add(&ranges, (uint64_t)base << 12, pages));
			memset(model + base, true, pages);
			well_formed();
		}
		equals(model);
	}
}

static void touching_ranges_become_one(void **state)
{
	start(4);
	assert_true(ranges_add(&ranges, 0x3000, 1));
	assert_true(ranges_add(&ranges, 0x1000, 1));
	assert_int_equal(ranges.count, 2);
	assert_true(ranges_add(&ranges, 0x2000, 1));
	assert_int_equal(ranges.count, 1);
	assert_int_equal(list[0].base, 0x1000);
	assert_int_equal(list[0].pages, 3);
	assert_int_equal(ranges_top(&ranges), 0x4000);
	assert_true(ranges_hold(&ranges, 0x1000, 3));
	assert_false(ranges_hold(&ranges, 0x1000, 4));
	assert_false(ranges_hold(&ranges, 0x0, 2));
}

static void a_full_list_refuses_and_stays(void **state)
{
	start(2);
	assert_int_equal(ranges_top(&ranges), 0);
	assert_true(ranges_add(&ranges, 0x1000, 1));
	assert_true(ranges_add(&ranges, 0x5000, 1));
	assert_false(ranges_add(&ranges, 0x3000, 1));
	assert_int_equal(ranges_pages(&ranges), 2);
	assert_true(ranges_add(&ranges, 0x2000, 1));
	assert_int_equal(ranges_pages(&ranges), 3);
}

static void nonsense_is_refused(void **state)
{
	start(4);
	assert_false(ranges_add(&ranges, 0x1000, 0));
	assert_false(ranges_add(&ranges, 0x1001, 1));
	assert_false(ranges_add(&ranges, 1ull << 52, 1));
	assert_false(ranges_add(&ranges, 0, (1ull << 40) + 1));
	assert_false(ranges_add(&ranges, 0x1000, ~0ull));
	assert_int_equal(ranges.count, 0);
	assert_true(ranges_add(&ranges, 0, 1ull << 40));
}

static void meeting_ranges_share_a_page(void **state)
{
	static const struct bootinfo_range some[] = { { 0x8000, 2 }, { 0x1000, 1 }, { 0x2000, 4 } };

	assert_null(ranges_meeting(some, 0, 0, 100));
	assert_null(ranges_meeting(some, 3, 0, 1));
	assert_null(ranges_meeting(some, 3, 0x6000, 2));
	assert_null(ranges_meeting(some, 3, 0xa000, 5));
	assert_ptr_equal(ranges_meeting(some, 3, 0, 2), &some[1]);
	assert_ptr_equal(ranges_meeting(some, 3, 0x5000, 1), &some[2]);
	assert_ptr_equal(ranges_meeting(some, 3, 0x5000, 4), &some[0]);
	assert_ptr_equal(ranges_meeting(some, 3, 0x9000, 1), &some[0]);
	assert_ptr_equal(ranges_meeting(some, 3, 0, 100), &some[0]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(random_additions_match_the_model),
	cmocka_unit_test(touching_ranges_become_one),
	cmocka_unit_test(a_full_list_refuses_and_stays),
	cmocka_unit_test(nonsense_is_refused),
	cmocka_unit_test(meeting_ranges_share_a_page),
};

UNIT_MAIN(tests)
