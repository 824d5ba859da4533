/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/storage.c and binding.c with packages that are made up: where one is taken, and what is then
 * in the slots and the anchor; and how one leaves.
 */
#include "vtpm/package.h"

#include "monitor/abi/call.h"
#include "tests/unit/vtpm/storage_made.h"

static unsigned start_with_package(void)
{
	machine_starts();
	hand_over_package();
	return open_it();
}

/* A machine with a TPM at work: the counter of starts is its first byte. */
static void a_machine(void)
{
	to_work();
	if (storage_hold(&storage))
		keep();
	change(0x42);
	assert_true(storage_hold(&storage));
	keep();
}

static void expect_taken(void)
{
	assert_int_equal(start_with_package(), TPM_STATE_KEPT);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], NV_OK);
	assert_false(tpm.was_new);
	assert_int_equal(tpm.state[STATE - 1], 0x99);
	assert_int_equal(storage.next, 0);
	expect_waits(52);
	/* As the loader does it: both are emptied, and the state is written. */
	memset(disk, 0, sizeof(disk));
	there[0] = there[1] = true;
	keep();
}

static void expect_not_taken(enum nv_verdict verdict)
{
	assert_int_equal(start_with_package(), TPM_STATE_REFUSED);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], verdict);
	assert_int_equal(tpm.starts, 0);
}

/* ---- In ---- */

static void a_tpm_that_there_is_stays(void **state)
{
	a_machine();
	assert_int_equal(start_with_package(), TPM_STATE_KEPT);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], NV_NOT_NEEDED);
	assert_int_equal(package.opened, 0);
	assert_int_equal(tpm.state[STATE - 1], 0x42);
}

static void without_one_nothing_is_said(void **state)
{
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], NV_ABSENT);
}

static void in_place_of_a_first_start(void **state)
{
	expect_taken();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 0x99);
	assert_int_equal(tpm.state[0], 0x11 + 2);
	assert_int_equal(storage.header.kind, NV_RESTORED);
	assert_int_equal(storage.header.first, 52);
	expect_waits(53);
}

static void in_place_of_what_cannot_be_used(void **state)
{
	a_machine();
	disk[0][400] ^= 1;
	disk[1][400] ^= 1;
	expect_taken();
}

/* Also a wrong one: whoever put it there wants no new TPM. */
static void a_wrong_one_makes_no_new_tpm(void **state)
{
	static const enum nv_verdict verdicts[] = { NV_NO_GUARDIAN, NV_NO_PACKAGE, NV_OTHER_MACHINE,
		NV_NOT_OF_GUARDIAN };

	for (unsigned i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		package.verdict = verdicts[i];
		expect_not_taken(verdicts[i]);
	}
	/* One that cannot be read, or is empty. */
	machine_starts();
	package.verdict = NV_NO_PACKAGE;
	assert_int_equal(storage_slot(&storage, TPM_SLOT_PACKAGE, 0, mailbox, 0), 0);
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
}

static void pieces_are_bounded(void **state)
{
	assert_int_equal(storage_slot(&storage, 3, 0, mailbox, 8), REDOUBT_INVALID);
	assert_int_equal(storage_slot(&storage, 2, NV_FILE_MAX - 7, mailbox, 8), REDOUBT_INVALID);
	assert_int_equal(storage_slot(&storage, 2, NV_FILE_MAX - 8, mailbox, 8), REDOUBT_OK);
}

/* ---- In, beside the platform's TPM ---- */

/* As the guardian does it for the machine as it is. */
static void addressed(void)
{
	struct package_ask ask;
	uint64_t bytes = 0;

	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), REDOUBT_OK);
	memcpy(&ask, mailbox, sizeof(ask));
	memcpy(package.place, ask.place, NV_DIGEST);
}

/* The agent comes, and what was taken is bound. */
static void bound(void)
{
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	keep();
}

static void for_the_anchor_that_is(void **state)
{
	a_machine();
	memcpy(package.place, anchor.value, NV_DIGEST);
	memset(there, 0, sizeof(there));
	expect_taken();
	assert_memory_equal(anchor.value, package.place, NV_DIGEST);
	/* Cut off here it is used, or taken once more. */
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 0x99);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	keep();
	assert_memory_not_equal(anchor.value, package.place, NV_DIGEST);
	/* From then on it is not taken any more, whatever becomes of the slots (T63). */
	memset(there, 0, sizeof(there));
	expect_not_taken(NV_OTHER_PLACE);
}

static void for_no_anchor(void **state)
{
	expect_taken();
	assert_true(anchor.there);
	assert_false(anchor.written);
}

static void for_an_anchor_that_went(void **state)
{
	a_machine();
	anchor.there = false;
	memset(anchor.value, 0, sizeof(anchor.value));
	expect_taken();
	assert_true(anchor.there);
	assert_false(anchor.written);
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	keep();
	assert_memory_equal(anchor.value, storage.digest, NV_DIGEST);
}

/* Of the root key of before: it is made anew, and only for a package that knows that. */
static void for_an_anchor_of_another_key(void **state)
{
	uint8_t value[ANCHOR_BYTES];

	a_machine();
	memcpy(value, anchor.value, sizeof(value));
	made_machine++;
	memcpy(package.place, value, sizeof(value));
	expect_not_taken(NV_OTHER_PLACE);
	addressed();
	assert_memory_not_equal(package.place, value, sizeof(value));
	anchor.owned = true;
	expect_not_taken(NV_NO_ANCHOR);
	assert_true(anchor.there && anchor.written);
	assert_memory_equal(anchor.value, value, sizeof(value));
	anchor.owned = false;
	expect_taken();
	assert_true(anchor.there && anchor.written);
	assert_memory_equal(anchor.value, package.place, NV_DIGEST);
	bound();
	assert_memory_equal(anchor.value, storage.digest, NV_DIGEST);
	memset(there, 0, sizeof(there));
	expect_not_taken(NV_OTHER_PLACE);
}

/* Each command to the platform's TPM lost, and each answer: it is taken, or it can be once more. */
static void answers_that_are_lost(void **state)
{
	unsigned refused = 0, anew = 0;

	for (unsigned at = 1; at < 20; at++) {
		setup_bound(NULL);
		a_machine();
		made_machine++;
		disk[0][400] ^= 1;
		disk[1][400] ^= 1;
		addressed();
		anchor.commands = 0;
		anchor.fails_at = at;
		if (start_with_package() == TPM_STATE_KEPT)
			continue;
		refused++;
		assert_int_equal(tpm.starts, 0);
		anchor.fails_at = 0;
		/* The old one is gone, and the new one has no value: then the ask is another. */
		if (!anchor.there || !anchor.written) {
			anew++;
			addressed();
		}
		expect_taken();
		bound();
	}
	/* place: read, look; read; delete, its answer; make, its answer; write, and thrice of it */
	assert_int_equal(refused, 10);
	assert_int_equal(anew, 5);
}

static void refused_by_the_tpm(void **state)
{
	machine_starts();
	tpm.refuses = true;
	hand_over_package();
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], NV_BAD_CONTENT);
}

/* One that cannot be read now may be later, and may be the newest. */
static void not_beside_a_slot_that_cannot_be_read(void **state)
{
	a_machine();
	machine_starts();
	hand_over_package();
	hand_over(0);
	assert_int_equal(storage_slot(&storage, 1, 0, mailbox, 0), REDOUBT_OK);
	assert_int_equal(storage_open(&storage, false, NULL), TPM_STATE_REFUSED);
	assert_int_equal(storage.verdict[TPM_SLOT_PACKAGE], NV_BESIDE);
	assert_int_equal(package.opened, 0);
	/* Once it is deleted. */
	there[0] = there[1] = false;
	expect_taken();
}

/* Nor beside one of a newer program: with that there is a TPM. */
static void not_beside_a_newer_one(void **state)
{
	a_machine();
	fake.svn = SVN - 1;
	expect_not_taken(NV_BESIDE);
}

/*
 * A machine that has had three root keys, and can be started as it was with each: the package for
 * one of them is of no use once there was another (T63).
 */
static void for_an_anchor_of_one_other_key(void **state)
{
	uint8_t first[NV_DIGEST];

	a_machine();
	made_machine++;
	addressed();
	memcpy(first, package.place, sizeof(first));
	expect_taken();
	bound();
	made_machine++;
	addressed();
	expect_taken();
	bound();
	made_machine--;
	memcpy(package.place, first, sizeof(first));
	expect_not_taken(NV_OTHER_PLACE);
}

/* Cut off behind the making of the anchor, and behind the emptying of the slots: once more. */
static void cut_off_behind_an_anchor_of_another_key(void **state)
{
	a_machine();
	made_machine++;
	addressed();
	assert_int_equal(start_with_package(), TPM_STATE_KEPT);
	assert_int_equal(start_with_package(), TPM_STATE_KEPT);
	memset(disk, 0, sizeof(disk));
	/* No new TPM without it. */
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	expect_taken();
	bound();
	memset(there, 0, sizeof(there));
	expect_not_taken(NV_OTHER_PLACE);
}

/* The monitor ends a partition whose request takes 2^36 cycles: 14 s at 5 GHz. */
static void waits_are_limited(void **state)
{
	a_machine();
	memcpy(package.place, anchor.value, NV_DIGEST);
	memset(there, 0, sizeof(there));
	anchor.waits = 0;
	assert_int_equal(start_with_package(), TPM_STATE_KEPT);
	assert_in_range(anchor.waits, 1, 10000);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	storage_shutdown(&storage);
	anchor.waits = 0;
	keep();
	assert_int_equal(anchor.shutdowns, 1);
	assert_in_range(anchor.waits, 1, 10000);
}

/* ---- Out ---- */

static void leaves_in_pieces(void **state)
{
	uint64_t results[REQUEST_WORDS] = { 0 };
	size_t at = 0;

	a_machine();
	do {
		assert_int_equal(storage_package(&storage, at, mailbox, results), REDOUBT_OK);
		assert_int_equal(results[1], STATE);
		assert_int_equal(results[2], storage.header.generation);
		assert_true(results[0] <= TPM_PACKAGE_BYTES);
		assert_memory_equal(mailbox, tpm.state + at, results[0]);
		at += results[0];
	} while (results[0] > 0);
	assert_int_equal(at, STATE);
	assert_int_equal(package.made, 1);
	assert_int_equal(package.header.generation, storage.header.generation);
	assert_ptr_equal(package.content.part[NV_PERMANENT].bytes, tpm.state);
	/* It is gone. */
	assert_int_equal(storage_package(&storage, 2048, mailbox, results), REDOUBT_INVALID);
}

/* With a state that is kept meanwhile, for the keeper goes on. */
static void leaves_beside_a_keeper(void **state)
{
	uint64_t results[REQUEST_WORDS] = { 0 };
	uint64_t generation;

	a_machine();
	generation = storage.header.generation;
	assert_int_equal(storage_package(&storage, 0, mailbox, results), REDOUBT_OK);
	assert_int_equal(results[2], generation);
	change(0x43);
	assert_true(storage_hold(&storage));
	keep();
	assert_int_equal(storage.header.generation, generation + 1);
	assert_int_equal(storage_package(&storage, TPM_PACKAGE_BYTES, mailbox, results),
	    REDOUBT_OK);
	assert_int_equal(results[2], generation);
}

static void does_not_leave(void **state)
{
	uint64_t results[REQUEST_WORDS] = { 0 };

	assert_int_equal(storage_package(&storage, 0, mailbox, results), TPM_STATUS_OFF);
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(storage_package(&storage, 0, mailbox, results), TPM_STATUS_OFF);
	keep();
	assert_int_equal(storage_package(&storage, 1, mailbox, results), REDOUBT_INVALID);
	assert_int_equal(storage_package(&storage, 0, mailbox, results), REDOUBT_OK);
	assert_int_equal(storage_package(&storage, STATE + 1, mailbox, results), REDOUBT_INVALID);
	assert_int_equal(storage_package(&storage, UINT64_MAX, mailbox, results), REDOUBT_INVALID);
	package.none = true;
	assert_int_equal(storage_package(&storage, 0, mailbox, results), TPM_STATUS_OFF);
	assert_int_equal(storage_package(&storage, 1, mailbox, results), REDOUBT_INVALID);
	package.none = false;
	package.no_guardian = true;
	assert_int_equal(storage_package(&storage, 0, mailbox, results), TPM_STATUS_NO_GUARDIAN);
	package.no_guardian = false;
	storage_keeper(&storage, TPM_KEEPER_OFF);
	assert_int_equal(storage_package(&storage, 0, mailbox, results), TPM_STATUS_OFF);
}

static uint8_t first_of_place(void)
{
	struct package_ask ask;
	uint64_t bytes = 0;

	assert_int_equal(storage_ask(&storage, mailbox, &bytes), REDOUBT_OK);
	assert_int_equal(bytes, sizeof(ask));
	memcpy(&ask, mailbox, sizeof(ask));
	assert_int_equal(ask.magic, PACKAGE_ASK_MAGIC);
	return ask.place[0];
}

/* The machine has a TPM no more: its slots were changed. */
static void refused(void)
{
	disk[0][400] ^= 1;
	disk[1][400] ^= 1;
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
}

static void asks(void **state)
{
	uint64_t bytes = 0;

	a_machine();
	refused();
	assert_int_equal(first_of_place(), anchor.value[0]);
	package.no_key = true;
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	package.no_key = false;
	package.no_guardian = true;
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_NO_GUARDIAN);
	package.no_guardian = false;
	anchor.auth[0] ^= 1;
	assert_int_not_equal(first_of_place(), 0);
	anchor.owned = true;
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	anchor.owned = false;
	anchor.there = false;
	assert_int_equal(first_of_place(), 0);
	/* Whose TPM is not there asks for nothing. */
	anchor.gone = true;
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
}

static void has_a_key(void **state)
{
	uint64_t bytes = 0;

	assert_int_equal(storage_key(mailbox, &bytes), REDOUBT_OK);
	assert_int_equal(bytes, NV_DIGEST);
	assert_int_equal(mailbox[0], 4);
	package.no_key = true;
	assert_int_equal(storage_key(mailbox, &bytes), TPM_STATUS_OFF);
	package.no_guardian = true;
	assert_int_equal(storage_key(mailbox, &bytes), TPM_STATUS_NO_GUARDIAN);
}

/* Not before it is known what the anchor is, nor where there is a TPM, which has no use for it. */
static void asks_when_refused_alone(void **state)
{
	uint64_t bytes = 0;

	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	storage_keeper(&storage, TPM_KEEPER_OFF);
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	machine_starts();
	a_machine();
	anchor.commands = 0;
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	storage_keeper(&storage, TPM_KEEPER_OFF);
	assert_int_equal(storage_ask(&storage, mailbox, &bytes), TPM_STATUS_OFF);
	assert_int_equal(anchor.commands, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(a_tpm_that_there_is_stays, setup),
	cmocka_unit_test_setup(without_one_nothing_is_said, setup),
	cmocka_unit_test_setup(in_place_of_a_first_start, setup),
	cmocka_unit_test_setup(in_place_of_what_cannot_be_used, setup),
	cmocka_unit_test_setup(a_wrong_one_makes_no_new_tpm, setup),
	cmocka_unit_test_setup(pieces_are_bounded, setup),
	cmocka_unit_test_setup(for_the_anchor_that_is, setup_bound),
	cmocka_unit_test_setup(for_no_anchor, setup_bound),
	cmocka_unit_test_setup(for_an_anchor_that_went, setup_bound),
	cmocka_unit_test_setup(for_an_anchor_of_another_key, setup_bound),
	cmocka_unit_test_setup(answers_that_are_lost, setup_bound),
	cmocka_unit_test_setup(for_an_anchor_of_one_other_key, setup_bound),
	cmocka_unit_test_setup(cut_off_behind_an_anchor_of_another_key, setup_bound),
	cmocka_unit_test_setup(refused_by_the_tpm, setup),
	cmocka_unit_test_setup(not_beside_a_slot_that_cannot_be_read, setup),
	cmocka_unit_test_setup(not_beside_a_newer_one, setup),
	cmocka_unit_test_setup(waits_are_limited, setup_bound),
	cmocka_unit_test_setup(leaves_in_pieces, setup),
	cmocka_unit_test_setup(leaves_beside_a_keeper, setup),
	cmocka_unit_test_setup(does_not_leave, setup),
	cmocka_unit_test_setup(asks, setup_bound),
	cmocka_unit_test_setup(asks_when_refused_alone, setup_bound),
	cmocka_unit_test_setup(has_a_key, setup),
};

UNIT_MAIN(tests)
