/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The test build's calls and switches (test.h, testcalls.def).
 */
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/audit.h"
#include "monitor/call.h"
#include "monitor/lib/checked.h"
#include "monitor/page_owner.h"
#include "monitor/protect.h"
#include "monitor/test/invariant.h"
#include "monitor/test/take.h"
#include "monitor/test/test.h"

static volatile bool switches[TEST_SWITCH_COUNT];

bool test_build(void)
{
	return true;
}

bool test_switch(unsigned number)
{
	return number < TEST_SWITCH_COUNT && switches[number];
}

#define CALL(id, name, rights, arguments, results, statuses, summary) call_handler call_##name;
#include "monitor/test/testcalls.def"
#undef CALL

uint64_t call_test_switch(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	if (args[0] >= TEST_SWITCH_COUNT || args[1] > 1)
		return REDOUBT_INVALID;
	rets[0] = switches[args[0]];
	switches[args[0]] = args[1];
	return REDOUBT_OK;
}

uint64_t call_test_check(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	unsigned wrong = 1;

	CHECK(wrong == 0);
	return REDOUBT_OK;
}

uint64_t call_test_fault(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	static const uint64_t constant = 1;
	static uint8_t data[16] = { 0xc3 }; /* a RET */
	uintptr_t address = (uintptr_t)&constant;

	if (args[0] >= TEST_FAULT_KINDS)
		return REDOUBT_INVALID;
	if (args[0] == TEST_FAULT_RODATA)
		*(volatile uint64_t *)address = 2;
	else if (args[0] == TEST_FAULT_UNMAPPED)
		(void)*(volatile uint64_t *)(uintptr_t)0x123456789000;
	else
		((void (*)(void))(uintptr_t)data)();
	return REDOUBT_OK;
}

uint64_t call_test_flush(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	for (uint64_t i = 0; i < args[0]; i++)
		cpu_flush_all();
	return REDOUBT_OK;
}

static uint64_t check_range(const uint64_t args[CALL_REGS])
{
	if (args[0] % FRAME_SIZE != 0)
		return call_error(REDOUBT_ALIGNMENT, 1);
	if (!range_within(args[0] / FRAME_SIZE, args[1], stage2_limit() / FRAME_SIZE))
		return call_error(REDOUBT_RANGE, 2);
	return REDOUBT_OK;
}

uint64_t call_test_split(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct stage2 *s2 = monitor_normal_stage2();
	uint64_t status = check_range(args);
	bool done;

	if (status != REDOUBT_OK)
		return status;
	spin_lock(s2->lock);
	done = stage2_prepare(s2, (gpa_t){ args[0] }, args[1], true);
	cpu_flush_all();
	spin_unlock(s2->lock);
	return done ? REDOUBT_OK : REDOUBT_NO_RESOURCE;
}

uint64_t call_test_merge(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct stage2 *s2 = monitor_normal_stage2();
	uint64_t status = check_range(args);
	size_t merged;

	if (status != REDOUBT_OK)
		return status;
	spin_lock(s2->lock);
	do {
		merged = stage2_merge(s2, (gpa_t){ args[0] }, args[1]);
		cpu_flush_all();
		stage2_reclaim(s2);
		rets[0] += merged;
	} while (merged == STAGE2_RETIRED);
	spin_unlock(s2->lock);
	return REDOUBT_OK;
}

uint64_t call_test_protect(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct stage2 *s2 = monitor_normal_stage2();
	uint64_t status = check_range(args);
	gpa_t gpa = { args[0] };
	bool done;

	if (status != REDOUBT_OK)
		return status;
	if (args[1] > PASS_MAX || !(args[2] & S2_R) || args[2] > S2_RWX ||
	    (!stage2_has_mbec() && !(args[2] & S2_UX) != !(args[2] & S2_KX)))
		return REDOUBT_INVALID;
	spin_lock(s2->lock);
	for (uint64_t i = 0; i < args[1]; i++)
		if (frame_state((spa_t){ gpa.v + i * FRAME_SIZE }) != FRAME_NORMAL)
			status = call_error(REDOUBT_RANGE, 1);
	done = status == REDOUBT_OK && stage2_prepare(s2, gpa, args[1], false);
	if (done) {
		stage2_protect(s2, gpa, args[1], (unsigned)args[2]);
		cpu_flush_all();
	}
	spin_unlock(s2->lock);
	return status == REDOUBT_OK && !done ? REDOUBT_NO_RESOURCE : status;
}

uint64_t call_test_lookup(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct stage2 *s2 = monitor_normal_stage2();
	struct stage2_leaf leaf;

	if (args[0] >= stage2_limit())
		return call_error(REDOUBT_RANGE, 1);
	spin_lock(s2->lock);
	leaf = stage2_lookup(s2, (gpa_t){ args[0] });
	spin_unlock(s2->lock);
	rets[0] = leaf.spa.v;
	rets[1] = leaf.prot;
	rets[2] = leaf.shift;
	rets[3] = leaf.type;
	return REDOUBT_OK;
}

uint64_t call_test_walk(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct invariant_report report = invariant_walk();
	struct stage2_pool *pool = monitor_normal_stage2()->pool;

	if (report.broken != NOTHING_BROKEN)
		klog(LOG_ERROR, "invariant: %s at %lx", report.why, (unsigned long)report.broken);
	rets[0] = report.broken;
	rets[1] = report.leaves;
	rets[2] = pool->available;
	rets[3] = pool->total;
	return REDOUBT_OK;
}

uint64_t call_test_take(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return protect_take((spa_t){ args[0] }, args[1]) ? REDOUBT_OK : REDOUBT_STATE;
}

uint64_t call_test_fill(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct frame_set set = { NULL, args[0], args[1] };

	if (!frames_lock(&set, FRAMES_TAKEN))
		return REDOUBT_STATE;
	for (uint64_t i = 0; i < args[1]; i++) {
		uint64_t *words = slot_map(frame_nth(&set, i), SLOT_WRITE);

		for (uint64_t k = 0; k < FRAME_SIZE / sizeof(*words); k++)
			words[k] = args[2] ^ k;
		slot_unmap();
	}
	frames_unlock(&set);
	return REDOUBT_OK;
}

uint64_t call_test_give(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	return protect_give((spa_t){ args[0] }, args[1]) ? REDOUBT_OK : REDOUBT_STATE;
}

uint64_t call_test_audit(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	struct redoubt_audit_record record;

	if (args[0] >= audit_end() || audit_copy(audit_end() - 1 - args[0], &record, 1).lost != 0)
		return call_error(REDOUBT_RANGE, 1);
	rets[0] = record.event;
	rets[1] = record.subject;
	rets[2] = record.fact;
	rets[3] = record.count;
	return REDOUBT_OK;
}

uint64_t call_test_audit_total(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = audit_total(args[0] < REDOUBT_AUDIT_LAST ? (unsigned)args[0] : 0);
	rets[1] = audit_end() > AUDIT_RECORDS ? audit_end() - AUDIT_RECORDS : 0;
	return REDOUBT_OK;
}

uint64_t call_test_region(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	const struct bootinfo *info = start_info();

	rets[0] = info->region_base;
	rets[1] = info->region_pages;
	rets[2] = info->record_base;
	rets[3] = protect_ones().v;
	return REDOUBT_OK;
}

static const struct {
	uint64_t id;
	call_handler *handler;
} rows[] = {
#define CALL(id, name, rights, arguments, results, statuses, summary) { id, call_##name },
#include "monitor/test/testcalls.def"
#undef CALL
};

bool test_call(struct call *call)
{
	uint64_t rets[CALL_REGS] = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].id != call->rax)
			continue;
		call->rax = rows[i].handler(call->regs, rets);
		for (unsigned k = 0; k < CALL_REGS; k++)
			call->regs[k] = call->rax == REDOUBT_OK ? rets[k] : 0;
		return true;
	}
	return false;
}
