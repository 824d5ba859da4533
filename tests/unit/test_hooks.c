/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/test: the test build's switches and calls, which tests of the whole rely on; and that the
 * checks notice what they are there for.
 */
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/host.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "monitor/abi/result.h"
#include "monitor/audit.h"
#include "monitor/protect.h"
#include "monitor/test/invariant.h"
#include "monitor/test/take.h"
#include "monitor/test/test.h"
#include "tests/unit/unit.h"

#define FREE 0x400000ull

static int boot(void **state)
{
	struct host_machine machine = host_default();

	host_boot(&machine);
	return 0;
}

static struct call do_call(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	struct call call = { id, { a, b, c, 0 } };

	monitor_call(&call);
	return call;
}

static void set_switch(unsigned number, bool on)
{
	assert_int_equal(do_call(REDOUBT_CALL_test_switch, number, on, 0).rax, REDOUBT_OK);
	assert_int_equal(test_switch(number), on);
}

static void switches_switch(void **state)
{
	for (unsigned i = 0; i < TEST_SWITCH_COUNT; i++)
		assert_false(test_switch(i));
	assert_false(test_switch(TEST_SWITCH_COUNT));
	set_switch(TEST_MSR_OPEN, true);
	assert_int_equal(do_call(REDOUBT_CALL_test_switch, TEST_MSR_OPEN, 0, 0).regs[0], 1);
	assert_int_equal(do_call(REDOUBT_CALL_test_switch, TEST_SWITCH_COUNT, 1, 0).rax,
	    REDOUBT_INVALID);
	assert_int_equal(do_call(REDOUBT_CALL_test_switch, 0, 2, 0).rax, REDOUBT_INVALID);
}

/* With the protection off the attack succeeds, and the walk over the map says so (T11). */
static void open_region_is_open_and_noticed(void **state)
{
	uint64_t at = host_info()->region_base + 0x2000;

	assert_true(do_call(REDOUBT_CALL_test_walk, 0, 0, 0).regs[0] == NOTHING_BROKEN);
	set_switch(TEST_OPEN_REGION, true);
	assert_int_equal(host_touch(at, ACCESS_WRITE).spa, at);
	set_switch(TEST_OPEN_REGION, false);
	assert_int_equal(do_call(REDOUBT_CALL_test_walk, 0, 0, 0).regs[0],
	    host_info()->region_base);
	/* The fake machine's frame of ones is the region's first. */
	assert_string_equal(invariant_walk().why, "the frame of ones with other rights");
}

/* Puts a leaf of the test's choice into the map. */
static void misplace(uint64_t gpa, uint64_t spa, unsigned prot)
{
	struct stage2 *s2 = monitor_normal_stage2();

	spin_lock(s2->lock);
	assert_true(stage2_prepare(s2, (gpa_t){ gpa }, 1, true));
	stage2_map(s2, (gpa_t){ gpa }, (spa_t){ spa }, 1, (struct stage2_attr){ prot, S2_WB });
	spin_unlock(s2->lock);
}

static void walk_notices_each_breach(void **state)
{
	static const struct {
		uint64_t gpa;
		uint64_t spa; /* 0: the frame of ones; 1: the record's frame */
		unsigned prot;
		const char *why;
	} breaches[] = {
		{ FREE, FREE + FRAME_SIZE, S2_RWX, "an address that leads elsewhere" },
		{ FREE, 1, S2_R, "an address that leads elsewhere" },
		{ FREE, 0, S2_R, "ones in place of memory" },
		{ 0x7ff000, 0, S2_R | S2_W, "the frame of ones with other rights" },
		{ 0x7ff000, 1, S2_R, "a hidden frame" },
	};

	for (unsigned i = 0; i < COUNT(breaches); i++) {
		uint64_t spa = breaches[i].spa == 0 ? protect_ones().v
		    : breaches[i].spa == 1	    ? host_info()->record_base
						    : breaches[i].spa;

		boot(NULL);
		misplace(breaches[i].gpa, spa, breaches[i].prot);
		assert_string_equal(invariant_walk().why, breaches[i].why);
		assert_int_equal(invariant_walk().broken, breaches[i].gpa);
	}
}

/* The fake machine's own check: a flush that is missing is seen. */
static void missing_flush_is_noticed(void **state)
{
	uint64_t gpa = 0;

	host_on(1);
	host_touch(FREE, ACCESS_WRITE);
	host_on(0);
	assert_true(host_coherent(&gpa));
	host_break_flush(true);
	assert_true(protect_take((spa_t){ FREE }, 1));
	assert_false(host_coherent(&gpa));
	assert_int_equal(gpa, FREE);
	host_break_flush(false);
	cpu_flush_all();
	assert_true(host_coherent(&gpa));
}

static void maps_split_change_and_merge(void **state)
{
	struct call call;

	assert_int_equal(do_call(REDOUBT_CALL_test_split, FREE, 512, 0).rax, REDOUBT_OK);
	call = do_call(REDOUBT_CALL_test_lookup, FREE + 5, 0, 0);
	assert_int_equal(call.regs[0], FREE + 5);
	assert_int_equal(call.regs[1], S2_RWX);
	assert_int_equal(call.regs[2], FRAME_SHIFT);
	assert_int_equal(call.regs[3], S2_WB);
	assert_int_equal(do_call(REDOUBT_CALL_test_protect, FREE, 2, S2_R).rax, REDOUBT_OK);
	assert_true(host_touch(FREE + FRAME_SIZE, ACCESS_WRITE).faulted);
	assert_int_equal(do_call(REDOUBT_CALL_test_protect, FREE, 2, S2_RWX).rax, REDOUBT_OK);
	call = do_call(REDOUBT_CALL_test_merge, FREE, 512, 0);
	assert_int_equal(call.regs[0], 1);
	assert_int_equal(do_call(REDOUBT_CALL_test_lookup, FREE, 0, 0).regs[2], LARGE_SHIFT);
}

static void ranges_of_test_calls_are_checked(void **state)
{
	static const uint64_t ids[] = { REDOUBT_CALL_test_split, REDOUBT_CALL_test_merge,
		REDOUBT_CALL_test_protect };

	for (unsigned i = 0; i < COUNT(ids); i++) {
		struct call call = do_call(ids[i], FREE + 1, 1, S2_R);

		assert_int_equal(redoubt_status_of(call.rax), REDOUBT_ALIGNMENT);
		call = do_call(ids[i], FREE, ~0ull, S2_R);
		assert_int_equal(redoubt_status_of(call.rax), REDOUBT_RANGE);
		call = do_call(ids[i], (1ull << 39) - FRAME_SIZE, 2, S2_R);
		assert_int_equal(redoubt_status_of(call.rax), REDOUBT_RANGE);
	}
	assert_int_equal(redoubt_status_of(
			     do_call(REDOUBT_CALL_test_protect, host_info()->region_base, 1, S2_RWX)
				 .rax),
	    REDOUBT_RANGE);
	assert_int_equal(do_call(REDOUBT_CALL_test_protect, FREE, 1, S2_W).rax, REDOUBT_INVALID);
	assert_int_equal(redoubt_status_of(do_call(REDOUBT_CALL_test_lookup, 1ull << 39, 0, 0).rax),
	    REDOUBT_RANGE);
}

/* Three frames from FREE on are taken. What the monitor has for ever is not filled. */
static void taken_frames_are_filled(void)
{
	const uint64_t *words;

	assert_int_equal(do_call(REDOUBT_CALL_test_fill, FREE, 4, 1).rax, REDOUBT_STATE);
	assert_int_equal(do_call(REDOUBT_CALL_test_fill, FREE + 8, 1, 1).rax, REDOUBT_STATE);
	assert_int_equal(do_call(REDOUBT_CALL_test_fill, host_info()->region_base, 1, 1).rax,
	    REDOUBT_STATE);
	assert_int_equal(do_call(REDOUBT_CALL_test_fill, FREE, 3, 0x55aa).rax, REDOUBT_OK);
	words = slot_map((spa_t){ FREE + 2 * FRAME_SIZE }, SLOT_READ);
	assert_int_equal(words[0], 0x55aa);
	assert_int_equal(words[511], 0x55aa ^ 511);
	slot_unmap();
}

static void frames_are_taken_and_given(void **state)
{
	assert_int_equal(do_call(REDOUBT_CALL_test_take, FREE, 3, 0).rax, REDOUBT_OK);
	assert_int_equal(do_call(REDOUBT_CALL_test_take, FREE, 1, 0).rax, REDOUBT_STATE);
	taken_frames_are_filled();
	assert_int_equal(do_call(REDOUBT_CALL_test_give, FREE, 3, 0).rax, REDOUBT_OK);
	assert_int_equal(do_call(REDOUBT_CALL_test_give, FREE, 3, 0).rax, REDOUBT_STATE);
}

static void audit_ring_is_read(void **state)
{
	struct call call;
	uint64_t before = audit_total(REDOUBT_AUDIT_STRAY_SIPI);

	audit(REDOUBT_AUDIT_STRAY_SIPI, 5, 6);
	call = do_call(REDOUBT_CALL_test_audit, 0, 0, 0);
	assert_int_equal(call.regs[0], REDOUBT_AUDIT_STRAY_SIPI);
	assert_int_equal(call.regs[1], 5);
	assert_int_equal(call.regs[2], 6);
	assert_int_equal(call.regs[3], 1);
	call = do_call(REDOUBT_CALL_test_audit_total, REDOUBT_AUDIT_STRAY_SIPI, 0, 0);
	assert_int_equal(call.regs[0], before + 1);
	call = do_call(REDOUBT_CALL_test_audit, AUDIT_RECORDS, 0, 0);
	assert_int_equal(redoubt_status_of(call.rax), REDOUBT_RANGE);
}

static void memory_is_told(void **state)
{
	struct call call = do_call(REDOUBT_CALL_test_region, 0, 0, 0);

	assert_int_equal(call.regs[0], host_info()->region_base);
	assert_int_equal(call.regs[1], host_info()->region_pages);
	assert_int_equal(call.regs[2], host_info()->record_base);
	assert_int_equal(call.regs[3], protect_ones().v);
}

static void flushes_are_counted(void **state)
{
	uint64_t before = host_flushes();

	do_call(REDOUBT_CALL_test_flush, 10, 0, 0);
	assert_int_equal(host_flushes(), before + 10);
}

static void call_check(void *argument)
{
	do_call(REDOUBT_CALL_test_check, 0, 0, 0);
}

static void forced_check_ends_the_monitor(void **state)
{
	struct host_remains remains = host_end_of(call_check, NULL);

	assert_int_equal(remains.end, HOST_STOPPED);
	assert_non_null(strstr(remains.record.text, "monitor/test/hooks.c"));
}

static void call_fault(void *kind)
{
	do_call(REDOUBT_CALL_test_fault, (uintptr_t)kind, 0, 0);
}

static void forced_faults_are_faults(void **state)
{
	for (uintptr_t kind = 0; kind < TEST_FAULT_KINDS; kind++)
		assert_int_equal(host_end_of(call_fault, (void *)kind).end, HOST_KILLED);
	assert_int_equal(do_call(REDOUBT_CALL_test_fault, TEST_FAULT_KINDS, 0, 0).rax,
	    REDOUBT_INVALID);
}

/* ---- Lock order ---- */

struct taking {
	enum lock_rank ranks[3];
	uint64_t frames[3];
	bool ordered;
};

static void take_as_told(void *argument)
{
	const struct taking *taking = argument;

	for (unsigned i = 0; i < 3 && taking->ranks[i] != 0; i++)
		test_lock(taking->ranks[i], taking->frames[i], true);
}

static void order_of_locks_is_checked(void **state)
{
	static struct taking rows[] = {
		{ { LOCK_MAP, LOCK_FRAME, LOCK_LOG }, { 0 }, true },
		{ { LOCK_MAP, LOCK_MEMTYPE, LOCK_AUDIT }, { 0 }, true },
		{ { LOCK_FRAME, LOCK_FRAME, LOCK_FRAME }, { 0x1000, 0x2000, 0x9000 }, true },
		{ { LOCK_FRAME, LOCK_FRAME }, { 0x2000, 0x1000 }, false },
		{ { LOCK_FRAME, LOCK_FRAME }, { 0x2000, 0x2000 }, false },
		{ { LOCK_FRAME, LOCK_MAP }, { 0x2000 }, false },
		{ { LOCK_LOG, LOCK_AUDIT }, { 0 }, false },
		{ { LOCK_MAP, LOCK_MAP }, { 0 }, false },
		{ { LOCK_RANKS }, { 0 }, false },
	};

	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(host_end_of(take_as_told, &rows[i]).end,
		    rows[i].ordered ? HOST_RETURNED : HOST_STOPPED);
	/* What is given back can be taken again. */
	test_lock(LOCK_LOG, 0, true);
	test_lock(LOCK_LOG, 0, false);
	test_lock(LOCK_MAP, 0, true);
	test_lock(LOCK_MAP, 0, false);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(switches_switch, boot),
	cmocka_unit_test_setup(open_region_is_open_and_noticed, boot),
	cmocka_unit_test(walk_notices_each_breach),
	cmocka_unit_test_setup(missing_flush_is_noticed, boot),
	cmocka_unit_test_setup(maps_split_change_and_merge, boot),
	cmocka_unit_test_setup(ranges_of_test_calls_are_checked, boot),
	cmocka_unit_test_setup(frames_are_taken_and_given, boot),
	cmocka_unit_test_setup(audit_ring_is_read, boot),
	cmocka_unit_test_setup(memory_is_told, boot),
	cmocka_unit_test_setup(flushes_are_counted, boot),
	cmocka_unit_test_setup(forced_check_ends_the_monitor, boot),
	cmocka_unit_test_setup(forced_faults_are_faults, boot),
	cmocka_unit_test_setup(order_of_locks_is_checked, boot),
};

UNIT_MAIN(tests)
