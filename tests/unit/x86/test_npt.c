/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The NPT format, as the CPU reads it (APM 2 5.4, 15.25) and, from when that is asked for, as
 * AMD-Vi does, too (AMD-Vi 2.2.3).
 */
#include "arch/stage2_format.h"
#include "tests/unit/unit.h"

#define ADDRESS	    0x000ffffffffff000ull
#define CPU_P	    (1ull << 0)
#define CPU_W	    (1ull << 1)
#define CPU_U	    (1ull << 2)
#define CPU_A	    (1ull << 5)
#define CPU_D	    (1ull << 6)
#define CPU_PS	    (1ull << 7)
#define CPU_NX	    (1ull << 63)
#define CPU_IGNORES (7ull << 9 | 0x7ffull << 52)
#define IO_PRESENT  1ull
#define IO_NEXT(e)  ((unsigned)((e) >> 9 & 7))
#define IO_IGNORES  0x1feull
#define IO_READ	    (1ull << 61)
#define IO_WRITE    (1ull << 62)
#define IO_SNOOPED  (1ull << 60)
#define SPA	    0x000abcde40000000ull /* a multiple of 1 GiB */

static const unsigned prots[] = { S2_R, S2_R | S2_W, S2_R | S2_X, S2_RWX };

static uint64_t leaf(unsigned level, unsigned prot)
{
	uint64_t entry = format_leaf((spa_t){ SPA }, level, prot, S2_WB);
	uint64_t expected = SPA | CPU_P | CPU_U | CPU_A | CPU_D | (prot & S2_W ? CPU_W : 0) |
	    (prot & S2_X ? 0 : CPU_NX) | (level ? CPU_PS : 0);

	assert_int_equal(entry & ~CPU_IGNORES, expected);
	assert_false(format_is_table(entry, level));
	assert_int_equal(format_address(entry, level).v, SPA);
	assert_int_equal(format_prot(entry), prot);
	return entry;
}

static uint64_t table(unsigned level)
{
	uint64_t entry = format_table((spa_t){ SPA }, level);

	assert_int_equal(entry & ~CPU_IGNORES, SPA | CPU_P | CPU_W | CPU_U | CPU_A);
	assert_true(format_is_table(entry, level));
	assert_int_equal(format_address(entry, level).v, SPA);
	return entry;
}

/* VT-d reads it in this form: bit 11 and bit 62 are reserved there. */
static void test_for_the_cpu(void **state)
{
	for (unsigned level = 0; level < 3; level++)
		for (unsigned i = 0; i < COUNT(prots); i++)
			assert_int_equal(leaf(level, prots[i]) & CPU_IGNORES, 0);
	for (unsigned level = 1; level < 4; level++)
		assert_int_equal(table(level) & CPU_IGNORES, 0);
	assert_false(format_is_table(0, 3));
}

static void test_for_amdvi(void **state)
{
	format_for_amdvi();
	for (unsigned level = 0; level < 3; level++) {
		for (unsigned i = 0; i < COUNT(prots); i++) {
			uint64_t entry = leaf(level, prots[i]);

			/* A page, of the size of its level. */
			assert_int_equal(entry & ~IO_IGNORES & ~CPU_NX,
			    SPA | IO_PRESENT | IO_READ | IO_SNOOPED |
				(prots[i] & S2_W ? IO_WRITE : 0));
		}
	}
	/* Levels count from 1 there. */
	for (unsigned level = 1; level < 4; level++) {
		uint64_t entry = table(level);

		assert_int_equal(IO_NEXT(entry), level);
		assert_int_equal(entry & ~IO_IGNORES & ~(7ull << 9),
		    SPA | IO_PRESENT | IO_READ | IO_WRITE);
	}
	assert_false(format_is_table(0, 3));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_for_the_cpu),
	cmocka_unit_test(test_for_amdvi),
};

UNIT_MAIN(tests)
