/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/nv_slots.c: every pair of slots that there can be, by a table and by what holds for all of
 * them; floors and lineages; a life of writes cut off at each byte (T63).
 */
#include <stdlib.h>

#include "guest/trustlets/rt/sha256.h"
#include "tests/unit/vtpm/nv_made.h"

#define SMALL (264u + 16u)

/* What a slot can have in it. Numbers are generations. */
enum specimen {
	ABSENT,
	UNREADABLE,
	EMPTY,
	ZEROS,
	SHORT,
	GARBAGE,
	TORN,
	LATER_FORMAT,
	NEWER,
	OTHER_MACHINE,
	BAD_FIELDS,
	NO_STATE,
	G4,
	G5,	 /* behind G4 */
	G5_AWAY, /* behind G4 as well, and another one */
	G6,	 /* behind G5 */
	G8,	 /* the same TPM, later */
	B5,	 /* another TPM */
	B6,	 /* behind B5 */
	C6,	 /* a third one that came here in the place of another at 6 */
	C7,	 /* behind C6 */
	R6,	 /* the first one, restored at 6 */
	SPECIMENS,
};

_Alignas(8) static uint8_t bytes[SPECIMENS][SMALL];
static uint8_t digests[SPECIMENS][32], payload[NV_PAYLOAD_MAX];
static struct nv_bytes slot[SPECIMENS];
static struct nv_choice choice;

static void make(enum specimen what, struct nv_header header, const uint8_t *parent)
{
	static const uint8_t sections[16] = { 1, 0, 0, 0, 5, 0, 0, 0, 's', 't', 'a', 't', 'e' };
	struct sha256 hash;

	if (parent)
		memcpy(header.parent, parent, 32);
	header.salt[0] = (uint8_t)what;
	made_file(&header, sections, sizeof(sections), bytes[what]);
	slot[what] = (struct nv_bytes){ bytes[what], SMALL };
	sha256_start(&hash);
	sha256_add(&hash, bytes[what], SMALL);
	sha256_end(&hash, digests[what]);
}

/* One that came here at this generation from elsewhere. */
static struct nv_header arrived(uint8_t tag, uint64_t generation, enum nv_kind kind)
{
	struct nv_header header = made_header(tag, generation);

	header.first = generation;
	header.kind = kind;
	memset(header.origin_digest, 0x99, 32);
	return header;
}

static void make_genuine(void)
{
	struct nv_header c7 = arrived('c', 6, NV_IMPORTED);

	make(G4, made_header('a', 4), NULL);
	make(G5, made_header('a', 5), digests[G4]);
	make(G5_AWAY, made_header('a', 5), digests[G4]);
	make(G6, made_header('a', 6), digests[G5]);
	make(G8, made_header('a', 8), NULL);
	make(B5, made_header('b', 5), NULL);
	make(B6, made_header('b', 6), digests[B5]);
	make(C6, arrived('c', 6, NV_IMPORTED), NULL);
	c7.generation = 7;
	make(C7, c7, digests[C6]);
	make(R6, arrived('a', 6, NV_RESTORED), NULL);
}

static void make_useless(void)
{
	struct nv_header header = made_header('a', 6);

	slot[ABSENT] = (struct nv_bytes){ NULL, 0 };
	slot[UNREADABLE] = (struct nv_bytes){ NULL, SMALL };
	slot[EMPTY] = (struct nv_bytes){ bytes[EMPTY], 0 };
	slot[ZEROS] = (struct nv_bytes){ bytes[ZEROS], SMALL };
	make(SHORT, header, NULL);
	slot[SHORT].size--;
	slot[GARBAGE] = (struct nv_bytes){ bytes[GARBAGE], SMALL };
	memset(bytes[GARBAGE], 0x5a, SMALL);
	make(TORN, header, NULL);
	memset(bytes[TORN] + 200, 0, SMALL - 200);
	make(LATER_FORMAT, header, NULL);
	bytes[LATER_FORMAT][8] = 2;
	made_mended(bytes[LATER_FORMAT], SMALL);
	fake.svn = SVN + 1;
	header.svn++;
	make(NEWER, header, NULL);
	fake.svn = SVN;
	header.svn--;
	made_machine = 1;
	make(OTHER_MACHINE, header, NULL);
	made_machine = 0;
	header.kind = 0;
	make(BAD_FIELDS, header, NULL);
	header.kind = NV_MANUFACTURED;
	made_file(&header, (const uint8_t[16]){ 9 }, 16, bytes[NO_STATE]);
	slot[NO_STATE] = (struct nv_bytes){ bytes[NO_STATE], SMALL };
}

static int start(void **state)
{
	made_start();
	make_genuine();
	make_useless();
	return 0;
}

static const struct nv_demand nothing;

static void choose(enum specimen a, enum specimen b, const struct nv_demand *demand)
{
	struct nv_bytes both[2] = { slot[a], slot[b] };

	memset(&choice, 0xee, sizeof(choice));
	memset(payload, 0xee, 64);
	nv_choose(both, demand, payload, &choice);
}

/* What comes with a current slot, and what there is without one. */
static void expect_current(enum specimen what)
{
	assert_int_equal(choice.outcome, NV_CURRENT);
	assert_int_equal(choice.next, !choice.current);
	assert_int_equal(choice.verdict[choice.current], NV_OK);
	assert_int_not_equal(choice.verdict[!choice.current], NV_OK);
	assert_memory_equal(&choice.header, bytes[what], sizeof(choice.header));
	assert_memory_equal(choice.digest, digests[what], 32);
	assert_int_equal(choice.content.part[0].size, 5);
	assert_memory_equal(choice.content.part[0].bytes, "state", 5);
}

static void expect_none(enum nv_outcome outcome)
{
	static const struct nv_header no_header;
	static const struct nv_content no_content;

	assert_int_equal(choice.outcome, outcome);
	assert_int_equal(choice.current, NV_SLOTS);
	assert_int_equal(choice.next, outcome == NV_NEVER ? 0 : NV_SLOTS);
	assert_memory_equal(&choice.header, &no_header, sizeof(no_header));
	assert_memory_equal(&choice.content, &no_content, sizeof(no_content));
	for (unsigned i = 0; i < 64; i++)
		assert_in_set(payload[i], ((const LargestIntegralType[]){ 0, 0xee }), 2);
}

/* ---- By a table ---- */

static const struct row {
	enum specimen a, b;
	enum nv_outcome outcome;
	enum nv_verdict for_a, for_b;
} rows[] = {
	{ ABSENT, ABSENT, NV_NEVER, NV_ABSENT, NV_ABSENT },
	{ ABSENT, ZEROS, NV_NEVER, NV_ABSENT, NV_BLANK },
	{ EMPTY, ZEROS, NV_NEVER, NV_BLANK, NV_BLANK },
	{ ABSENT, TORN, NV_UNUSABLE, NV_ABSENT, NV_DAMAGED },
	{ ABSENT, UNREADABLE, NV_UNUSABLE, NV_ABSENT, NV_UNREADABLE },
	{ GARBAGE, ZEROS, NV_UNUSABLE, NV_BAD_MAGIC, NV_BLANK },
	{ SHORT, TORN, NV_UNUSABLE, NV_BAD_SIZE, NV_DAMAGED },
	{ OTHER_MACHINE, ABSENT, NV_UNUSABLE, NV_NOT_GENUINE, NV_ABSENT },
	{ NO_STATE, BAD_FIELDS, NV_UNUSABLE, NV_BAD_CONTENT, NV_BAD_FIELD },
	{ G4, ABSENT, NV_CURRENT, NV_OK, NV_ABSENT },
	{ G4, TORN, NV_CURRENT, NV_OK, NV_DAMAGED },
	{ G4, GARBAGE, NV_CURRENT, NV_OK, NV_BAD_MAGIC },
	{ G4, UNREADABLE, NV_UNUSABLE, NV_HIDDEN, NV_UNREADABLE },
	{ C6, UNREADABLE, NV_UNUSABLE, NV_HIDDEN, NV_UNREADABLE },
	{ TORN, UNREADABLE, NV_UNUSABLE, NV_DAMAGED, NV_UNREADABLE },
	{ UNREADABLE, UNREADABLE, NV_UNUSABLE, NV_UNREADABLE, NV_UNREADABLE },
	{ G4, OTHER_MACHINE, NV_CURRENT, NV_OK, NV_NOT_GENUINE },
	{ G4, NO_STATE, NV_CURRENT, NV_OK, NV_BAD_CONTENT },
	{ G4, NEWER, NV_UNUSABLE, NV_SUPERSEDED, NV_NEWER },
	{ G4, LATER_FORMAT, NV_UNUSABLE, NV_SUPERSEDED, NV_BAD_VERSION },
	{ G5, G4, NV_CURRENT, NV_OK, NV_OLDER },
	{ G6, G5, NV_CURRENT, NV_OK, NV_OLDER },
	{ G6, G4, NV_CURRENT, NV_OK, NV_OLDER },
	{ G8, G5, NV_CURRENT, NV_OK, NV_OLDER },
	{ G5, G5, NV_CURRENT, NV_OK, NV_SAME },
	{ G5, G5_AWAY, NV_UNUSABLE, NV_TWICE, NV_TWICE },
	{ G6, G5_AWAY, NV_UNUSABLE, NV_FORKED, NV_FORKED },
	{ G5, B5, NV_UNUSABLE, NV_TWICE, NV_TWICE },
	{ G4, B5, NV_UNUSABLE, NV_FORKED, NV_FORKED },
	{ B6, G5, NV_UNUSABLE, NV_FORKED, NV_FORKED },
	{ C6, G5, NV_CURRENT, NV_OK, NV_OTHER_LINEAGE },
	{ C6, G4, NV_CURRENT, NV_OK, NV_OTHER_LINEAGE },
	{ C6, G6, NV_UNUSABLE, NV_TWICE, NV_TWICE },
	{ C7, C6, NV_CURRENT, NV_OK, NV_OLDER },
	{ C7, G5, NV_UNUSABLE, NV_FORKED, NV_FORKED },
	{ G8, C7, NV_UNUSABLE, NV_FORKED, NV_FORKED },
	{ R6, G5, NV_CURRENT, NV_OK, NV_OLDER },
	{ R6, G6, NV_UNUSABLE, NV_TWICE, NV_TWICE },
};

static void expect_row(const struct row *row, unsigned a)
{
	if (choice.outcome != row->outcome || choice.verdict[a] != row->for_a ||
	    choice.verdict[!a] != row->for_b)
		fail_msg("row %zu: %s; %s; %s", (size_t)(row - rows),
		    nv_outcome_sentence(choice.outcome), nv_sentence(choice.verdict[a]),
		    nv_sentence(choice.verdict[!a]));
	if (row->outcome == NV_CURRENT)
		expect_current(row->a);
	else
		expect_none(row->outcome);
}

/* And slots swapped say the same. */
static void t63_pairs_of_slots(void **state)
{
	for (unsigned i = 0; i < COUNT(rows); i++) {
		choose(rows[i].a, rows[i].b, &nothing);
		expect_row(&rows[i], 0);
		choose(rows[i].b, rows[i].a, &nothing);
		expect_row(&rows[i], rows[i].a != rows[i].b);
	}
}

/* ---- All pairs ---- */

static bool genuine(enum specimen what)
{
	return what >= G4;
}

/* It is what was written last, or may be. */
static bool later(enum specimen what)
{
	return what == NEWER || what == LATER_FORMAT || what == UNREADABLE;
}

static bool never(enum specimen what)
{
	return what == ABSENT || what == EMPTY || what == ZEROS;
}

static void check_pair(enum specimen a, enum specimen b)
{
	choose(a, b, &nothing);
	if (choice.outcome == NV_CURRENT) {
		enum specimen current = choice.current ? b : a;

		assert_true(genuine(current));
		assert_false(later(a) || later(b));
		expect_current(current);
		return;
	}
	assert_true((choice.outcome == NV_NEVER) == (never(a) && never(b)));
	expect_none(choice.outcome);
	if (genuine(a) != genuine(b))
		assert_true(later(a) || later(b));
}

static void t63_every_pair_there_can_be(void **state)
{
	for (enum specimen a = 0; a < SPECIMENS; a++) {
		for (enum specimen b = 0; b < SPECIMENS; b++) {
			struct nv_choice first;
			bool same = memcmp(&slot[a], &slot[b], sizeof(slot[a])) == 0;

			check_pair(a, b);
			first = choice;
			check_pair(b, a);
			assert_int_equal(choice.outcome, first.outcome);
			if (!same) {
				assert_int_equal(choice.verdict[0], first.verdict[1]);
				assert_int_equal(choice.verdict[1], first.verdict[0]);
			}
		}
	}
}

static void no_root_key(void **state)
{
	fake.refuse = REDOUBT_CALL_key_derive;
	choose(G5, G4, &nothing);
	expect_none(NV_UNUSABLE);
	assert_int_equal(choice.verdict[0], NV_NO_KEY);
}

/* ---- What else is known ---- */

static void t63_below_the_floor(void **state)
{
	struct nv_demand demand = { .has_floor = true };

	for (demand.floor = 0; demand.floor < 8; demand.floor++) {
		choose(G4, G5, &demand);
		assert_int_equal(choice.verdict[0], NV_OLDER);
		if (demand.floor <= 5) {
			expect_current(G5);
			continue;
		}
		expect_none(NV_UNUSABLE);
		assert_int_equal(choice.verdict[1], NV_BELOW_FLOOR);
	}
	demand.floor = 5;
	choose(TORN, G4, &demand);
	expect_none(NV_UNUSABLE);
	assert_int_equal(choice.verdict[1], NV_BELOW_FLOOR);
	demand.has_floor = false;
	choose(TORN, G4, &demand);
	expect_current(G4);
}

static void t63_nothing_there_though_there_was(void **state)
{
	struct nv_demand demand = { .has_floor = true };

	choose(ABSENT, ZEROS, &demand);
	expect_none(NV_NEVER);
	demand.floor = 1;
	choose(ABSENT, ZEROS, &demand);
	expect_none(NV_LOST);
	demand = (struct nv_demand){ .has_lineage = true };
	choose(ABSENT, ABSENT, &demand);
	expect_none(NV_LOST);
}

static void t63_another_tpm_than_the_one_wanted(void **state)
{
	struct nv_demand demand = { .has_lineage = true };

	memset(demand.lineage, 'a', sizeof(demand.lineage));
	choose(G5, B6, &demand);
	expect_current(G5);
	assert_int_equal(choice.verdict[1], NV_OTHER_LINEAGE);
	choose(G5, C6, &demand);
	expect_current(G5);
	choose(B5, B6, &demand);
	expect_none(NV_UNUSABLE);
	assert_int_equal(choice.verdict[0], NV_OTHER_LINEAGE);
	assert_int_equal(choice.verdict[1], NV_OTHER_LINEAGE);
	choose(G5, G5_AWAY, &demand);
	expect_none(NV_UNUSABLE);
}

/* ---- A life ---- */

static uint8_t disk[2][NV_FILE_MAX], new[NV_FILE_MAX];
static const struct nv_bytes both[2] = { { disk[0], NV_FILE_MAX }, { disk[1], NV_FILE_MAX } };

/* The next file, with a state that tells its generation, in `new`. */
static size_t next_file(const struct nv_choice *now, uint64_t *generation)
{
	uint8_t state[64];
	struct nv_content content = { { { state, sizeof(state) } } };
	struct nv_header header;

	if (now->outcome == NV_NEVER)
		nv_begin(1, &header);
	else
		nv_follow(&now->header, now->digest, &header);
	memset(state, (int)header.generation, sizeof(state));
	content.part[0].size -= header.generation % 5 * 8; /* so that something is left behind it */
	*generation = header.generation;
	assert_int_equal(nv_seal(&header, &content, new), NV_OK);
	return nv_size(&content);
}

/* The generation that a start now finds, 0: none. */
static uint64_t found(struct nv_choice *now)
{
	nv_choose(both, &nothing, payload, now);
	if (now->outcome == NV_NEVER)
		return 0;
	assert_int_equal(now->outcome, NV_CURRENT);
	assert_int_equal(now->content.part[0].bytes[0], (uint8_t)now->header.generation);
	return now->header.generation;
}

/*
 * Each write is cut off behind each of its bytes, then at sectors of 16 bytes that reach the disk
 * in any selection, then done: a start finds what was there before or what was written, and what
 * was there before unless all of it was.
 */
static void t63_power_cuts_at_each_byte(void **state)
{
	memset(disk, 0, sizeof(disk));
	for (uint64_t turn = 1; turn <= 12; turn++) {
		struct nv_choice now, after;
		uint64_t before = found(&now), generation;
		size_t size = next_file(&now, &generation);
		uint8_t *to = disk[now.next], old[512];

		assert_int_equal(generation, turn);
		assert_int_equal(before, turn - 1);
		memcpy(old, to, sizeof(old));
		for (size_t cut = 0; cut < size; cut += 1 + cut % 3) {
			memcpy(to, new, cut);
			if (before) /* the first one torn: an error, not a new TPM */
				assert_int_equal(found(&after), before);
			memcpy(to, old, sizeof(old));
		}
		for (unsigned i = 0; i < 32 && before; i++) {
			for (size_t at = 0; at < size; at += 16)
				if (random_next() & 1)
					memcpy(to + at, new + at, 16);
			assert_in_range(found(&after), before, generation);
			memcpy(to, old, sizeof(old));
		}
		memcpy(to, new, size);
		assert_int_equal(found(&after), generation);
	}
}

static void the_first_write_torn_is_an_error(void **state)
{
	struct nv_choice now;
	uint64_t generation;
	size_t size;

	memset(disk, 0, sizeof(disk));
	assert_int_equal(found(&now), 0);
	size = next_file(&now, &generation);
	memcpy(disk[now.next], new, size - 1);
	nv_choose(both, &nothing, payload, &now);
	assert_int_equal(now.outcome, NV_UNUSABLE);
	assert_int_equal(now.next, NV_SLOTS);
}

static void each_outcome_has_a_sentence(void **state)
{
	for (unsigned i = NV_CURRENT; i <= NV_UNUSABLE; i++)
		for (unsigned k = NV_CURRENT; k < i; k++)
			assert_string_not_equal(nv_outcome_sentence(i), nv_outcome_sentence(k));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(t63_pairs_of_slots, start),
	cmocka_unit_test_setup(t63_every_pair_there_can_be, start),
	cmocka_unit_test_setup(no_root_key, start),
	cmocka_unit_test_setup(t63_below_the_floor, start),
	cmocka_unit_test_setup(t63_nothing_there_though_there_was, start),
	cmocka_unit_test_setup(t63_another_tpm_than_the_one_wanted, start),
	cmocka_unit_test_setup(t63_power_cuts_at_each_byte, start),
	cmocka_unit_test_setup(the_first_write_torn_is_an_error, start),
	cmocka_unit_test_setup(each_outcome_has_a_sentence, start),
};

UNIT_MAIN(tests)
