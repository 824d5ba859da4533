/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Which CPUs a message reaches, what INIT and SIPI do to a CPU's start word, what may be
 * programmed.
 */
#include "arch/x86/svm/message.h"
#include "tests/unit/unit.h"

#define LOGICAL	  (1u << 11)
#define ASSERT	  (1u << 14)
#define LEVEL	  (1u << 15)
#define TO_SELF	  (1u << 18)
#define TO_ALL	  (2u << 18)
#define TO_OTHERS (3u << 18)
#define INIT	  0x4500u
#define SIPI	  0x4600u
#define FLAT	  0xffffffffu
#define CLUSTERED 0x0fffffffu

static const struct {
	uint32_t command, destination;
	bool x2;
	struct {
		uint32_t id, ldr, dfr;
	} cpu;
	bool self, reaches;
} cases[] = {
	/* Physical: by id, by broadcast. */
	{ 0, 3, false, { 3, 0, FLAT }, false, true },
	{ 0, 3, false, { 4, 0, FLAT }, false, false },
	{ 0, 3, false, { 3, 0, FLAT }, true, true },
	{ 0, 0xff, false, { 9, 0, FLAT }, false, true },
	{ 0, 0xff, false, { 9, 0, FLAT }, true, true },
	{ 0, 0xff, true, { 9, 0, FLAT }, false, false },
	{ 0, 0xffffffff, true, { 9, 0, FLAT }, false, true },
	{ 0, 0x103, true, { 3, 0, FLAT }, false, false },
	/* Shorthands do not look at the destination. */
	{ TO_SELF, 3, false, { 3, 0, FLAT }, false, false },
	{ TO_SELF, 7, false, { 3, 0, FLAT }, true, true },
	{ TO_ALL, 7, false, { 3, 0, FLAT }, true, true },
	{ TO_ALL, 7, false, { 3, 0, FLAT }, false, true },
	{ TO_OTHERS, 7, false, { 3, 0, FLAT }, false, true },
	{ TO_OTHERS, 3, false, { 3, 0, FLAT }, true, false },
	{ TO_OTHERS | LOGICAL, 0, false, { 3, 0, FLAT }, false, true },
	/* Logical, flat: any common bit. */
	{ LOGICAL, 0x06, false, { 3, 0x02000000, FLAT }, false, true },
	{ LOGICAL, 0x06, false, { 3, 0x08000000, FLAT }, false, false },
	{ LOGICAL, 0x03, false, { 3, 0x04000000, FLAT }, false, false },
	/* Logical, clusters: the same cluster and a common bit. */
	{ LOGICAL, 0x25, false, { 3, 0x24000000, CLUSTERED }, false, true },
	{ LOGICAL, 0x25, false, { 3, 0x22000000, CLUSTERED }, false, false },
	{ LOGICAL, 0x25, false, { 3, 0x34000000, CLUSTERED }, false, false },
	/* Logical in x2APIC mode. */
	{ LOGICAL, 0x10005, true, { 17, 0x10004, FLAT }, false, true },
	{ LOGICAL, 0x10005, true, { 17, 0x10002, FLAT }, false, false },
	{ LOGICAL, 0x10005, true, { 33, 0x20004, FLAT }, false, false },
};

static void test_reaches(void **state)
{
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct message m = { cases[i].command, cases[i].destination, cases[i].x2 };

		print_message("# case %u\n", i);
		assert_int_equal(message_reaches(&m, cases[i].cpu.id, cases[i].cpu.ldr,
				     cases[i].cpu.dfr, cases[i].self),
		    cases[i].reaches);
	}
}

static void test_modes(void **state)
{
	assert_int_equal(message_mode(0x000), 0);
	assert_int_equal(message_mode(0x200), MODE_SMI);
	assert_int_equal(message_mode(0x400), MODE_NMI);
	/* INIT, edge, whatever the level. */
	assert_int_equal(message_mode(0x500), MODE_INIT);
	assert_int_equal(message_mode(0x500 | ASSERT), MODE_INIT);
	assert_int_equal(message_mode(0x500 | ASSERT | LEVEL), MODE_INIT);
	assert_int_equal(message_mode(0x500 | LEVEL), MODE_DEASSERT);
	/* Of INIT alone. */
	assert_int_equal(message_mode(0x400 | LEVEL), MODE_NMI);
	assert_int_equal(message_mode(0x600 | LEVEL | 0x9f), MODE_STARTUP);
	assert_int_equal(message_mode(0x700), 7);
}

/* A CPU that runs, INIT, SIPI, and each in every other state. */
static void test_start_word(void **state)
{
	assert_int_equal(start_after(0, SIPI | 0x12), 0);
	assert_int_equal(start_after(0, INIT), START_INIT);
	assert_int_equal(start_after(START_INIT, INIT), START_INIT);
	/* SIPI right behind INIT is kept, the second is not. */
	assert_int_equal(start_after(START_INIT, SIPI | 0x12), START_INIT | START_SIPI | 0x12);
	assert_int_equal(start_after(START_INIT | START_SIPI | 0x12, SIPI | 0x34),
	    START_INIT | START_SIPI | 0x12);
	assert_int_equal(start_after(START_WAITING, SIPI | 0xff),
	    START_WAITING | START_SIPI | 0xff);
	assert_int_equal(start_after(START_WAITING | START_SIPI | 1, SIPI | 2),
	    START_WAITING | START_SIPI | 1);
	/* INIT takes a SIPI back that has not been seen. */
	assert_int_equal(start_after(START_WAITING, INIT), START_WAITING);
	assert_int_equal(start_after(START_WAITING | START_SIPI | 1, INIT), START_WAITING);
	assert_int_equal(start_after(START_INIT | START_SIPI | 1, INIT), START_INIT);
}

static void test_programmed(void **state)
{
	for (uint32_t mode = 0; mode < 8; mode++) {
		uint32_t value = mode << 8 | 0x10040;
		bool harmless = mode != 2 && mode != 4 && mode != 5;

		assert_int_equal(message_lvt_allowed(value), mode != 5);
		assert_int_equal(message_redirection_allowed(0x10, value), harmless);
		assert_int_equal(message_redirection_allowed(0x3e, value), harmless);
		/* The upper half of an entry, and the registers before the table. */
		assert_true(message_redirection_allowed(0x11, value));
		assert_true(message_redirection_allowed(0x00, value));
		assert_true(message_redirection_allowed(0x02, value));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_reaches),
	cmocka_unit_test(test_modes),
	cmocka_unit_test(test_start_word),
	cmocka_unit_test(test_programmed),
};

UNIT_MAIN(tests)
