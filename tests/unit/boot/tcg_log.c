/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/tcg_log.c against the bytes that the specifications have (TCG PC Client Platform Firmware
 * Profile 1.05, 10.2 and 10.4.5.1; TCG EFI Protocol Specification, 7). tpm2_eventlog judges a log
 * in judged.py.
 */
#include "boot/tcg_log.h"

#include <stdlib.h>

#include "boot/bytes.h"
#include "tests/unit/unit.h"

#define EVENT_HEADER 50u /* register, type, number of digests, algorithm, digest, size */
#define FINAL_HEADER 16u

/* 10.4.5.1: the first event is in the form of TPM 1.2. */
static const uint8_t first_event[] = {
	0, 0, 0, 0,						    /* register */
	3, 0, 0, 0,						    /* EV_NO_ACTION */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* digest of SHA-1's size */
	33, 0, 0, 0,						    /* bytes that follow */
	0x53, 0x70, 0x65, 0x63, 0x20, 0x49, 0x44, 0x20,		    /* "Spec ID " */
	0x45, 0x76, 0x65, 0x6e, 0x74, 0x30, 0x33, 0,		    /* "Event03" */
	0, 0, 0, 0,						    /* platform class: client */
	0, 2, 105,						    /* minor, major, errata */
	2,							    /* UINTN of 64 bits */
	1, 0, 0, 0,						    /* algorithms */
	0x0b, 0, 32, 0,						    /* TPM_ALG_SHA256, its size */
	0,							    /* vendor's bytes */
};

#define START sizeof(first_event)

static uint8_t *memory; /* exactly the log's room */

static void start(struct tcg_log *log, size_t room, bool final)
{
	free(memory);
	memory = malloc(room);
	memset(memory, 0xee, room);
	if (final)
		tcg_log_start_final(log, memory, room);
	else
		tcg_log_start(log, memory, room);
}

static struct tcg_event event_of(uint32_t pcr, const void *data, size_t size)
{
	struct tcg_event event = { .pcr = pcr, .type = EV_EFI_ACTION, .data = { data, size } };

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		event.digest[i] = (uint8_t)(0x40 + i);
	return event;
}

static bool add(struct tcg_log *log, size_t size)
{
	static const uint8_t data[4096] = { 0 };
	struct tcg_event event = event_of(4, data, size);

	return tcg_log_add(log, &event);
}

static int tear_down(void **state)
{
	free(memory);
	memory = NULL;
	return 0;
}

static void first_is_the_specs(void **state)
{
	struct tcg_log log;

	start(&log, START, false);
	assert_int_equal(log.used, START);
	assert_memory_equal(memory, first_event, START);
	assert_int_equal(log.last, 0);
	assert_int_equal(log.events, 0);
	assert_false(log.truncated);
}

/* 10.2.2, TCG_PCR_EVENT2. */
static void event_is_the_specs(void **state)
{
	static const uint8_t before[] = { 5, 0, 0, 0, 7, 0, 0, 0x80, 1, 0, 0, 0, 0x0b, 0 };
	static const uint8_t after[] = { 3, 0, 0, 0, 'a', 'b', 'c' };
	struct tcg_event event = event_of(5, "abc", 3);
	struct tcg_log log;

	start(&log, 1000, false);
	assert_true(tcg_log_add(&log, &event));
	assert_memory_equal(memory + START, before, sizeof(before));
	assert_memory_equal(memory + START + sizeof(before), event.digest, SHA256_BYTES);
	assert_memory_equal(memory + START + sizeof(before) + SHA256_BYTES, after, sizeof(after));
	assert_int_equal(log.used, START + EVENT_HEADER + 3);
	assert_int_equal(log.last, START);
	assert_int_equal(log.events, 1);
	assert_int_equal(memory[log.used], 0xee);
}

static void last_is_the_last(void **state)
{
	struct tcg_log log;

	start(&log, 1000, false);
	assert_true(add(&log, 7));
	assert_true(add(&log, 0));
	assert_int_equal(log.last, START + EVENT_HEADER + 7);
	assert_int_equal(log.used, START + 2 * EVENT_HEADER + 7);
	assert_int_equal(log.events, 2);
}

/* For each room: an event that fits to the byte, and one that is too large by a byte. */
static void room_is_used_to_the_byte(void **state)
{
	struct tcg_log log;

	for (size_t data = 0; data < 40; data++) {
		start(&log, START + EVENT_HEADER + data, false);
		assert_true(add(&log, data));
		assert_int_equal(log.used, log.room);
		assert_false(log.truncated);
		start(&log, START + EVENT_HEADER + data, false);
		assert_false(add(&log, data + 1));
		assert_true(log.truncated);
		assert_int_equal(log.used, START);
		assert_int_equal(log.events, 0);
		assert_int_equal(log.last, 0);
		assert_int_equal(memory[START], 0xee);
	}
	for (size_t more = 0; more < EVENT_HEADER; more++) {
		start(&log, START + more, false);
		assert_false(add(&log, 0));
		assert_true(log.truncated);
	}
}

static void sizes_do_not_wrap(void **state)
{
	struct tcg_event event = event_of(0, "", SIZE_MAX);
	struct tcg_log log;

	start(&log, START + 100, false);
	assert_false(tcg_log_add(&log, &event));
	event.data.size = SIZE_MAX - EVENT_HEADER + 1;
	start(&log, START + 100, false);
	assert_false(tcg_log_add(&log, &event));
}

/* A log with a hole would replay to something else: once one is left out, all are. */
static void nothing_behind_what_was_left_out(void **state)
{
	struct tcg_log log;

	start(&log, START + 200, false);
	assert_true(add(&log, 1));
	assert_false(add(&log, 1000));
	assert_false(add(&log, 0));
	assert_int_equal(log.events, 1);
	assert_int_equal(log.last, START);
	assert_int_equal(log.used, START + EVENT_HEADER + 1);
	assert_int_equal(memory[log.used], 0xee);
	assert_true(log.truncated);
}

/* EFI_TCG2_FINAL_EVENTS_TABLE: version 1, number of events. */
static void final_table_counts(void **state)
{
	struct tcg_log log;

	start(&log, FINAL_HEADER + 2 * EVENT_HEADER + 3, true);
	assert_int_equal(get64(memory), 1);
	assert_int_equal(get64(memory + 8), 0);
	assert_int_equal(log.used, FINAL_HEADER);
	assert_true(add(&log, 3));
	assert_int_equal(get64(memory + 8), 1);
	assert_int_equal(get32(memory + FINAL_HEADER), 4);
	assert_true(add(&log, 0));
	assert_int_equal(get64(memory + 8), 2);
	assert_int_equal(log.used, log.room);
	assert_false(add(&log, 0));
	assert_int_equal(get64(memory + 8), 2);
	assert_int_equal(get64(memory), 1);
	start(&log, 1000, false);
	assert_true(add(&log, 0));
	assert_memory_equal(memory, first_event, START);
}

/* SHA-256 of "abc": FIPS 180-4's example. */
static void digest_is_of_the_data(void **state)
{
	static const uint8_t abc[SHA256_BYTES] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
		0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
		0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
	struct tcg_event event = event_of(0, "other", 5);

	tcg_digest(&event, (struct blob){ (const uint8_t *)"abc", 3 });
	assert_memory_equal(event.digest, abc, SHA256_BYTES);
	assert_int_equal(event.data.size, 5);
}

#define LOG_TEST(name) cmocka_unit_test_teardown(name, tear_down)

static const struct CMUnitTest tests[] = {
	LOG_TEST(first_is_the_specs),
	LOG_TEST(event_is_the_specs),
	LOG_TEST(last_is_the_last),
	LOG_TEST(room_is_used_to_the_byte),
	LOG_TEST(sizes_do_not_wrap),
	LOG_TEST(nothing_behind_what_was_left_out),
	LOG_TEST(final_table_counts),
	LOG_TEST(digest_is_of_the_data),
};

UNIT_MAIN(tests)
