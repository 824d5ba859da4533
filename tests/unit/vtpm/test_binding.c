/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/binding.c with storage.c above an anchor that is made up: no older state is used (T63), and
 * no cut, of the machine's power or of a command to the platform's TPM, loses one.
 */
#include "vtpm/binding.h"

#include <stdlib.h>

#include "monitor/abi/call.h"
#include "tests/unit/vtpm/storage_made.h"

/* Both slots, put by. */
struct copy {
	uint8_t slot[NV_SLOTS][NV_FILE_MAX];
	bool there[NV_SLOTS];
};

static struct copy old, now;

static void take(struct copy *copy)
{
	memcpy(copy->slot, disk, sizeof(disk));
	memcpy(copy->there, there, sizeof(there));
}

static void put_back(const struct copy *copy)
{
	memcpy(disk, copy->slot, sizeof(disk));
	memcpy(there, copy->there, sizeof(there));
}

static unsigned start(void)
{
	machine_starts();
	return open_it();
}

/* What waits goes to its slot, and nobody says so. */
static void write_only(void)
{
	memcpy(disk[storage.next], written, fetch());
	there[storage.next] = true;
}

static void command(uint8_t value)
{
	storage_before(&storage);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	change(value);
	assert_true(storage_hold(&storage));
}

static void agent_comes(void)
{
	storage_keeper(&storage, TPM_KEEPER_SURE);
	if (storage_hold(&storage))
		keep();
}

/* A start, by the loader, and the agent with one change. */
static void a_day(uint8_t value)
{
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	storage_keeper(&storage, TPM_KEEPER_NONE);
	agent_comes();
	command(value);
	keep();
}

static void expect_refused(enum nv_verdict verdict)
{
	assert_int_equal(start(), TPM_STATE_REFUSED);
	assert_true(storage.verdict[0] == verdict || storage.verdict[1] == verdict);
	assert_int_equal(tpm.starts, 0);
}

static void expect_used(uint8_t value)
{
	assert_int_equal(start(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], value);
}

/* ---- An older state ---- */

static void goes_on(void **state)
{
	for (uint8_t day = 1; day < 20; day++) {
		a_day(day);
		expect_used(day);
	}
}

/* Of each moment, as soon as there is one behind it that was acknowledged. */
static void older_ones_are_refused(void **state)
{
	for (uint8_t day = 1; day < 6; day++) {
		a_day(day);
		take(&old);
		command((uint8_t)(100 + day));
		keep();
		take(&now);
		put_back(&old);
		expect_refused(NV_BEFORE);
		put_back(&now);
		expect_used(100 + day);
		put_back(&now);
	}
}

/* The newest slot destroyed: the other one is an older state like any. */
static void the_slot_before_is_refused(void **state)
{
	a_day(1);
	a_day(2);
	command(3);
	keep();
	disk[storage.current][300] ^= 1;
	expect_refused(NV_BEFORE);
}

/* One that was sealed beside the one that was acknowledged, of the same start or an earlier one. */
static void one_that_was_never_acknowledged(void **state)
{
	a_day(1);
	command(2);
	write_only();
	take(&old);
	command(3);
	keep();
	put_back(&old);
	expect_refused(NV_BEFORE);

	setup_bound(NULL);
	a_day(1);
	take(&now);
	command(2);
	write_only();
	take(&old);
	put_back(&now);
	a_day(3);
	put_back(&old);
	expect_refused(NV_BEFORE);
}

/* What the agent has sealed anew when it came, and did not keep before the next command. */
static void what_the_agent_binds_and_does_not_keep(void **state)
{
	a_day(1);
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	write_only();
	take(&old);
	command(2);
	keep();
	put_back(&old);
	expect_refused(NV_BEFORE);
}

static void no_state_is_none_that_was_lost(void **state)
{
	a_day(1);
	memset(there, 0, sizeof(there));
	expect_refused(NV_NOT_BOUND);
}

/* A state of before the platform's TPM was used, or of a backup. */
static void a_state_that_is_not_bound(void **state)
{
	anchor.bound = false;
	a_day(1);
	take(&old);
	anchor.bound = true;
	a_day(2);
	put_back(&old);
	expect_refused(NV_NOT_BOUND);
	/* The way out: who owns the platform's TPM deletes the anchor. */
	anchor.there = false;
	a_day(3);
	expect_used(3);
}

static void an_anchor_made_anew(void **state)
{
	a_day(1);
	anchor.written = false;
	expect_refused(NV_NO_ANCHOR);
	anchor.there = false;
	expect_refused(NV_NO_ANCHOR);
}

static void an_anchor_of_another_machine(void **state)
{
	a_day(1);
	anchor.value[31] ^= 1;
	expect_refused(NV_BEFORE);
	anchor.value[31] ^= 1;
	anchor.auth[0] ^= 1;
	expect_refused(NV_NO_ANCHOR);
	anchor.auth[0] ^= 1;
	expect_used(1);
}

/*
 * The first start is cut off: the anchor was made, and neither the root key nor a state is on the
 * disk. The machine has another key then.
 */
static void an_anchor_of_a_key_that_is_lost(void **state)
{
	assert_int_equal(start(), TPM_STATE_KEPT);
	memset(there, 0, sizeof(there));
	anchor.auth[0] ^= 1;
	a_day(1);
	expect_used(1);
	anchor.auth[0] ^= 1;
	expect_refused(NV_NO_ANCHOR);
}

/* So it is, whatever command is not answered; and not where the owner has a password. */
static void cuts_while_it_is_made_anew(void **state)
{
	bool failed = true;

	for (unsigned at = 1; failed; at++) {
		setup_bound(NULL);
		assert_int_equal(start(), TPM_STATE_KEPT);
		memset(there, 0, sizeof(there));
		anchor.auth[0] ^= 1;
		anchor.commands = 0;
		anchor.fails_at = at;
		failed = start() != TPM_STATE_KEPT;
		assert_true(failed == (at <= 5));
		anchor.fails_at = 0;
		a_day(1);
		expect_used(1);
	}
	setup_bound(NULL);
	assert_int_equal(start(), TPM_STATE_KEPT);
	anchor.auth[0] ^= 1;
	anchor.owned = true;
	expect_refused(NV_NO_ANCHOR);
}

static void no_anchor_no_tpm(void **state)
{
	anchor.owned = true;
	expect_refused(NV_NO_ANCHOR);
	anchor.owned = false;
	anchor.gone = true;
	assert_int_equal(start(), TPM_STATE_REFUSED);
	anchor.gone = false;
	a_day(1);
}

static void a_part_that_is_none(void **state)
{
	struct binding b = { .on = true };
	uint8_t bytes[sizeof(struct binding_part)] = { 2 }, digest[NV_DIGEST] = { 0 };

	assert_int_equal(binding_judge(&b, digest, (struct nv_bytes){ bytes, 39 }), NV_BAD_CONTENT);
	assert_int_equal(binding_judge(&b, digest, (struct nv_bytes){ bytes, 40 }), NV_BAD_CONTENT);
	bytes[0] = 1;
	assert_int_equal(binding_judge(&b, digest, (struct nv_bytes){ bytes, 40 }), NV_OK);
}

/* ---- Keepers who may not flush ---- */

/* Their states can be put in each other's place; but a start is all that is in them. */
static void loose_states_have_a_start_in_them(void **state)
{
	a_day(1);
	take(&old);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(start(), TPM_STATE_KEPT);
		storage_before(&storage);
		assert_int_equal(tpm.nv, VTPM_NV_GONE);
		keep();
		storage_keeper(&storage, TPM_KEEPER_NONE);
		storage_keeper(&storage, TPM_KEEPER_LOOSE);
		storage_before(&storage);
		assert_int_equal(tpm.nv, VTPM_NV_GONE);
		assert_int_equal(tpm.state[STATE - 1], 1);
		if (i % 3 == 0)
			put_back(&old);
	}
	a_day(2);
}

/* Nor can a kernel have its own kept so. */
static void loose_at_work(void **state)
{
	a_day(1);
	storage_keeper(&storage, TPM_KEEPER_LOOSE);
	storage_before(&storage);
	assert_int_equal(tpm.nv, VTPM_NV_GONE);
}

/* What was done before the operating system, with its keeper, is bound by the agent. */
static void the_agent_binds_what_was_loose(void **state)
{
	a_day(1);
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	take(&old);
	agent_comes();
	assert_true(binding_is(&storage.binding, storage.digest));
	put_back(&old);
	expect_refused(NV_BEFORE);
}

/* What waits for a keeper meanwhile is bound by the next one, however it was sealed. */
static void what_waited_without_a_keeper(void **state)
{
	a_day(1);
	take(&old);
	storage_keeper(&storage, TPM_KEEPER_NONE);
	change(2);
	assert_true(storage_hold(&storage));
	agent_comes();
	assert_true(binding_is(&storage.binding, storage.digest));
	put_back(&old);
	expect_refused(NV_BEFORE);
}

/* Coming and going costs a write only if there is something to bind. */
static void keepers_who_come_and_go(void **state)
{
	unsigned before;

	a_day(1);
	before = anchor.writes;
	for (unsigned i = 0; i < 10; i++) {
		storage_keeper(&storage, TPM_KEEPER_NONE);
		agent_comes();
	}
	assert_int_equal(anchor.writes, before);
}

/* ---- Wear ---- */

static void steps_come_to_an_end(void **state)
{
	unsigned taken = 0;

	a_day(1);
	for (storage_before(&storage); tpm.nv == VTPM_NV_AVAILABLE; storage_before(&storage)) {
		change((uint8_t)taken++);
		assert_true(storage_hold(&storage));
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
	assert_false(storage_hold(&storage));
	/* But time does. */
	fake.time += fake.khz != 0 ? STEP_NS / 1000000 * fake.khz : STEP_NS;
	storage_before(&storage);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	assert_true(storage_takes(&storage));
}

/* ---- Physical presence ---- */

static const uint8_t asked[16] = { 1, 0, 0, 0, 5 }, done[16] = { 1, 0, 0, 0, 0, 0, 0, 0, 5 };

static void forget(void)
{
	free((void *)(uintptr_t)storage.more.part[NV_PPI].bytes);
}

/* What is asked for is anchored as what a command changes is. */
static void a_request_is_anchored(void **state)
{
	a_day(1);
	take(&old);
	assert_true(storage_put_ppi(&storage, (struct nv_bytes){ asked, sizeof(asked) }));
	keep();
	take(&now);
	forget();
	put_back(&old);
	expect_refused(NV_BEFORE);
	put_back(&now);
	expect_used(1);
	forget();
}

/* With a keeper who may not flush nobody asks; but what a start makes of a request is kept. */
static void a_start_answers_a_request(void **state)
{
	a_day(1);
	assert_true(storage_put_ppi(&storage, (struct nv_bytes){ asked, sizeof(asked) }));
	keep();
	forget();
	expect_used(1);
	assert_memory_equal(storage.more.part[NV_PPI].bytes, asked, sizeof(asked));
	assert_false(storage_takes(&storage));
	change(7);
	assert_true(storage_put_ppi(&storage, (struct nv_bytes){ done, sizeof(done) }));
	keep();
	forget();
	expect_used(7);
	assert_memory_equal(storage.more.part[NV_PPI].bytes, done, sizeof(done));
	keep();
	agent_comes();
	assert_true(storage_takes(&storage));
	forget();
}

/* ---- Cuts ---- */

/* Whether a command failed. One lost on its way is waited for until the machine starts anew. */
static bool acknowledge(void)
{
	bool failed = false;

	for (unsigned tries = 0; storage_hold(&storage) && tries < 4; tries++) {
		write_only();
		failed |= storage_kept(&storage, told[0]) == TPM_STATUS_UNANCHORED;
	}
	return failed;
}

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

		setup_bound(NULL);
		anchor.fails_at = at;
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
			failed |= acknowledge();
			acknowledged = day;
		}
	}
	assert_true(at > 10);
}

/* The anchor's write is done and its answer lost: nothing else is sealed until that is known. */
static void nothing_is_sealed_beside_what_is_not_known(void **state)
{
	uint64_t waits;

	a_day(1);
	assert_int_equal(start(), TPM_STATE_KEPT);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_true(storage_hold(&storage));
	write_only();
	waits = told[0];
	anchor.fails_at = anchor.commands + 3;
	assert_int_equal(storage_kept(&storage, waits), TPM_STATUS_UNANCHORED);
	storage_before(&storage);
	assert_int_equal(tpm.nv, VTPM_NV_GONE);
	change(2);
	assert_true(storage_hold(&storage));
	assert_int_equal(told[0], waits);
	take(&old);
	put_back(&old);
	assert_int_equal(storage_kept(&storage, waits), REDOUBT_OK);
	assert_true(storage_hold(&storage));
	assert_int_not_equal(told[0], waits);
	keep();
	assert_true(binding_is(&storage.binding, storage.digest));
	expect_used(2);
}

/* A write that was kept from the TPM could be brought behind another one: so there is none. */
static void no_second_write_beside_one_that_is_not_known(void **state)
{
	unsigned before;

	a_day(1);
	command(2);
	write_only();
	before = anchor.writes;
	anchor.fails_at = anchor.commands + 2;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(storage_kept(&storage, told[0]), TPM_STATUS_UNANCHORED);
	assert_int_equal(anchor.writes, before);
	expect_used(2);
	keep();
	a_day(3);
	expect_used(3);
}

/* The loader could not keep it: there is no TPM. */
static void it_is_switched_off(void **state)
{
	assert_int_equal(start(), TPM_STATE_KEPT);
	storage_keeper(&storage, TPM_KEEPER_OFF);
	assert_int_equal(storage.mode, STORAGE_REFUSED);
	assert_int_equal(told[0], 0);
	assert_int_equal(fetch(), 0);
	assert_int_equal(open_it(), TPM_STATE_OPENED);
	/* Before it was opened, too. */
	machine_starts();
	storage_keeper(&storage, TPM_KEEPER_OFF);
	assert_int_equal(open_it(), TPM_STATE_OPENED);
}

/* Power goes behind the write, and in front of the anchor's, or behind it. */
static void no_cut_loses_a_state(void **state)
{
	a_day(1);
	for (uint8_t i = 2; i < 10; i++) {
		storage_keeper(&storage, TPM_KEEPER_SURE);
		command(i);
		write_only();
		if (i & 1)
			assert_int_equal(storage_kept(&storage, told[0]), REDOUBT_OK);
		expect_used(i);
		keep();
	}
}

/* What firmware has not flushed is lost with the power. */
static void what_was_loose_may_be_lost(void **state)
{
	take(&old);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(start(), TPM_STATE_KEPT);
		keep();
		put_back(&old);
	}
	a_day(1);
	take(&old);
	for (unsigned i = 0; i < 20; i++) {
		expect_used(1);
		keep();
		put_back(&old);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(goes_on, setup_bound),
	cmocka_unit_test_setup(older_ones_are_refused, setup_bound),
	cmocka_unit_test_setup(the_slot_before_is_refused, setup_bound),
	cmocka_unit_test_setup(one_that_was_never_acknowledged, setup_bound),
	cmocka_unit_test_setup(what_the_agent_binds_and_does_not_keep, setup_bound),
	cmocka_unit_test_setup(no_state_is_none_that_was_lost, setup_bound),
	cmocka_unit_test_setup(a_state_that_is_not_bound, setup_bound),
	cmocka_unit_test_setup(an_anchor_made_anew, setup_bound),
	cmocka_unit_test_setup(an_anchor_of_another_machine, setup_bound),
	cmocka_unit_test_setup(an_anchor_of_a_key_that_is_lost, setup_bound),
	cmocka_unit_test_setup(cuts_while_it_is_made_anew, setup_bound),
	cmocka_unit_test_setup(no_anchor_no_tpm, setup_bound),
	cmocka_unit_test_setup(a_part_that_is_none, setup_bound),
	cmocka_unit_test_setup(loose_states_have_a_start_in_them, setup_bound),
	cmocka_unit_test_setup(loose_at_work, setup_bound),
	cmocka_unit_test_setup(the_agent_binds_what_was_loose, setup_bound),
	cmocka_unit_test_setup(what_waited_without_a_keeper, setup_bound),
	cmocka_unit_test_setup(keepers_who_come_and_go, setup_bound),
	cmocka_unit_test_setup(steps_come_to_an_end, setup_bound),
	cmocka_unit_test_setup(a_request_is_anchored, setup_bound),
	cmocka_unit_test_setup(a_start_answers_a_request, setup_bound),
	cmocka_unit_test_setup(no_command_that_fails_loses_a_state, setup_bound),
	cmocka_unit_test_setup(nothing_is_sealed_beside_what_is_not_known, setup_bound),
	cmocka_unit_test_setup(no_second_write_beside_one_that_is_not_known, setup_bound),
	cmocka_unit_test_setup(it_is_switched_off, setup_bound),
	cmocka_unit_test_setup(no_cut_loses_a_state, setup_bound),
	cmocka_unit_test_setup(what_was_loose_may_be_lost, setup_bound),
};

UNIT_MAIN(tests)
