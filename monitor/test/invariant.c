/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Checking the map (invariant.h).
 */
#include "monitor/test/invariant.h"

#include <stddef.h>

#include "arch/upcall.h"
#include "monitor/page_owner.h"
#include "monitor/protect.h"

static bool monitor_owns_any(uint64_t base, uint64_t end)
{
	if (!page_owner_any(base, end))
		return false;
	for (uint64_t at = base; at < end; at += FRAME_SIZE)
		if (frame_state((spa_t){ at }) == FRAME_MONITOR)
			return true;
	return false;
}

/* What is wrong with a leaf; NULL: nothing. */
static const char *fault_of(gpa_t gpa, const struct stage2_leaf *leaf)
{
	uint64_t size = 1ull << leaf->shift;

	if (!(leaf->prot & S2_R))
		return "a leaf that is not readable";
	if (gpa.v + size > stage2_limit())
		return "a leaf out of reach";
	if (gpa.v < stage2_withheld().end && gpa.v + size > stage2_withheld().base)
		return "a leaf in the bus's own range";
	if (leaf->spa.v == protect_ones().v) {
		if (leaf->prot != S2_R || leaf->shift != FRAME_SHIFT)
			return "the frame of ones with other rights";
		return frame_state((spa_t){ gpa.v }) == FRAME_MONITOR ? NULL
								      : "ones in place of memory";
	}
	if (leaf->spa.v != gpa.v)
		return "an address that leads elsewhere";
	return monitor_owns_any(gpa.v, gpa.v + size) ? "a frame of the monitor's" : NULL;
}

static bool visit(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct invariant_report *report = ctx;

	report->leaves++;
	report->why = fault_of(gpa, leaf);
	if (!report->why)
		return true;
	report->broken = gpa.v;
	return false;
}

struct invariant_report invariant_walk(void)
{
	struct invariant_report report = { .broken = NOTHING_BROKEN };
	struct stage2 *s2 = monitor_normal_stage2();

	spin_lock(s2->lock);
	stage2_walk(s2, visit, &report);
	spin_unlock(s2->lock);
	return report;
}
