/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/audit.c (T74), and the calls that read it.
 */
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/abi/result.h"
#include "monitor/audit.h"
#include "monitor/lib/sha256.h"
#include "monitor/log.h"
#include "tests/unit/unit.h"

#define EVENT	    REDOUBT_AUDIT_CR_WRITE
#define OTHER	    REDOUBT_AUDIT_MSR_READ
#define GUEST_FRAME 0x300000ull

static uint64_t log_start;
static uint64_t epoch;
static uint64_t subject; /* none like it was before; a test uses those from here on */

/* Budgets are full again. */
static void refill(void)
{
	epoch += 1ull << 50;
	host_set_cycles(epoch, 0);
}

static int fresh(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	refill();
	subject += 1ull << 32;
	log_start = log_end();
	return 0;
}

static struct redoubt_audit_record newest(uint64_t age)
{
	struct redoubt_audit_record record = { 0 };
	struct log_part part = audit_copy(audit_end() - 1 - age, &record, 1);

	assert_int_equal(part.copied, 1);
	assert_int_equal(part.lost, 0);
	return record;
}

static unsigned lines_with(const char *what)
{
	static char text[LOG_BYTES + 1];
	struct log_part part = log_copy(log_start, text, LOG_BYTES);
	unsigned count = 0;

	text[part.copied] = '\0';
	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

static void record_holds_the_facts(void **state)
{
	struct redoubt_audit_record record;
	uint64_t total = audit_total(EVENT);
	uint64_t end = audit_end();

	host_on(1);
	audit(EVENT, subject, 100);
	host_on(0);
	record = newest(0);
	assert_int_equal(record.number, end);
	assert_true(record.cycles >= epoch);
	assert_int_equal(record.event, EVENT);
	assert_int_equal(record.cpu, 1);
	assert_int_equal(record.subject, subject);
	assert_int_equal(record.fact, 100);
	assert_int_equal(record.count, 1);
	assert_int_equal(record.total, total + 1);
	assert_int_equal(audit_end(), end + 1);
}

static void equal_subjects_coalesce(void **state)
{
	struct redoubt_audit_record first, record;
	uint64_t end = audit_end();
	uint64_t total = audit_total(EVENT);

	audit(EVENT, subject, 0);
	first = newest(0);
	for (unsigned i = 1; i < 1000; i++)
		audit(EVENT, subject, i);
	/* 1, 2, 4 ... 512. */
	assert_int_equal(audit_end(), end + 10);
	record = newest(0);
	assert_int_equal(record.count, 512);
	assert_int_equal(record.fact, 511);
	assert_int_equal(record.unrecorded, 255);
	assert_int_equal(record.total, total + 512);
	assert_int_equal(audit_total(EVENT), total + 1000);
	audit(OTHER, subject, 0);
	assert_int_equal(newest(0).count, 1);
	/* What was appended is as it was. */
	record = newest(10);
	assert_memory_equal(&record, &first, sizeof(first));
}

/* The chain, as a reader checks it who has the call's frames alone. */
static void expect_chain(uint64_t from)
{
	struct redoubt_audit_record record, next;
	uint8_t digest[SHA256_BYTES];
	struct call head = { REDOUBT_CALL_audit_head, { 0 } };
	struct sha256 hash;

	for (uint64_t at = from; at < audit_end(); at++) {
		assert_int_equal(audit_copy(at, &record, 1).copied, 1);
		assert_int_equal(record.number, at);
		sha256_start(&hash);
		sha256_add(&hash, &record, sizeof(record));
		sha256_end(&hash, digest);
		if (at + 1 == audit_end())
			break;
		audit_copy(at + 1, &next, 1);
		assert_memory_equal(digest, next.chain, sizeof(digest));
	}
	monitor_call(&head);
	assert_int_equal(head.rax, REDOUBT_OK);
	assert_memory_equal(head.regs, digest, sizeof(digest));
}

static void wrap(void)
{
	for (unsigned i = 0; i < AUDIT_RECORDS + 7; i++) {
		if (i % AUDIT_BURST == 0)
			refill();
		audit(OTHER, subject + i, i);
	}
}

static void oldest_gives_way_and_is_counted(void **state)
{
	struct redoubt_audit_record record;
	uint64_t first = audit_end();
	struct log_part part;

	wrap();
	assert_int_equal(audit_end(), first + AUDIT_RECORDS + 7);
	part = audit_copy(first, &record, 1);
	assert_int_equal(part.lost, 7);
	assert_int_equal(part.copied, 1);
	assert_int_equal(part.next, first + 8);
	assert_int_equal(record.number, first + 7);
	assert_int_equal(record.fact, 7);
	expect_chain(first + 7);
}

/* The chain starts from zeros: this runs first. */
static void first_record_follows_no_head(void **state)
{
	static const uint8_t zeros[SHA256_BYTES];
	struct redoubt_audit_record record;

	assert_int_equal(audit_end(), 0);
	audit(EVENT, subject, 0);
	audit(EVENT, subject, 0);
	record = newest(1);
	assert_int_equal(record.number, 0);
	assert_memory_equal(record.chain, zeros, sizeof(zeros));
	expect_chain(0);
}

/* T74: a million subjects of one id neither push out another's record nor go uncounted. */
static void flood_of_subjects_leaves_evidence(void **state)
{
	struct redoubt_audit_record evidence, record;
	uint64_t at = audit_end(), total = audit_total(EVENT);

	audit(OTHER, subject, 0x1234);
	evidence = newest(0);
	for (unsigned i = 0; i < 1000000; i++)
		audit(EVENT, subject + i, i);
	assert_int_equal(audit_end(), at + 1 + AUDIT_BURST);
	assert_int_equal(audit_copy(at, &record, 1).lost, 0);
	assert_memory_equal(&record, &evidence, sizeof(record));
	assert_int_equal(audit_total(EVENT), total + 1000000);
	host_set_cycles(epoch + AUDIT_REFILL_CYCLES, 0);
	audit(EVENT, subject - 1, 0);
	assert_int_equal(newest(0).unrecorded, 1000000 - AUDIT_BURST);
	assert_int_equal(newest(0).total, total + 1000001);
	expect_chain(at);
}

/* All ids at once: the bursts of all leave half of the ring as it was. */
static void flood_of_all_ids_leaves_evidence(void **state)
{
	uint64_t at = audit_end();

	for (unsigned i = 0; i < 10000; i++)
		for (unsigned event = 0; event < REDOUBT_AUDIT_LAST; event++)
			audit(event, subject + i, 0);
	assert_true(audit_end() - at <= AUDIT_RECORDS / 2);
}

static void kinds_are_told_apart_as_far_as_there_is_room(void **state)
{
	uint64_t end;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < AUDIT_KINDS / 2; i++)
			audit(EVENT, subject + i, round);
	/* Counts 1 and 2 made records, 3 did not. */
	assert_int_equal(newest(0).count, 2);
	refill();
	end = audit_end();
	audit(EVENT, subject, 0);
	assert_int_equal(newest(0).count, 4);
	for (unsigned i = 0; i < AUDIT_KINDS; i++)
		audit(EVENT, subject + 1000 + i, 0);
	refill();
	audit(EVENT, subject, 0);
	assert_int_equal(newest(0).count, 1);
	assert_true(audit_end() > end + 2);
}

static void flood_of_subjects_is_cut_short_in_the_log(void **state)
{
	for (unsigned i = 0; i < 10000; i++)
		audit(EVENT, subject + i, 0);
	assert_int_equal(lines_with("audit CR_WRITE "), AUDIT_BURST);
	/* Another id is not the worse for it. */
	audit(OTHER, subject, 0);
	assert_int_equal(lines_with("audit MSR_READ "), 1);
}

static void what_made_no_record_is_told_later(void **state)
{
	char expected[40];

	for (unsigned i = 0; i < 1000; i++)
		audit(EVENT, subject + i, 0);
	host_set_cycles(epoch + AUDIT_REFILL_CYCLES, 0);
	audit(EVENT, subject + 5000, 0);
	assert_int_equal(lines_with("audit CR_WRITE "), AUDIT_BURST + 1);
	snprintf(expected, sizeof(expected), "unrecorded=%u\n", 1000 - AUDIT_BURST);
	assert_int_equal(lines_with(expected), 1);
	audit(EVENT, subject + 5001, 0);
	assert_int_equal(lines_with("audit CR_WRITE "), AUDIT_BURST + 1);
	/* Time that runs backwards refills nothing. */
	host_set_cycles(epoch - (1ull << 40), 0);
	audit(EVENT, subject + 5002, 0);
	assert_int_equal(lines_with("audit CR_WRITE "), AUDIT_BURST + 1);
}

static void unknown_events_are_counted_apart(void **state)
{
	uint64_t before = audit_total(0);

	audit(REDOUBT_AUDIT_LAST, subject, 0);
	audit(~0u, subject + 1, 0);
	assert_int_equal(audit_total(0), before + 2);
	assert_int_equal(lines_with("audit UNKNOWN "), 2);
	assert_int_equal(newest(0).event, 0);
}

/* ---- The calls ---- */

static struct call audit_read(uint64_t position, uint64_t frame, uint64_t count)
{
	struct call call = { REDOUBT_CALL_audit_read, { position, frame, count } };

	monitor_call(&call);
	return call;
}

static void test_call_audit_read(void **state)
{
	const size_t size = sizeof(struct redoubt_audit_record);
	struct redoubt_audit_record expected[REDOUBT_AUDIT_PAGE];
	uint8_t seen[FRAME_SIZE], marked[FRAME_SIZE];
	uint64_t end;

	wrap();
	end = audit_end();
	for (uint64_t count = 1; count <= REDOUBT_AUDIT_PAGE; count++) {
		uint64_t position = end - 20;
		uint64_t copied = count < 20 ? count : 20;
		struct call call;

		memset(marked, 0xee, sizeof(marked));
		host_poke(GUEST_FRAME, marked, sizeof(marked));
		call = audit_read(position, GUEST_FRAME, count);
		assert_int_equal(call.rax, REDOUBT_OK);
		assert_int_equal(call.regs[0], position + copied);
		assert_int_equal(call.regs[1], copied);
		assert_int_equal(call.regs[2], 0);
		assert_int_equal(call.regs[3], 0);
		host_peek(GUEST_FRAME, seen, sizeof(seen));
		audit_copy(position, expected, count);
		assert_memory_equal(seen, expected, copied * size);
		/* Not one byte more than it said (T43). */
		assert_memory_equal(seen + copied * size, marked, FRAME_SIZE - copied * size);
	}
	assert_int_equal(audit_read(end, GUEST_FRAME, 1).regs[1], 0);
	assert_int_equal(audit_read(0, GUEST_FRAME, 1).regs[2], end - AUDIT_RECORDS);
}

static void expect_error(struct call call, enum redoubt_status status, unsigned arg)
{
	assert_int_equal(redoubt_status_of(call.rax), status);
	assert_int_equal(redoubt_status_arg(call.rax), arg);
	for (unsigned i = 0; i < CALL_REGS; i++)
		assert_int_equal(call.regs[i], 0);
}

static void audit_read_refuses(void **state)
{
	expect_error(audit_read(audit_end() + 1, GUEST_FRAME, 1), REDOUBT_INVALID, 1);
	expect_error(audit_read(~0ull, GUEST_FRAME, 1), REDOUBT_INVALID, 1);
	expect_error(audit_read(0, GUEST_FRAME + 8, 1), REDOUBT_ALIGNMENT, 2);
	expect_error(audit_read(0, GUEST_FRAME, 0), REDOUBT_INVALID, 3);
	expect_error(audit_read(0, GUEST_FRAME, REDOUBT_AUDIT_PAGE + 1), REDOUBT_INVALID, 3);
	expect_error(audit_read(0, GUEST_FRAME, ~0ull), REDOUBT_INVALID, 3);
	expect_error(audit_read(0, host_info()->region_base, 1), REDOUBT_RANGE, 2);
	expect_error(audit_read(0, 0xa0000, 1), REDOUBT_RANGE, 2);
	expect_error(audit_read(0, ~0xfffull, 1), REDOUBT_RANGE, 2);
	/* Nothing stays locked. */
	assert_int_equal(audit_read(0, GUEST_FRAME, 1).rax, REDOUBT_OK);
}

static void test_call_audit_head(void **state)
{
	struct call before = { REDOUBT_CALL_audit_head, { 0 } };
	struct call after = before;

	monitor_call(&before);
	assert_int_equal(before.rax, REDOUBT_OK);
	audit(EVENT, subject, 0);
	expect_chain(audit_end() - 1);
	monitor_call(&after);
	assert_memory_not_equal(before.regs, after.regs, sizeof(before.regs));
	assert_memory_equal(newest(0).chain, before.regs, sizeof(before.regs));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(first_record_follows_no_head, fresh),
	cmocka_unit_test_setup(record_holds_the_facts, fresh),
	cmocka_unit_test_setup(equal_subjects_coalesce, fresh),
	cmocka_unit_test_setup(oldest_gives_way_and_is_counted, fresh),
	cmocka_unit_test_setup(flood_of_subjects_leaves_evidence, fresh),
	cmocka_unit_test_setup(flood_of_all_ids_leaves_evidence, fresh),
	cmocka_unit_test_setup(kinds_are_told_apart_as_far_as_there_is_room, fresh),
	cmocka_unit_test_setup(flood_of_subjects_is_cut_short_in_the_log, fresh),
	cmocka_unit_test_setup(what_made_no_record_is_told_later, fresh),
	cmocka_unit_test_setup(unknown_events_are_counted_apart, fresh),
	cmocka_unit_test_setup(test_call_audit_read, fresh),
	cmocka_unit_test_setup(audit_read_refuses, fresh),
	cmocka_unit_test_setup(test_call_audit_head, fresh),
};

UNIT_MAIN(tests)
