/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/panic.c: how the monitor ends.
 */
#include <stdlib.h>

#include "arch/cpu.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/lib/sha256.h"
#include "tests/unit/unit.h"

static int boot_with(uint32_t flags)
{
	struct host_machine machine = host_default();

	machine.flags = flags;
	host_boot(&machine);
	return 0;
}

static int halting(void **state)
{
	return boot_with(0);
}

static int resetting(void **state)
{
	return boot_with(BOOTINFO_PANIC_RESET);
}

#define FILE_NAME "test_panic.c"

static void fail_check(void *argument)
{
	unsigned wrong = 1;

	audit(REDOUBT_AUDIT_MSR_READ, 1, 2);
	audit(REDOUBT_AUDIT_MSR_READ, 1, 2);
	CHECK(wrong == 0);
}

static void record_is_complete(void **state)
{
	struct host_remains remains = host_end_of(fail_check, NULL);
	struct panic_record *record = &remains.record;
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;
	const char *where;

	assert_int_equal(remains.end, HOST_RESET);
	assert_true(remains.others_stopped);
	assert_true(record->magic == PANIC_RECORD_MAGIC);
	assert_in_range(record->length, 100, PANIC_TEXT_BYTES);
	sha256_start(&hash);
	sha256_add(&hash, &record->length, sizeof(record->length));
	sha256_add(&hash, record->text, record->length);
	sha256_end(&hash, digest);
	assert_memory_equal(record->digest, digest, SHA256_BYTES);
	assert_memory_equal(remains.digest, digest, sizeof(remains.digest));
	record->text[record->length < PANIC_TEXT_BYTES ? record->length : PANIC_TEXT_BYTES - 1] = 0;
	assert_non_null(strstr(record->text, "CHECK failed: wrong == 0"));
	where = strstr(record->text, FILE_NAME ":");
	assert_non_null(where);
	assert_true(strtoul(where + sizeof(FILE_NAME), NULL, 10) > 1);
	assert_non_null(strstr(record->text, "CPU 0 of 2"));
	assert_non_null(strstr(record->text, " 4:2\n"));
	assert_non_null(strstr(record->text, "audit MSR_READ"));
	assert_non_null(strstr(remains.console, "CHECK failed: wrong == 0"));
}

static void halts_when_told_to(void **state)
{
	struct host_remains remains = host_end_of(fail_check, NULL);

	assert_int_equal(remains.end, HOST_STOPPED);
	assert_true(remains.record.magic == PANIC_RECORD_MAGIC);
}

static void works_without_a_frame(void **state)
{
	struct host_machine machine = host_default();
	struct host_remains remains;

	machine.record_base = 0;
	host_boot(&machine);
	remains = host_end_of(fail_check, NULL);
	assert_int_equal(remains.end, HOST_STOPPED);
	assert_non_null(strstr(remains.console, "CHECK failed"));
	assert_true(remains.record.magic == 0);
}

/* The log is as long as it gets and the reason longer than the record. */
static void fail_loudly(void *argument)
{
	static char reason[8000];

	memset(reason, 'r', sizeof(reason) - 1);
	for (unsigned i = 0; i < 2000; i++)
		klog(LOG_INFO, "line %u of what came before the end", i);
	panic("%s", reason);
}

static void record_holds_the_newest_lines(void **state)
{
	struct host_remains remains = host_end_of(fail_loudly, NULL);
	struct panic_record *record = &remains.record;

	assert_in_range(record->length, PANIC_TEXT_BYTES - 300, PANIC_TEXT_BYTES);
	record->text[PANIC_TEXT_BYTES - 1] = '\0';
	assert_non_null(strstr(record->text, "line 1999 of"));
	assert_non_null(strstr(record->text, "CPU 0 of 2"));
}

static void fail_now(void)
{
	panic("inside");
}

/* The console is written to with the log lock held. */
static void fail_in_the_log(void *argument)
{
	struct stage2 *s2 = monitor_normal_stage2();

	spin_lock(s2->lock);
	host_when_printing(fail_now);
	klog(LOG_ERROR, "something");
}

static void needs_no_lock(void **state)
{
	struct host_remains remains = host_end_of(fail_in_the_log, NULL);

	assert_int_equal(remains.end, HOST_RESET);
	assert_non_null(strstr(remains.record.text, "inside"));
}

static void fail_in_the_panic(void *argument)
{
	host_when_keeping(fail_now);
	fail_check(NULL);
}

static void failing_again_ends_at_once(void **state)
{
	struct host_remains remains = host_end_of(fail_in_the_panic, NULL);

	assert_int_equal(remains.end, HOST_RESET);
	assert_non_null(strstr(remains.record.text, "CHECK failed: wrong == 0"));
	assert_null(strstr(remains.console, "inside"));
}

static void fail_on_another(void)
{
	host_on(1);
	panic("the other CPU");
}

static void fail_on_two_cpus(void *argument)
{
	host_when_keeping(fail_on_another);
	fail_check(NULL);
}

static void only_the_first_cpu_reports(void **state)
{
	struct host_remains remains = host_end_of(fail_on_two_cpus, NULL);

	assert_int_equal(remains.end, HOST_STOPPED);
	assert_non_null(strstr(remains.record.text, "CPU 0 of 2"));
	assert_null(strstr(remains.record.text, "the other CPU"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(record_is_complete, resetting),
	cmocka_unit_test_setup(halts_when_told_to, halting),
	cmocka_unit_test(works_without_a_frame),
	cmocka_unit_test_setup(record_holds_the_newest_lines, halting),
	cmocka_unit_test_setup(needs_no_lock, resetting),
	cmocka_unit_test_setup(failing_again_ends_at_once, resetting),
	cmocka_unit_test_setup(only_the_first_cpu_reports, resetting),
};

UNIT_MAIN(tests)
