/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/storage.c above a made-up TPM: what is started with what, what is held until when, and what
 * a keeper that breaks off leaves (I12, T63).
 */
#include "vtpm/storage.h"

#include <stdlib.h>

#include "monitor/abi/call.h"
#include "tests/unit/vtpm/storage_made.h"

/* ---- Starts ---- */

static void test_first_start(void **state)
{
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.starts, 1);
	assert_true(tpm.was_new);
	assert_int_equal(tpm.startups, 1);
	expect_waits(1);
	assert_int_equal(storage.next, 0);
	keep();
	assert_int_equal(storage.current, 0);
	assert_int_equal(fetch(), 0);
	assert_false(storage_hold(&storage));
}

static void test_goes_on(void **state)
{
	open_it();
	keep();
	change(0x42);
	assert_true(storage_hold(&storage));
	expect_waits(2);
	keep();
	for (uint64_t generation = 3; generation < 8; generation++) {
		machine_starts();
		assert_int_equal(open_it(), TPM_STATE_KEPT);
		assert_false(tpm.was_new);
		assert_int_equal(tpm.state[STATE - 1], 0x42);
		assert_int_equal(tpm.state[0], 0x11 + generation - 1);
		expect_waits(generation);
		keep();
	}
}

/* Lineage and parents, as a reader with the key finds them. */
static void test_story(void **state)
{
	static uint8_t payload[NV_PAYLOAD_MAX];
	struct nv_header first, second;
	struct nv_content content;
	uint8_t digest[NV_DIGEST];

	to_work();
	change(1);
	assert_true(storage_hold(&storage));
	keep();
	assert_int_equal(nv_open((struct nv_bytes){ disk[0], NV_FILE_MAX }, payload, &first,
			     &content),
	    NV_OK);
	assert_int_equal(nv_open((struct nv_bytes){ disk[1], NV_FILE_MAX }, payload, &second,
			     &content),
	    NV_OK);
	nv_digest((struct nv_bytes){ disk[0], NV_FILE_MAX }, digest);
	assert_memory_equal(second.parent, digest, NV_DIGEST);
	assert_memory_equal(second.lineage, first.lineage, NV_ID);
	assert_int_equal(first.kind, NV_MANUFACTURED);
	assert_int_equal(first.flags, NV_LOOSE);
	assert_int_equal(second.flags, 0);
	assert_int_equal(second.generation, 2);
	assert_int_equal(content.part[NV_PERMANENT].size, STATE);
	assert_null(content.part[NV_VOLATILE].bytes);
}

/* Starts without an agent write one slot over and over: the one that is surely there stays. */
static void test_loose(void **state)
{
	static uint8_t sure[NV_FILE_MAX];
	unsigned slot;

	to_work();
	change(7);
	assert_true(storage_hold(&storage));
	slot = storage.next;
	keep();
	memcpy(sure, disk[slot], sizeof(sure));
	for (unsigned i = 0; i < 3; i++) {
		machine_starts();
		assert_int_equal(open_it(), TPM_STATE_KEPT);
		keep();
		change(8);
		assert_true(storage_hold(&storage));
		keep();
		assert_memory_equal(disk[slot], sure, sizeof(sure));
	}
	/* Of all that the disk may have lost all. */
	memset(disk[!slot] + 500, 0, 1000);
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 7);
	/* With an agent they go on in turn. */
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	change(9);
	assert_true(storage_hold(&storage));
	assert_int_equal(storage.next, slot);
	keep();
	change(10);
	assert_true(storage_hold(&storage));
	assert_int_equal(storage.next, !slot);
	keep();
}

static void expect_refused(enum nv_verdict first, enum nv_verdict second)
{
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	assert_int_equal(storage.verdict[0], first);
	assert_int_equal(storage.verdict[1], second);
	assert_int_equal(tpm.startups, 0);
	assert_false(storage_hold(&storage));
	expect_waits(0);
	assert_int_equal(storage_slot(&storage, 0, 0, mailbox, 1), TPM_STATUS_LATE);
}

/* Never a new TPM in the place of one that cannot be used. */
static void test_refused(void **state)
{
	open_it();
	keep();
	disk[0][300] ^= 1;
	machine_starts();
	expect_refused(NV_DAMAGED, NV_ABSENT);
	assert_int_equal(tpm.starts, 0);
	disk[0][300] ^= 1;
	machine_starts();
	fake.refuse = REDOUBT_CALL_key_derive;
	expect_refused(NV_NO_KEY, NV_ABSENT);
	fake.refuse = 0;
	machine_starts();
	made_machine = 1;
	expect_refused(NV_NOT_GENUINE, NV_ABSENT);
	made_machine = 0;
	machine_starts();
	there[0] = false;
	assert_int_equal(storage_slot(&storage, 1, 0, mailbox, 0), REDOUBT_OK);
	expect_refused(NV_ABSENT, NV_UNREADABLE);
	machine_starts();
	there[0] = true;
	assert_int_equal(storage_slot(&storage, 1, 0, mailbox, 0), REDOUBT_OK);
	expect_refused(NV_HIDDEN, NV_UNREADABLE);
	assert_int_equal(tpm.starts, 0);
	machine_starts();
	tpm.refuses = true;
	assert_int_equal(open_it(), TPM_STATE_REFUSED);
	assert_int_equal(tpm.startups, 0);
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
}

/* Given in part, and then found unreadable. */
static void test_unreadable_behind_a_piece(void **state)
{
	open_it();
	keep();
	machine_starts();
	hand_over(0);
	assert_int_equal(storage_slot(&storage, 0, 0, mailbox, 0), REDOUBT_OK);
	there[0] = false;
	expect_refused(NV_UNREADABLE, NV_ABSENT);
}

static void test_no_root_key(void **state)
{
	fake.refuse = REDOUBT_CALL_key_derive;
	assert_int_equal(open_it(), TPM_STATE_VOLATILE);
	assert_int_equal(tpm.startups, 1);
	expect_waits(0);
	change(1);
	assert_false(storage_hold(&storage));
	storage_keeper(&storage, TPM_KEEPER_NONE);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
}

static void test_once(void **state)
{
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(open_it(), TPM_STATE_OPENED);
	assert_int_equal(tpm.starts, 1);
	assert_int_equal(tpm.startups, 1);
	assert_int_equal(storage_slot(&storage, 0, 0, mailbox, 1), TPM_STATUS_LATE);
}

static void test_wrong_pieces(void **state)
{
	const uint64_t wrong[][3] = { { 3, 0, 1 }, { NOT_THERE, 0, 1 }, { 0, NV_FILE_MAX, 1 },
		{ 0, NV_FILE_MAX - 1, 2 }, { 0, NOT_THERE, 2 }, { 1, 0, TPM_PIECE_BYTES + 1 },
		{ 1, 0, NOT_THERE } };

	for (unsigned i = 0; i < COUNT(wrong); i++)
		assert_int_equal(storage_slot(&storage, wrong[i][0], wrong[i][1], mailbox,
				     wrong[i][2]),
		    REDOUBT_INVALID);
	assert_null(storage.slot[0]);
	assert_null(storage.slot[1]);
	assert_int_equal(open_it(), TPM_STATE_KEPT);
}

/* A state alone, not a whole slot, in pieces of any size and order. */
static void test_any_pieces(void **state)
{
	size_t size;

	open_it();
	size = fetch();
	memcpy(disk[0], written, size);
	keep();
	machine_starts();
	for (size_t end = size; end > 0;) {
		size_t bytes = end < 1000 ? end : 1000;

		end -= bytes;
		memcpy(mailbox, disk[0] + end, bytes);
		assert_int_equal(storage_slot(&storage, 1, end, mailbox, bytes), REDOUBT_OK);
	}
	there[0] = false;
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(storage.verdict[1], NV_OK);
	assert_int_equal(storage.current, 1);
	assert_int_equal(storage.next, 1);
}

/* ---- At work ---- */

static void test_held(void **state)
{
	to_work();
	assert_false(storage_hold(&storage));
	change(1);
	assert_true(storage_hold(&storage));
	expect_waits(2);
	/* Asked again, and by no other number. */
	assert_true(storage_hold(&storage));
	assert_int_equal(storage_kept(&storage, 1), TPM_STATUS_UNKNOWN);
	assert_int_equal(storage_kept(&storage, 3), TPM_STATUS_UNKNOWN);
	assert_int_equal(storage_kept(&storage, 0), TPM_STATUS_UNKNOWN);
	assert_true(storage_hold(&storage));
	keep();
	assert_false(storage_hold(&storage));
	assert_int_equal(storage_kept(&storage, 2), TPM_STATUS_UNKNOWN);
	assert_int_equal(storage_kept(&storage, 0), TPM_STATUS_UNKNOWN);
}

/* Behind what waits there is more: all of it goes to the same slot, by a number of its own. */
static void test_more_while_it_waits(void **state)
{
	to_work();
	change(1);
	assert_true(storage_hold(&storage));
	fetch();
	memcpy(disk[1], written, sizeof(written));
	there[1] = true;
	change(2);
	assert_true(storage_hold(&storage));
	expect_waits(3);
	assert_int_equal(storage.next, 1);
	/* Of what was written there nothing is kept. */
	assert_int_equal(storage_kept(&storage, 2), TPM_STATUS_UNKNOWN);
	expect_waits(3);
	keep();
	change(3);
	assert_true(storage_hold(&storage));
	keep();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 3);
	expect_waits(5);
}

/* The same before anything was ever written: it stays one TPM. */
static void test_more_at_first(void **state)
{
	uint8_t lineage[NV_ID];

	open_it();
	memcpy(lineage, storage.file_header.lineage, NV_ID);
	change(1);
	assert_true(storage_hold(&storage));
	expect_waits(2);
	assert_memory_equal(storage.file_header.lineage, lineage, NV_ID);
	keep();
	change(2);
	assert_true(storage_hold(&storage));
	keep();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 2);
	assert_memory_equal(storage.header.lineage, lineage, NV_ID);
}

/* A cut in the midst of a write, at any byte of a few: what was acknowledged is there. */
static void test_cut(void **state)
{
	static uint8_t before[NV_SLOTS][NV_FILE_MAX];
	size_t size;

	to_work();
	change(1);
	assert_true(storage_hold(&storage));
	keep();
	change(2);
	assert_true(storage_hold(&storage));
	assert_int_equal(storage.next, 0);
	size = fetch();
	memcpy(before, disk, sizeof(before));
	for (size_t cut = 0; cut <= size;
	     cut += cut == size || size - cut > 997 ? 997 : size - cut) {
		memcpy(disk, before, sizeof(disk));
		memcpy(disk[0], written, cut);
		machine_starts();
		assert_int_equal(open_it(), TPM_STATE_KEPT);
		assert_int_equal(tpm.state[STATE - 1], cut == size ? 2 : 1);
	}
}

static void test_keeper(void **state)
{
	to_work();
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	storage_keeper(&storage, TPM_KEEPER_NONE);
	assert_int_equal(tpm.nv, VTPM_NV_GONE);
	/* What changed nevertheless waits for a keeper. */
	change(3);
	assert_true(storage_hold(&storage));
	storage_keeper(&storage, TPM_KEEPER_SURE);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	expect_waits(2);
	keep();
}

/* Parts beside the states go from one file to the next. */
static void test_other_parts(void **state)
{
	static uint8_t payload[NV_PAYLOAD_MAX];
	struct nv_header header;
	struct nv_content content = { 0 };
	static const uint8_t key[5] = "key!", permanent[STATE] = { 9 }, old[3];

	content.part[NV_PERMANENT] = (struct nv_bytes){ permanent, STATE };
	content.part[NV_VOLATILE] = (struct nv_bytes){ old, sizeof(old) };
	content.part[NV_CA_KEY] = (struct nv_bytes){ key, sizeof(key) };
	nv_begin(5, &header);
	assert_int_equal(nv_seal(&header, &content, disk[0]), NV_OK);
	there[0] = true;
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	expect_waits(6);
	keep();
	assert_int_equal(nv_open((struct nv_bytes){ disk[1], NV_FILE_MAX }, payload, &header,
			     &content),
	    NV_OK);
	assert_int_equal(content.part[NV_CA_KEY].size, sizeof(key));
	assert_memory_equal(content.part[NV_CA_KEY].bytes, key, sizeof(key));
	assert_null(content.part[NV_VOLATILE].bytes);
	assert_null(content.part[NV_EK_CERTS].bytes);
	free((void *)(uintptr_t)storage.more.part[NV_CA_KEY].bytes);
}

/* ---- Physical presence ---- */

static const uint8_t asked[16] = { 1, 0, 0, 0, 5 }, withdrawn[16] = { 1 };

static void put(const uint8_t bytes[16])
{
	assert_true(storage_put_ppi(&storage, (struct nv_bytes){ bytes, 16 }));
}

static void expect_part(const uint8_t bytes[16])
{
	assert_int_equal(storage.more.part[NV_PPI].size, 16);
	assert_memory_equal(storage.more.part[NV_PPI].bytes, bytes, 16);
}

static void forget(void)
{
	free((void *)(uintptr_t)storage.more.part[NV_PPI].bytes);
}

/* Not before it is kept, and again at each start until it is withdrawn. */
static void test_request_is_kept(void **state)
{
	to_work();
	assert_null(storage.more.part[NV_PPI].bytes);
	put(asked);
	expect_waits(2);
	assert_true(storage_hold(&storage));
	forget();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_null(storage.more.part[NV_PPI].bytes);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
	put(asked);
	keep();
	assert_false(storage_hold(&storage));
	for (unsigned i = 0; i < 2; i++) {
		forget();
		machine_starts();
		assert_int_equal(open_it(), TPM_STATE_KEPT);
		expect_part(asked);
		keep();
	}
	storage_keeper(&storage, TPM_KEEPER_SURE);
	put(withdrawn);
	keep();
	forget();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	expect_part(withdrawn);
	forget();
}

/* While a command's state waits: both are in the one that is kept. */
static void test_request_behind_a_command(void **state)
{
	to_work();
	change(9);
	assert_true(storage_hold(&storage));
	expect_waits(2);
	put(asked);
	expect_waits(3);
	assert_int_equal(storage_kept(&storage, 2), TPM_STATUS_UNKNOWN);
	keep();
	forget();
	machine_starts();
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	assert_int_equal(tpm.state[STATE - 1], 9);
	expect_part(asked);
	forget();
}

static void test_takes_with_a_keeper_alone(void **state)
{
	assert_false(storage_takes(&storage));
	to_work();
	assert_true(storage_takes(&storage));
	storage_keeper(&storage, TPM_KEEPER_NONE);
	assert_false(storage_takes(&storage));
	storage_keeper(&storage, TPM_KEEPER_LOOSE);
	assert_true(storage_takes(&storage));
	machine_starts();
	fake.refuse = REDOUBT_CALL_key_derive;
	there[0] = there[1] = false;
	assert_int_equal(open_it(), TPM_STATE_VOLATILE);
	assert_false(storage_takes(&storage));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_first_start),
	TEST(test_goes_on),
	TEST(test_story),
	TEST(test_loose),
	TEST(test_refused),
	TEST(test_unreadable_behind_a_piece),
	TEST(test_no_root_key),
	TEST(test_once),
	TEST(test_wrong_pieces),
	TEST(test_any_pieces),
	TEST(test_held),
	TEST(test_more_while_it_waits),
	TEST(test_more_at_first),
	TEST(test_cut),
	TEST(test_keeper),
	TEST(test_other_parts),
	TEST(test_request_is_kept),
	TEST(test_request_behind_a_command),
	TEST(test_takes_with_a_keeper_alone),
};

UNIT_MAIN(tests)
