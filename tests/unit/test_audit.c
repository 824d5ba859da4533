/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/audit.c (T74).
 */
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/log.h"
#include "tests/unit/unit.h"

#define EVENT REDOUBT_AUDIT_CR_WRITE
#define OTHER REDOUBT_AUDIT_MSR_READ

static uint64_t log_start;
static uint64_t epoch;

/* Records of the tests before are pushed out; line budgets are full again. */
static int fresh(void **state)
{
	struct host_machine machine = host_default();
	static uint64_t subject = 1ull << 40;

	host_build(&machine);
	epoch += 1ull << 50;
	host_set_cycles(epoch, 0);
	for (unsigned i = 0; i < AUDIT_RECORDS; i++)
		audit(REDOUBT_AUDIT_TRIPLE_FAULT, subject++, 0);
	epoch += 1ull << 50;
	host_set_cycles(epoch, 0);
	log_start = log_end();
	return 0;
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

static void equal_subjects_coalesce(void **state)
{
	struct audit_record record;
	uint64_t total = audit_total(EVENT);

	host_on(1);
	audit(EVENT, 7, 100);
	host_on(0);
	audit(EVENT, 7, 200);
	audit(EVENT, 8, 300);
	audit(OTHER, 7, 400);
	assert_true(audit_get(2, &record));
	assert_int_equal(record.event, EVENT);
	assert_int_equal(record.cpu, 1);
	assert_int_equal(record.subject, 7);
	assert_int_equal(record.fact, 100);
	assert_int_equal(record.count, 2);
	assert_true(audit_get(1, &record));
	assert_int_equal(record.subject, 8);
	assert_true(audit_get(0, &record));
	assert_int_equal(record.event, OTHER);
	assert_int_equal(audit_total(EVENT), total + 3);
}

static void oldest_gives_way_and_is_counted(void **state)
{
	uint64_t lost = audit_lost();
	struct audit_record record;

	audit(EVENT, 1, 0);
	for (unsigned i = 0; i < AUDIT_RECORDS - 1; i++)
		audit(OTHER, 1000 + i, 0);
	assert_true(audit_get(AUDIT_RECORDS - 1, &record));
	assert_int_equal(record.event, EVENT);
	assert_false(audit_get(AUDIT_RECORDS, &record));
	audit(OTHER, 5000, 0);
	assert_true(audit_get(AUDIT_RECORDS - 1, &record));
	assert_int_equal(record.subject, 1000);
	assert_int_equal(audit_lost(), lost + AUDIT_RECORDS + 1);
}

static void flood_of_subjects_is_cut_short_in_the_log(void **state)
{
	for (unsigned i = 0; i < 10000; i++)
		audit(EVENT, i, 0);
	assert_int_equal(lines_with("audit CR_WRITE"), AUDIT_BURST);
	/* Another id is not the worse for it. */
	audit(OTHER, 1, 0);
	assert_int_equal(lines_with("audit MSR_READ"), 1);
}

static void what_was_not_logged_is_told_later(void **state)
{
	char expected[40];

	for (unsigned i = 0; i < 1000; i++)
		audit(EVENT, i, 0);
	host_set_cycles(epoch + AUDIT_REFILL_CYCLES, 0);
	audit(EVENT, 5000, 0);
	assert_int_equal(lines_with("audit CR_WRITE"), AUDIT_BURST + 1);
	snprintf(expected, sizeof(expected), "unlogged=%u ", 1000 - AUDIT_BURST);
	assert_int_equal(lines_with(expected), 1);
	audit(EVENT, 5001, 0);
	assert_int_equal(lines_with("audit CR_WRITE"), AUDIT_BURST + 1);
	/* Time that runs backwards refills nothing. */
	host_set_cycles(epoch - (1ull << 40), 0);
	audit(EVENT, 5002, 0);
	assert_int_equal(lines_with("audit CR_WRITE"), AUDIT_BURST + 1);
}

static void repeated_event_is_logged_as_it_doubles(void **state)
{
	for (unsigned i = 0; i < 1024; i++)
		audit(EVENT, 1, 0);
	assert_int_equal(lines_with("audit CR_WRITE"), 11);
	assert_int_equal(lines_with("count=1024 "), 1);
}

static void unknown_events_are_counted_apart(void **state)
{
	uint64_t before = audit_total(0);

	audit(REDOUBT_AUDIT_LAST, 1, 0);
	audit(~0u, 2, 0);
	assert_int_equal(audit_total(0), before + 2);
	assert_int_equal(lines_with("audit UNKNOWN"), 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(equal_subjects_coalesce, fresh),
	cmocka_unit_test_setup(oldest_gives_way_and_is_counted, fresh),
	cmocka_unit_test_setup(flood_of_subjects_is_cut_short_in_the_log, fresh),
	cmocka_unit_test_setup(what_was_not_logged_is_told_later, fresh),
	cmocka_unit_test_setup(repeated_event_is_logged_as_it_doubles, fresh),
	cmocka_unit_test_setup(unknown_events_are_counted_apart, fresh),
};

UNIT_MAIN(tests)
