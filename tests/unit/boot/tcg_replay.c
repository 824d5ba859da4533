/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/tcg_replay.c: logs written down here, byte for byte, as the specification has them (TCG PC
 * Client Platform Firmware Profile 1.05, 10.2 and 10.4.5), and what is wrong with others.
 */
#include "boot/tcg_replay.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define ALG_SHA1    0x0004u
#define ALG_SHA256  0x000bu
#define ALG_SHA384  0x000cu
#define ALG_UNKNOWN 0x7777u

#define SPEC_HEAD 32u /* of the first event, up to its data */
#define TYPE_TEXT EV_EFI_ACTION

static uint8_t bytes[8192];
static size_t used;

static void put(uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[used++] = (uint8_t)(value >> 8 * i);
}

static void put_bytes(const void *from, size_t size)
{
	memcpy(bytes + used, from, size);
	used += size;
}

static void fill(uint8_t value, size_t size)
{
	memset(bytes + used, value, size);
	used += size;
}

struct form {
	unsigned count;
	uint16_t id[9], size[9];
};

static const struct form one = { 1, { ALG_SHA256 }, { 32 } };
static const struct form four = { 4, { ALG_SHA1, ALG_UNKNOWN, ALG_SHA256, ALG_SHA384 },
	{ 20, 7, 32, 48 } };

static const struct form *form; /* of the log that is being written */

static void start(const struct form *of, uint8_t vendor)
{
	form = of;
	used = 0;
	put(0, 4);
	put(EV_NO_ACTION, 4);
	fill(0, 20);
	put(28 + 4 * of->count + 1 + vendor, 4);
	put_bytes("Spec ID Event03", 16);
	put(0, 4);
	put(0x02690200, 4);
	put(of->count, 4);
	for (unsigned i = 0; i < of->count; i++) {
		put(of->id[i], 2);
		put(of->size[i], 2);
	}
	put(vendor, 1);
	fill(0xee, vendor);
}

/* The digest of SHA-256 is all `digest`, others are all ones. */
static size_t add(uint32_t pcr, uint32_t type, uint8_t digest, const void *data, uint32_t size)
{
	size_t at = used;

	put(pcr, 4);
	put(type, 4);
	put(form->count, 4);
	for (unsigned i = 0; i < form->count; i++) {
		put(form->id[i], 2);
		fill(form->id[i] == ALG_SHA256 ? digest : 0xff, form->size[i]);
	}
	put(size, 4);
	put_bytes(data, size);
	return at;
}

static size_t add_locality(uint8_t locality)
{
	uint8_t data[17] = "StartupLocality";

	data[16] = locality;
	return add(0, EV_NO_ACTION, 0, data, sizeof(data));
}

/* With memory that ends where the log does: the sanitizer sees each byte too many. */
static bool replays(size_t size, uint8_t pcr[REPLAY_PCRS][SHA256_BYTES])
{
	uint8_t *copy = malloc(size ? size : 1);
	bool good;

	memcpy(copy, bytes, size);
	good = tcg_replay((struct blob){ copy, size }, pcr);
	free(copy);
	return good;
}

static bool good(void)
{
	uint8_t pcr[REPLAY_PCRS][SHA256_BYTES];

	return replays(used, pcr);
}

static void extend(uint8_t pcr[SHA256_BYTES], uint8_t digest)
{
	uint8_t both[2 * SHA256_BYTES];
	struct sha256 hash;

	memcpy(both, pcr, SHA256_BYTES);
	memset(both + SHA256_BYTES, digest, SHA256_BYTES);
	sha256_start(&hash);
	sha256_add(&hash, both, sizeof(both));
	sha256_end(&hash, pcr);
}

static void registers_are_extended_in_order(void **state)
{
	const struct form *forms[] = { &one, &four };

	for (unsigned i = 0; i < COUNT(forms); i++) {
		uint8_t want[REPLAY_PCRS][SHA256_BYTES] = { 0 }, pcr[REPLAY_PCRS][SHA256_BYTES];

		start(forms[i], (uint8_t)(3 * i));
		add(0, EV_S_CRTM_VERSION, 1, "v", 1);
		add(4, TYPE_TEXT, 2, "text", 4);
		add(0xffffffffu, EV_NO_ACTION, 9, "no register", 11);
		add(4, EV_SEPARATOR, 3, "\0\0\0", 4);
		add(15, TYPE_TEXT, 4, "", 0);
		extend(want[0], 1);
		extend(want[4], 2);
		extend(want[4], 3);
		extend(want[15], 4);
		assert_true(replays(used, pcr));
		assert_memory_equal(pcr, want, sizeof(pcr));
	}
}

/* SHA-256 of 32 zeros and 32 times 0x01 by sha256sum. */
static void extension_is_the_specs(void **state)
{
	static const uint8_t want[SHA256_BYTES] = { 0x5c, 0x85, 0x95, 0x5f, 0x70, 0x92, 0x83, 0xec,
		0xce, 0x2b, 0x74, 0xf1, 0xb1, 0x55, 0x29, 0x18, 0x81, 0x9f, 0x39, 0x09, 0x11, 0x81,
		0x6e, 0x7b, 0xb4, 0x66, 0x80, 0x5a, 0x38, 0xab, 0x87, 0xf3 };
	uint8_t pcr[REPLAY_PCRS][SHA256_BYTES];

	start(&one, 0);
	add(7, EV_SEPARATOR, 1, "", 0);
	assert_true(replays(used, pcr));
	assert_memory_equal(pcr[7], want, SHA256_BYTES);
}

static void events_are_read(void **state)
{
	static const uint8_t digest[SHA256_BYTES] = { 0 };
	struct tcg_reader reader;
	struct tcg_event event;

	start(&four, 0);
	add(5, EV_EVENT_TAG, 0x5a, "abc", 3);
	add(3, EV_NO_ACTION, 0x5a, "", 0);
	assert_true(tcg_read_start(&reader, (struct blob){ bytes, used }));
	assert_true(tcg_read(&reader, &event));
	assert_int_equal(event.pcr, 5);
	assert_int_equal(event.type, EV_EVENT_TAG);
	assert_int_equal(event.digest[0], 0x5a);
	assert_int_equal(event.digest[31], 0x5a);
	assert_int_equal(event.data.size, 3);
	assert_memory_equal(event.data.data, "abc", 3);
	assert_true(tcg_read(&reader, &event));
	assert_int_equal(event.type, EV_NO_ACTION);
	assert_memory_equal(event.digest, digest, sizeof(digest));
	assert_int_equal(reader.rest.size, 0);
	assert_false(tcg_read(&reader, &event));
}

/* A log that was cut off is malformed, unless that is between two events. */
static void every_cut(void **state)
{
	uint8_t pcr[REPLAY_PCRS][SHA256_BYTES];
	size_t bounds[4];

	start(&four, 2);
	bounds[0] = used;
	add(0, EV_SEPARATOR, 1, "\0\0\0", 4);
	bounds[1] = used;
	add(1, TYPE_TEXT, 1, "", 0);
	bounds[2] = used;
	add_locality(0);
	bounds[3] = used;
	for (size_t size = 0; size <= used; size++) {
		bool between = false;

		for (unsigned i = 0; i < COUNT(bounds); i++)
			between |= size == bounds[i];
		/* The locality comes too late, behind an event of PCR 0. */
		assert_int_equal(replays(size, pcr), between && size != used);
	}
}

static void wrong_forms(void **state)
{
	static const struct form none = { 0 },
				 without = { 2, { ALG_SHA1, ALG_SHA384 }, { 20, 48 } },
				 twice = { 2, { ALG_SHA256, ALG_SHA256 }, { 32, 32 } },
				 short_one = { 1, { ALG_SHA256 }, { 20 } },
				 too_many = { 9, { 1, 2, 3, 4, 5, 6, 7, ALG_SHA256, 9 },
					 { 1, 1, 1, 1, 1, 1, 1, 32, 1 } };
	const struct form *wrong[] = { &none, &without, &twice, &short_one, &too_many };

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		start(wrong[i], 0);
		assert_false(good());
	}
	start(&one, 255);
	assert_true(good());
}

/* Each byte of the first event that says something. */
static void wrong_first_events(void **state)
{
	static const size_t says[] = { 0, 3, 4, 28, 29, 31, SPEC_HEAD, SPEC_HEAD + 15,
		SPEC_HEAD + 24, SPEC_HEAD + 27, SPEC_HEAD + 28, SPEC_HEAD + 30, SPEC_HEAD + 32 };

	for (unsigned i = 0; i < COUNT(says); i++) {
		start(&one, 0);
		bytes[says[i]] ^= 1;
		assert_false(good());
	}
	start(&one, 1);
	bytes[28]++; /* a byte behind the vendor's */
	put(0, 1);
	assert_false(good());
}

static void wrong_events(void **state)
{
	size_t at;

	start(&four, 0);
	add(16, TYPE_TEXT, 1, "", 0); /* a register that can be reset */
	assert_false(good());
	start(&four, 0);
	at = add(4, TYPE_TEXT, 1, "", 0);
	bytes[at + 8] = 5; /* digests */
	assert_false(good());
	start(&four, 0);
	at = add(4, TYPE_TEXT, 1, "", 0);
	bytes[at + 12] = 0x55; /* an algorithm that the log has not */
	assert_false(good());
	start(&one, 0);
	at = add(4, TYPE_TEXT, 1, "", 0);
	memset(bytes + used - 4, 0xff, 4); /* size of data */
	assert_false(good());
	start(&one, 0);
	at = add(4, TYPE_TEXT, 1, "", 0);
	bytes[at + 8] = 0; /* no digest: what follows is read as data, and those are too long */
	assert_false(good());
}

/* What is extended has a digest of SHA-256, and one; an EV_NO_ACTION may have none. */
static void digests(void **state)
{
	static const struct form two = { 2, { ALG_UNKNOWN, ALG_SHA256 }, { 32, 32 } };
	size_t at;

	for (unsigned type = EV_NO_ACTION; type <= EV_SEPARATOR; type++) {
		start(&two, 0);
		put(1, 4);
		put(type, 4);
		put(1, 4);
		put(ALG_UNKNOWN, 2);
		fill(1, 32);
		put(0, 4);
		assert_int_equal(good(), type == EV_NO_ACTION);
	}
	start(&two, 0);
	at = add(1, EV_SEPARATOR, 1, "", 0);
	assert_true(good());
	bytes[at + 12] = ALG_SHA256;
	bytes[at + 13] = 0;
	assert_false(good());
}

static void locality_begins_register_0(void **state)
{
	uint8_t want[SHA256_BYTES] = { 0 }, pcr[REPLAY_PCRS][SHA256_BYTES];

	start(&one, 0);
	add_locality(3);
	add(1, EV_SEPARATOR, 1, "", 0);
	want[31] = 3;
	assert_true(replays(used, pcr));
	assert_memory_equal(pcr[0], want, sizeof(want));
	add(0, EV_SEPARATOR, 7, "", 0);
	extend(want, 7);
	assert_true(replays(used, pcr));
	assert_memory_equal(pcr[0], want, sizeof(want));
	add_locality(3);
	assert_false(good());
	start(&one, 0);
	add_locality(0);
	add_locality(0);
	assert_false(good());
}

static void localities_are_told_apart(void **state)
{
	struct tcg_event event = { .type = EV_NO_ACTION,
		.data = { (const uint8_t *)"StartupLocality\0\4", 17 } };
	uint8_t locality = 0;

	assert_true(tcg_tells_locality(&event, &locality));
	assert_int_equal(locality, 4);
	event.data.size = 16;
	assert_false(tcg_tells_locality(&event, &locality));
	event.data = (struct blob){ (const uint8_t *)"StartupLocalitx\0\4", 17 };
	assert_false(tcg_tells_locality(&event, &locality));
	event.data = (struct blob){ (const uint8_t *)"StartupLocality\0\4", 17 };
	event.type = EV_SEPARATOR;
	assert_false(tcg_tells_locality(&event, &locality));
}

/* Memory behind the log is not the log's. */
static void log_ends_with_its_last_event(void **state)
{
	size_t at[3], end;

	start(&four, 0);
	end = used;
	at[0] = add(0, EV_S_CRTM_VERSION, 1, "abc", 3);
	at[1] = add(0, TYPE_TEXT, 1, "", 0);
	at[2] = used;
	fill(0xff, 100);
	assert_int_equal(tcg_log_bytes((struct blob){ bytes, used }, 0), end);
	assert_int_equal(tcg_log_bytes((struct blob){ bytes, used }, at[0]), at[1]);
	assert_int_equal(tcg_log_bytes((struct blob){ bytes, used }, at[1]), at[2]);
	for (size_t last = 1; last < used + 10; last++)
		if (last != at[0] && last != at[1])
			assert_int_equal(tcg_log_bytes((struct blob){ bytes, used }, last), 0);
	assert_int_equal(tcg_log_bytes((struct blob){ bytes, at[2] - 1 }, at[1]), 0);
	assert_int_equal(tcg_log_bytes((struct blob){ bytes, end - 1 }, 0), 0);
}

static void final_events_are_counted(void **state)
{
	struct tcg_reader reader;
	struct blob more;
	size_t at[3], size;

	start(&four, 0);
	at[0] = add(0, EV_S_CRTM_VERSION, 1, "abc", 3);
	at[1] = add(0, TYPE_TEXT, 1, "", 0);
	at[2] = used;
	fill(0xff, 100);
	assert_true(tcg_read_start(&reader, (struct blob){ bytes, used }));
	more = reader.rest;
	for (unsigned count = 0; count < 3; count++) {
		assert_true(tcg_events_bytes(&reader, more, count, &size));
		assert_int_equal(size, at[count] - at[0]);
	}
	assert_false(tcg_events_bytes(&reader, more, 3, &size));
	assert_false(tcg_events_bytes(&reader, more, UINT64_MAX, &size));
}

/* Events of one log are given as logged again, from each to each. */
static void overlaps(void **state)
{
	size_t at[4];
	struct blob log;

	start(&one, 0);
	for (unsigned i = 0; i < 3; i++)
		at[i] = add(i, TYPE_TEXT, (uint8_t)i, "abc", i);
	at[3] = used;
	for (unsigned end = 0; end < 4; end++) {
		log = (struct blob){ bytes, at[end] };
		for (unsigned from = 0; from < 4; from++)
			assert_int_equal(tcg_log_overlap(log,
					     (struct blob){ bytes + at[from], used - at[from] }),
			    from < end ? at[end] - at[from] : 0);
	}
	/* Twice the same event: as many as can be. */
	start(&one, 0);
	at[0] = add(1, TYPE_TEXT, 1, "", 0);
	at[1] = add(1, TYPE_TEXT, 1, "", 0);
	assert_int_equal(tcg_log_overlap((struct blob){ bytes, used },
			     (struct blob){ bytes + at[0], used - at[0] }),
	    used - at[0]);
	assert_int_equal(tcg_log_overlap((struct blob){ bytes, used },
			     (struct blob){ bytes + at[1], used - at[1] }),
	    used - at[1]);
	assert_int_equal(tcg_log_overlap((struct blob){ bytes, 10 }, (struct blob){ bytes, 10 }),
	    0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(registers_are_extended_in_order),
	cmocka_unit_test(extension_is_the_specs),
	cmocka_unit_test(events_are_read),
	cmocka_unit_test(every_cut),
	cmocka_unit_test(wrong_forms),
	cmocka_unit_test(wrong_first_events),
	cmocka_unit_test(wrong_events),
	cmocka_unit_test(digests),
	cmocka_unit_test(locality_begins_register_0),
	cmocka_unit_test(localities_are_told_apart),
	cmocka_unit_test(log_ends_with_its_last_event),
	cmocka_unit_test(final_events_are_counted),
	cmocka_unit_test(overlaps),
};

UNIT_MAIN(tests)
