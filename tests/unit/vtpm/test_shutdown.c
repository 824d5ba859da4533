/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/storage.c and binding.c when the operating system says that the machine goes off: when the
 * platform's TPM is told.
 */
#include "tests/unit/vtpm/storage_made.h"

static void at_work(void)
{
	to_work();
	if (storage_hold(&storage))
		keep();
}

static void command(uint8_t value)
{
	change(value);
	assert_true(storage_hold(&storage));
}

static void off(unsigned shutdowns)
{
	storage_shutdown(&storage);
	assert_int_equal(anchor.shutdowns, shutdowns);
}

/* Behind the anchor's write, and once, however often the operating system says so. */
static void it_is_told(void **state)
{
	unsigned writes;

	at_work();
	command(2);
	writes = anchor.writes;
	off(0);
	keep();
	assert_int_equal(anchor.writes, writes + 1);
	assert_int_equal(anchor.shutdowns, 1);
	for (unsigned i = 0; i < 10; i++)
		off(1);
	command(3);
	keep();
	assert_int_equal(anchor.shutdowns, 1);
	off(2);
}

static void an_answer_that_is_lost(void **state)
{
	at_work();
	anchor.commands = 0;
	anchor.fails_at = 1;
	off(0);
	off(1);
}

static void there_is_none(void **state)
{
	at_work();
	off(0);
	command(2);
	off(0);
	keep();
	assert_int_equal(anchor.shutdowns, 0);
}

/* Nor of a TPM that is switched off. */
static void there_is_no_tpm(void **state)
{
	off(0);
	at_work();
	storage_keeper(&storage, TPM_KEEPER_OFF);
	off(0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(it_is_told, setup_bound),
	cmocka_unit_test_setup(an_answer_that_is_lost, setup_bound),
	cmocka_unit_test_setup(there_is_none, setup),
	cmocka_unit_test_setup(there_is_no_tpm, setup_bound),
};

UNIT_MAIN(tests)
