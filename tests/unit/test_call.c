/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/call*.c: dispatch, and one test for each row of calls.def, test_call_NAME. gen_calls.py
 * makes the build fail where a row has none.
 */
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "monitor/abi/cpuid.h"
#include "monitor/abi/result.h"
#include "monitor/audit.h"
#include "monitor/log.h"
#include "tests/unit/unit.h"

#define GUEST_FRAME 0x300000ull

static int boot(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	return 0;
}

static struct call do_call(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct call call = { id, { a, b, c, d } };

	monitor_call(&call);
	return call;
}

static void expect_error(struct call call, enum redoubt_status status, unsigned arg)
{
	assert_int_equal(redoubt_status_of(call.rax), status);
	assert_int_equal(redoubt_status_arg(call.rax), arg);
	assert_int_equal(call.rax >> 24, 0);
	for (unsigned i = 0; i < CALL_REGS; i++)
		assert_int_equal(call.regs[i], 0);
}

static void unknown_ids_are_refused_and_audited(void **state)
{
	static const uint64_t ids[] = { REDOUBT_CALL_COUNT, 0x7fffffff, 0xffffffff, 1ull << 32,
		1ull << 63, ~0ull };
	uint64_t before = audit_total(REDOUBT_AUDIT_CALL_REFUSED);
	struct redoubt_audit_record record;

	for (unsigned i = 0; i < COUNT(ids); i++)
		expect_error(do_call(ids[i], 1, 2, 3, 4), REDOUBT_UNKNOWN_CALL, 0);
	assert_int_equal(audit_total(REDOUBT_AUDIT_CALL_REFUSED), before + COUNT(ids));
	assert_int_equal(audit_copy(audit_end() - 1, &record, 1).copied, 1);
	assert_int_equal(record.event, REDOUBT_AUDIT_CALL_REFUSED);
	assert_true(record.subject == ~0ull);
}

/* The number of arguments that a row names. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)

/* Each row, each argument that it does not name. */
static void unused_arguments_must_be_zero(void **state)
{
	static const struct {
		uint64_t id;
		unsigned args;
		bool denied;
	} rows[] = {
#define CALL(id, name, rights, arguments, results, statuses, summary)                              \
	{ id, arguments, !((rights)&RIGHT_NORMAL) },
#include "monitor/abi/calls.def"
#undef CALL
	};

	assert_int_equal(COUNT(rows), REDOUBT_CALL_COUNT);
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned arg = rows[i].args; arg < CALL_REGS; arg++) {
			uint64_t args[CALL_REGS] = { 0 };

			args[arg] = 1ull << 63;
			expect_error(do_call(rows[i].id, args[0], args[1], args[2], args[3]),
			    rows[i].denied ? REDOUBT_DENIED : REDOUBT_INVALID,
			    rows[i].denied ? 0 : arg + 1);
		}
	}
}

static void test_call_version(void **state)
{
	struct call call = do_call(REDOUBT_CALL_version, 0, 0, 0, 0);

	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(call.regs[0], 0x10000);
	assert_true(call.regs[1] == 0x5a5a5a5a5a5a5a5aull);
	assert_int_equal(call.regs[2], 0);
	assert_int_equal(call.regs[3], 0);
}

static void test_call_features(void **state)
{
	struct call call = do_call(REDOUBT_CALL_features, 0, 0, 0, 0);

	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(call.regs[0], 0x11);
	/* The fake machine's, and what the monitor adds in a test build without an IOMMU driver. */
	assert_int_equal(call.regs[1],
	    0x22 | REDOUBT_DEGRADED_DMA | REDOUBT_DEGRADED_UNLOCKED | REDOUBT_DEGRADED_UNROOTED |
		REDOUBT_DEGRADED_TEST);
	assert_int_equal(call.regs[2], 2);
	assert_int_equal(call.regs[3], 0);
}

static void earlier_starts_that_failed_are_claimed(void **state)
{
	assert_false(monitor_degraded() & REDOUBT_DEGRADED_RETRIES);
	host_info()->attempts = 1;
	assert_true(monitor_degraded() & REDOUBT_DEGRADED_RETRIES);
}

static void a_root_in_the_tpm_is_claimed(void **state)
{
	host_info()->flags |= BOOTINFO_ROOT_KEY;
	assert_true(monitor_degraded() & REDOUBT_DEGRADED_UNROOTED);
	host_info()->flags |= BOOTINFO_ROOT_TPM;
	assert_false(monitor_degraded() & REDOUBT_DEGRADED_UNROOTED);
}

static struct call log_read(uint64_t position, uint64_t frame, uint64_t length)
{
	return do_call(REDOUBT_CALL_log_read, position, frame, length, 0);
}

static void expect_log(uint64_t position, uint64_t bytes)
{
	uint8_t seen[FRAME_SIZE], expected[FRAME_SIZE], marked[FRAME_SIZE];
	struct call call;

	memset(marked, 0xee, sizeof(marked));
	host_poke(GUEST_FRAME, marked, sizeof(marked));
	call = log_read(position, GUEST_FRAME, bytes);
	assert_int_equal(call.rax, REDOUBT_OK);
	host_peek(GUEST_FRAME, seen, sizeof(seen));
	log_copy(position, (char *)expected, bytes);
	assert_int_equal(call.regs[0], position + call.regs[1] + call.regs[2]);
	assert_memory_equal(seen, expected, call.regs[1]);
	/* Not one byte more than it said (T43). */
	assert_memory_equal(seen + call.regs[1], marked, FRAME_SIZE - call.regs[1]);
	assert_int_equal(call.regs[3], 0);
}

static void test_call_log_read(void **state)
{
	struct call call;
	uint64_t end;

	for (unsigned i = 0; i < 200; i++)
		klog(LOG_INFO, "a line that fills the log, number %u", i);
	end = log_end();
	assert_true(end > 8192);
	expect_log(0, FRAME_SIZE);
	expect_log(0, 1);
	expect_log(777, 257);
	expect_log(end - 100, FRAME_SIZE);
	call = log_read(end, GUEST_FRAME, 10);
	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(call.regs[0], end);
	assert_int_equal(call.regs[1], 0);
}

static void log_read_counts_what_is_lost(void **state)
{
	struct call call;
	uint64_t oldest;

	for (unsigned i = 0; i < 2000; i++)
		klog(LOG_INFO, "a line that fills the log, number %u", i);
	oldest = log_end() - LOG_BYTES;
	call = log_read(10, GUEST_FRAME, 600);
	assert_int_equal(call.rax, REDOUBT_OK);
	assert_int_equal(call.regs[2], oldest - 10);
	assert_int_equal(call.regs[1], 600);
	assert_int_equal(call.regs[0], oldest + 600);
}

static void log_read_refuses(void **state)
{
	const struct bootinfo *info = host_info();
	uint64_t end = log_end();

	expect_error(log_read(end + 1, GUEST_FRAME, 1), REDOUBT_INVALID, 1);
	expect_error(log_read(~0ull, GUEST_FRAME, 1), REDOUBT_INVALID, 1);
	expect_error(log_read(0, GUEST_FRAME + 8, 1), REDOUBT_ALIGNMENT, 2);
	expect_error(log_read(0, GUEST_FRAME, 0), REDOUBT_INVALID, 3);
	expect_error(log_read(0, GUEST_FRAME, 4097), REDOUBT_INVALID, 3);
	expect_error(log_read(0, GUEST_FRAME, ~0ull), REDOUBT_INVALID, 3);
	expect_error(log_read(0, info->region_base, 1), REDOUBT_RANGE, 2);
	expect_error(log_read(0, info->record_base, 1), REDOUBT_RANGE, 2);
	expect_error(log_read(0, 0xa0000, 1), REDOUBT_RANGE, 2);
	expect_error(log_read(0, 0xfee00000, 1), REDOUBT_RANGE, 2);
	expect_error(log_read(0, 0x101000000, 1), REDOUBT_RANGE, 2);
	expect_error(log_read(0, ~0xfffull, 1), REDOUBT_RANGE, 2);
	/* Nothing stays locked. */
	assert_int_equal(log_read(0, GUEST_FRAME, 1).rax, REDOUBT_OK);
	assert_int_equal(log_read(0, GUEST_FRAME, 1).rax, REDOUBT_OK);
}

static void finish_boot(void *argument)
{
	struct call call = do_call(REDOUBT_CALL_boot_done, 0, 0, 0, 0);

	if (call.rax != REDOUBT_OK || !host_console_released())
		panic("the first time");
	call = do_call(REDOUBT_CALL_boot_done, 0, 0, 0, 0);
	if (call.rax != REDOUBT_CLOSED)
		panic("the second time");
}

static void test_call_boot_done(void **state)
{
	struct host_remains remains = host_end_of(finish_boot, NULL);

	assert_false(host_console_released());
	assert_string_equal(remains.console, "");
	assert_int_equal(remains.end, HOST_RETURNED);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(unknown_ids_are_refused_and_audited, boot),
	cmocka_unit_test_setup(unused_arguments_must_be_zero, boot),
	cmocka_unit_test_setup(test_call_version, boot),
	cmocka_unit_test_setup(test_call_features, boot),
	cmocka_unit_test_setup(earlier_starts_that_failed_are_claimed, boot),
	cmocka_unit_test_setup(a_root_in_the_tpm_is_claimed, boot),
	cmocka_unit_test_setup(test_call_log_read, boot),
	cmocka_unit_test_setup(log_read_counts_what_is_lost, boot),
	cmocka_unit_test_setup(log_read_refuses, boot),
	cmocka_unit_test_setup(test_call_boot_done, boot),
};

UNIT_MAIN(tests)
