/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Checking the map (invariant.h).
 */
#include "monitor/test/invariant.h"

#include <stddef.h>

#include "arch/cpu.h"
#include "arch/iommu.h"
#include "arch/upcall.h"
#include "monitor/abi/tpm.h"
#include "monitor/abi/trustlet.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/protect.h"
#include "monitor/share.h"
#include "monitor/tpm.h"

void stage2_walk(const struct stage2 *s2,
    bool (*visit)(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf), void *ctx)
{
	for (gpa_t at = { 0 }; at.v < 1ull << 48;) {
		struct stage2_leaf leaf = stage2_lookup(s2, at);

		if (leaf.present && !visit(ctx, at, &leaf))
			return;
		at.v += 1ull << leaf.shift;
	}
}

static bool any_memory(uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; i < start_info()->range_count; i++)
		if (start_info()->ranges[i].base < end &&
		    start_info()->ranges[i].base + (start_info()->ranges[i].pages << FRAME_SHIFT) >
			base)
			return true;
	return false;
}

static bool any_hidden(uint64_t base, uint64_t end)
{
	if (!any_memory(base, end))
		return false;
	for (uint64_t at = base; at < end; at += FRAME_SIZE)
		if (frame_hidden((spa_t){ at }))
			return true;
	return false;
}

/* Registers of an IOMMU that the monitor drives. */
static bool any_iommu(uint64_t base, uint64_t end)
{
	for (uint32_t i = 0; dma_map() && i < start_info()->iommu_count; i++)
		if (start_info()->iommus[i].base < end &&
		    start_info()->iommus[i].base +
			    ((uint64_t)start_info()->iommus[i].pages << FRAME_SHIFT) >
			base)
			return true;
	return false;
}

/* The last pages of the private memory of `vtpm`, in order; the last of them can be written. */
static const char *fault_of_tpm(gpa_t gpa, const struct stage2_leaf *leaf)
{
	const struct bootinfo_partition *is = partition_is(tpm_partition());
	uint64_t end = is->data_base + (uint64_t)is->data_pages * FRAME_SIZE;

	if (leaf->shift != FRAME_SHIFT || leaf->prot != (gpa.v < TPM_BUFFER ? S2_R : (S2_R | S2_W)))
		return "a page of the TPM with other rights";
	return end - leaf->spa.v == TPM_BASE + TPM_PAGES * FRAME_SIZE - gpa.v
	    ? NULL
	    : "a page of the TPM that leads elsewhere";
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
		return frame_hidden((spa_t){ gpa.v }) || any_iommu(gpa.v, gpa.v + size)
		    ? NULL
		    : "ones in place of memory";
	}
	if (tpm_partition() != 0 && gpa.v >= TPM_BASE && gpa.v < TPM_BASE + TPM_PAGES * FRAME_SIZE)
		return fault_of_tpm(gpa, leaf);
	if (leaf->spa.v != gpa.v)
		return "an address that leads elsewhere";
	if (any_iommu(gpa.v, gpa.v + size))
		return "an IOMMU's registers";
	return any_hidden(gpa.v, gpa.v + size) ? "a hidden frame" : NULL;
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

/* ---- Devices ---- */

static bool visit_device(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct invariant_report *report = ctx;
	uint64_t end = gpa.v + (1ull << leaf->shift);

	report->leaves++;
	if (leaf->spa.v != gpa.v)
		report->why = "an address that leads devices elsewhere";
	else if (any_hidden(gpa.v, end))
		report->why = "a hidden frame that devices reach";
	else if (any_iommu(gpa.v, end))
		report->why = "registers of an IOMMU that devices reach";
	else if (gpa.v < TPM_BUFFER && end > TPM_BASE)
		report->why = "registers of a TPM that devices reach";
	if (!report->why)
		return true;
	report->broken = gpa.v;
	return false;
}

/* ---- Partitions ---- */

struct partition_walk {
	unsigned id;
	uint64_t leaves;
	struct invariant_report *report;
};

/* Not what tests have taken (take.h). */
static bool is_given(struct holding holding)
{
	return holding.partition != 0 && holding.partition <= PARTITIONS;
}

/* The platform's TPM, at its place in the vTPM's partition. */
static bool is_platform_tpm(unsigned id, gpa_t gpa, const struct stage2_leaf *leaf)
{
	return start_info()->flags & BOOTINFO_PLATFORM_TPM && id == tpm_partition() &&
	    leaf->shift == FRAME_SHIFT && leaf->spa.v >= TPM_BASE && leaf->spa.v < TPM_BUFFER &&
	    gpa.v - TRUSTLET_DEVICE_BASE == leaf->spa.v - TPM_BASE && leaf->prot == (S2_R | S2_W);
}

static const char *fault_in_partition(unsigned id, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct holding holding = frame_holding(leaf->spa);

	if (leaf->shift != FRAME_SHIFT || gpa.v >= PARTITION_SPACE)
		return "a leaf where a partition has none";
	if (holding.partition != id)
		return "a frame that is not the partition's";
	if ((leaf->prot & S2_W) && (leaf->prot & S2_X))
		return "a frame that a partition can write and execute";
	if (holding.state != FRAME_LENT && (leaf->prot & S2_X))
		return "a frame that is executable and was not lent";
	return NULL;
}

static bool visit_partition(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct partition_walk *walk = ctx;

	if (is_platform_tpm(walk->id, gpa, leaf))
		return true;
	walk->leaves++;
	walk->report->why = fault_in_partition(walk->id, gpa, leaf);
	if (!walk->report->why)
		return true;
	walk->report->broken = gpa.v;
	return false;
}

/* Frames whose descriptor says that a partition has them. */
static uint64_t frames_given(void)
{
	uint64_t given = 0;

	for (uint32_t i = 0; i < start_info()->range_count; i++)
		for (uint64_t k = 0; k < start_info()->ranges[i].pages; k++)
			given += is_given(frame_holding(
			    (spa_t){ start_info()->ranges[i].base + (k << FRAME_SHIFT) }));
	return given;
}

/* Every partition's leaves are its own, and there are as many as frames that were given. */
static void walk_partitions(struct invariant_report *report)
{
	struct partition_walk walk = { .report = report };

	for (walk.id = 1; walk.id <= PARTITIONS && report->broken == NOTHING_BROKEN; walk.id++)
		stage2_walk(partition_map(walk.id), visit_partition, &walk);
	report->leaves += walk.leaves;
	if (report->broken != NOTHING_BROKEN || frames_given() == walk.leaves)
		return;
	report->why = "a frame that was given and is not mapped";
	report->broken = walk.leaves;
}

struct invariant_report invariant_walk(void)
{
	struct invariant_report report = { .broken = NOTHING_BROKEN };
	struct stage2 *s2 = monitor_normal_stage2();

	spin_lock(s2->lock);
	stage2_walk(s2, visit, &report);
	if (report.broken == NOTHING_BROKEN && dma_map())
		stage2_walk(dma_map(), visit_device, &report);
	if (report.broken == NOTHING_BROKEN)
		walk_partitions(&report);
	spin_unlock(s2->lock);
	return report;
}
