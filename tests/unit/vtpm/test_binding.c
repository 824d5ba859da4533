/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/binding.c with storage.c above counters that are made up: no older state is used (T63), and
 * no cut, of the machine's power or of a command to the platform's TPM, loses one.
 */
#include "vtpm/binding.h"

#include <stdlib.h>

#include "monitor/abi/call.h"
#include "tests/unit/vtpm/storage_made.h"

static uint8_t old[NV_SLOTS][NV_FILE_MAX];
static bool old_there[NV_SLOTS];

static int set_up(void **state)
{
	setup(state);
	counters.bound = true;
	return 0;
}

static void take_copy(void)
{
	memcpy(old, disk, sizeof(old));
	memcpy(old_there, there, sizeof(there));
}

static void put_back(void)
{
	memcpy(disk, old, sizeof(old));
	memcpy(there, old_there, sizeof(there));
}

static void nothing_there(void)
{
	memset(there, 0, sizeof(there));
}

static unsigned start(void)
{
	machine_starts();
	return open_it();
}

/* The agent's part: what it binds, and one change. */
static void agent_works(uint8_t value)
{
	storage_keeper(&storage, TPM_KEEPER_SURE);
	while (storage_hold(&storage, false))
		keep();
	change(value);
	assert_true(storage_hold(&storage, true));
	while (storage_hold(&storage, false))
		keep();
}

static void a_day(uint8_t value)
{
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	agent_works(value);
}

static void expect_refused(enum nv_verdict verdict)
{
	assert_int_equal(start(), TPM_STATE_REFUSED);
	assert_true(storage.verdict[0] == verdict || storage.verdict[1] == verdict);
	assert_int_equal(tpm.starts, 0);
}

/* ---- An older state ---- */

static void goes_on(void **state)
{
	for (uint8_t day = 1; day < 20; day++) {
		a_day(day);
		assert_int_equal(tpm.state[STATE - 1], day);
	}
	assert_int_equal(tpm.starts, 1);
}

/* Of each moment, as soon as there is one behind it. */
static void older_ones_are_refused(void **state)
{
	static uint8_t now[NV_SLOTS][NV_FILE_MAX];
	bool now_there[NV_SLOTS];

	for (uint8_t day = 1; day < 6; day++) {
		a_day(day);
		take_copy();
		change((uint8_t)(100 + day));
		assert_true(storage_hold(&storage, true));
		keep();
		memcpy(now, disk, sizeof(now));
		memcpy(now_there, there, sizeof(there));
		put_back();
		expect_refused(NV_BELOW_FLOOR);
		memcpy(disk, now, sizeof(now));
		memcpy(there, now_there, sizeof(there));
		assert_int_equal(start(), TPM_STATE_KEPT);
		assert_int_equal(tpm.state[STATE - 1], 100 + day);
		keep();
	}
}

/* The newest slot destroyed: the other one is an older state like any. */
static void the_slot_before_is_refused(void **state)
{
	a_day(1);
	a_day(2);
	disk[storage.current][300] ^= 1;
	expect_refused(NV_BELOW_FLOOR);
}

static void no_state_is_none_that_was_lost(void **state)
{
	a_day(1);
	nothing_there();
	expect_refused(NV_NOT_BOUND);
}

/* A state of before the platform's TPM was used, or of a backup. */
static void a_state_that_is_not_bound(void **state)
{
	counters.bound = false;
	a_day(1);
	take_copy();
	counters.bound = true;
	a_day(2);
	assert_int_equal(storage.binding.part.stores, counters.one[0].value);
	put_back();
	expect_refused(NV_NOT_BOUND);
	/* The way out: who owns the platform's TPM deletes the counters. */
	memset(counters.one, 0, sizeof(counters.one));
	a_day(3);
	a_day(4);
}

/* Deleted and defined anew they count on from where they were. */
static void counters_made_anew(void **state)
{
	a_day(1);
	for (unsigned i = 0; i < 2; i++)
		counters.one[i].value = ++counters.most;
	expect_refused(NV_BELOW_FLOOR);
	memset(counters.one, 0, sizeof(counters.one));
	expect_refused(NV_NO_COUNTER);
}

static void counters_of_another_machine(void **state)
{
	a_day(1);
	counters.one[0].value -= 2;
	expect_refused(NV_ABOVE);
	counters.one[0].value += 2;
	counters.one[1].there = false;
	expect_refused(NV_ABOVE);
	counters.one[1].there = true;
	a_day(2);
	counters.one[0].auth[0] ^= 1;
	expect_refused(NV_NO_COUNTER);
}

static void no_counter_no_tpm(void **state)
{
	counters.owned = true;
	expect_refused(NV_NO_COUNTER);
	counters.owned = false;
	counters.gone = true;
	assert_int_equal(start(), TPM_STATE_REFUSED);
	counters.gone = false;
	a_day(1);
}

/* ---- Keepers who may not flush ---- */

/* A state that only they have kept can be put back, at so many starts. */
static void loose_states_have_an_end(void **state)
{
	a_day(1);
	take_copy();
	for (unsigned i = 0; i < LOOSE_STARTS; i++) {
		assert_int_equal(start(), TPM_STATE_KEPT);
		keep();
		put_back();
	}
	expect_refused(NV_BELOW_FLOOR);
}

/* And are not refused while they are kept. */
static void starts_without_an_agent(void **state)
{
	a_day(1);
	for (unsigned i = 0; i < 4 * LOOSE_STARTS; i++) {
		assert_int_equal(start(), TPM_STATE_KEPT);
		keep();
	}
	a_day(2);
}

/* What was done before the operating system, with its keeper, is bound by the agent. */
static void the_agent_binds_what_was_loose(void **state)
{
	a_day(1);
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	take_copy();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage, false));
	keep();
	put_back();
	expect_refused(NV_BELOW_FLOOR);
}

/* ---- What counts ---- */

static void the_clock_does_not(void **state)
{
	uint64_t before;

	a_day(1);
	before = counters.one[0].value;
	for (uint8_t i = 0; i < 10; i++) {
		change(i);
		assert_true(storage_hold(&storage, false));
		keep();
	}
	assert_int_equal(counters.one[0].value, before);
	/* Not even behind what does, and is overtaken before it is kept. */
	change(20);
	assert_true(storage_hold(&storage, true));
	change(21);
	assert_true(storage_hold(&storage, false));
	keep();
	assert_int_equal(counters.one[0].value, before + 1);
	assert_int_equal(start(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 21);
}

static void which_commands_count(void **state)
{
	const struct {
		uint8_t tag;
		uint32_t code;
		bool counts;
	} all[] = { { 1, 0x17b, false }, { 2, 0x17b, true }, { 2, 0x182, false },
		{ 1, 0x17a, false }, { 2, 0x15e, true }, { 1, 0x145, true }, { 1, 0x144, true },
		{ 2, 0x134, true }, { 2, 0x14e, true }, { 1, 0x10000 + 0x17b, true },
		{ 1, 0, true } };

	for (unsigned i = 0; i < COUNT(all); i++) {
		const uint8_t command[10] = { 0x80, all[i].tag, 0, 0, 0, 10, 0,
			(uint8_t)(all[i].code >> 16), (uint8_t)(all[i].code >> 8),
			(uint8_t)all[i].code };

		assert_int_equal(binding_counts(command), all[i].counts);
	}
}

/* ---- Wear ---- */

static void steps_come_to_an_end(void **state)
{
	unsigned taken = 0;

	a_day(1);
	for (storage_before(&storage); tpm.nv == VTPM_NV_AVAILABLE; storage_before(&storage)) {
		change((uint8_t)taken++);
		assert_true(storage_hold(&storage, true));
		keep();
		assert_true(taken < 2 * STEPS);
	}
	assert_int_equal(tpm.nv, VTPM_NV_RATE);
	assert_false(storage_takes(&storage));
	assert_true(taken > STEPS - 10);
	/* A start gives none. */
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_int_equal(tpm.nv, VTPM_NV_RATE);
	/* But time does. */
	fake.time += fake.khz != 0 ? STEP_NS / 1000000 * fake.khz : STEP_NS;
	storage_before(&storage);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	assert_true(storage_takes(&storage));
}

/* What is asked of who is at the machine is bound as what a command changes is. */
static void a_request_takes_a_step(void **state)
{
	static const uint8_t asked[16] = { 1, 0, 0, 0, 5 };
	uint64_t before;

	a_day(1);
	before = counters.one[0].value;
	take_copy();
	assert_true(storage_put_ppi(&storage, (struct nv_bytes){ asked, sizeof(asked) }));
	assert_int_equal(counters.one[0].value, before);
	keep();
	assert_int_equal(counters.one[0].value, before + 1);
	free((void *)(uintptr_t)storage.more.part[NV_PPI].bytes);
	put_back();
	expect_refused(NV_BELOW_FLOOR);
}

/* ---- Cuts ---- */

/*
 * The platform's TPM does not answer one command, of each of a few days' in turn: whatever it had
 * done by then, the state is kept when it answers again, or used at the next start.
 */
static void no_command_that_fails_loses_a_state(void **state)
{
	unsigned at = 1;
	bool failed = true;

	for (; failed; at++) {
		uint8_t acknowledged = 0;

		set_up(NULL);
		counters.fails_at = at;
		failed = false;
		for (uint8_t day = 1; day < 4; day++) {
			bool first = start() != TPM_STATE_KEPT;

			failed |= first;
			assert_true(!first || start() == TPM_STATE_KEPT);
			if (acknowledged != 0)
				assert_int_equal(tpm.state[STATE - 1], acknowledged);
			keep();
			storage_keeper(&storage, TPM_KEEPER_SURE);
			change(day);
			for (unsigned tries = 0; storage_hold(&storage, true); tries++) {
				size_t size = fetch();

				memcpy(disk[storage.next], written, size);
				there[storage.next] = true;
				failed |= storage_kept(&storage, told[0]) == TPM_STATUS_UNCOUNTED;
				assert_true(tries < 6);
			}
			acknowledged = day;
		}
	}
	assert_true(at > 20);
}

/* Power goes behind the write, and in front of the step, or behind it. */
static void no_cut_loses_a_state(void **state)
{
	a_day(1);
	for (uint8_t i = 2; i < 10; i++) {
		storage_keeper(&storage, TPM_KEEPER_SURE);
		change(i);
		assert_true(storage_hold(&storage, true));
		memcpy(disk[storage.next], written, fetch());
		if (i & 1)
			assert_int_equal(storage_kept(&storage, told[0]), REDOUBT_OK);
		assert_int_equal(start(), TPM_STATE_KEPT);
		assert_int_equal(tpm.state[STATE - 1], i);
		keep();
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(goes_on, set_up),
	cmocka_unit_test_setup(older_ones_are_refused, set_up),
	cmocka_unit_test_setup(the_slot_before_is_refused, set_up),
	cmocka_unit_test_setup(no_state_is_none_that_was_lost, set_up),
	cmocka_unit_test_setup(a_state_that_is_not_bound, set_up),
	cmocka_unit_test_setup(counters_made_anew, set_up),
	cmocka_unit_test_setup(counters_of_another_machine, set_up),
	cmocka_unit_test_setup(no_counter_no_tpm, set_up),
	cmocka_unit_test_setup(loose_states_have_an_end, set_up),
	cmocka_unit_test_setup(starts_without_an_agent, set_up),
	cmocka_unit_test_setup(the_agent_binds_what_was_loose, set_up),
	cmocka_unit_test_setup(the_clock_does_not, set_up),
	cmocka_unit_test(which_commands_count),
	cmocka_unit_test_setup(steps_come_to_an_end, set_up),
	cmocka_unit_test_setup(a_request_takes_a_step, set_up),
	cmocka_unit_test_setup(no_command_that_fails_loses_a_state, set_up),
	cmocka_unit_test_setup(no_cut_loses_a_state, set_up),
};

UNIT_MAIN(tests)
