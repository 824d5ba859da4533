/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VT-d (iommu.h). Legacy mode, no device may translate by itself (ATS), commands through the queue.
 * One context table serves every bus.
 */
#include "arch/frame.h"
#include "arch/upcall.h"
#include "arch/x86/iommu/iommu.h"
#include "arch/x86/mmu.h"

/* Registers. VT-d 11.4. */
#define CAP    0x08u
#define ECAP   0x10u
#define GCMD   0x18u
#define GSTS   0x1cu
#define RTADDR 0x20u
#define FSTS   0x34u
#define FECTL  0x38u
#define PMEN   0x64u
#define IQT    0x88u
#define IQA    0x90u

#define CAP_WIDTHS(cap)	 ((unsigned)((cap) >> 8 & 0x1f)) /* SAGAW */
#define CAP_RWBF	 (1ull << 4)
#define CAP_PROTECTED	 (3ull << 5) /* there are protected memory regions */
#define CAP_LARGE	 (1ull << 34)
#define CAP_HUGE	 (1ull << 35)
#define CAP_FAULTS(cap)	 ((unsigned)((cap) >> 24 & 0x3ff) * 16)
#define CAP_RECORDS(cap) ((unsigned)((cap) >> 40 & 0xff) + 1)
#define ECAP_COHERENT	 (1ull << 0)
#define ECAP_QUEUE	 (1ull << 1)

#define WIDTH_39 (1u << 1)
#define WIDTH_48 (1u << 2)
#define END_39	 (1ull << 39)

/* Bits of GCMD and GSTS. */
#define TRANSLATE	(1u << 31)
#define SET_ROOT	(1u << 30)
#define QUEUE		(1u << 26)
#define REMAP_INTERRUPT (1u << 25)
#define GSTS_ONE_SHOT	0x69000000u /* VT-d 11.4.4.1: not to be written back */

#define FECTL_MASK     (1u << 31)
#define FSTS_CLEAR     0x7fu
#define RECORD_VALID   (1ull << 63)
#define ENTRY_PRESENT  1ull
#define CONTEXT_DOMAIN ((uint64_t)IOMMU_DOMAIN << 8)

/* Commands. VT-d 6.5.2. */
#define DROP_CONTEXTS	  (1ull | 1ull << 4)			     /* all */
#define DROP_TRANSLATIONS (2ull | 1ull << 4 | 1ull << 6 | 1ull << 7) /* all; reads, writes drain */
#define SAY_DONE	  (5ull | 1ull << 5 | 1ull << 32)

const uint32_t unit_kind = BOOTINFO_IOMMU_VTD;
const char unit_name[] = "VT-d";

static unsigned widths = WIDTH_39 | WIDTH_48; /* those that all units have */

const char *unit_check(const struct iommu_unit *unit, struct stage2 *s2, uint64_t top)
{
	uint64_t cap = iommu_read(unit, CAP, 8);
	uint64_t ecap = iommu_read(unit, ECAP, 8);

	if (iommu_read(unit, GSTS, 4) & REMAP_INTERRUPT)
		return "firmware has VT-d remap interrupts";
	if (cap & CAP_RWBF || !(ecap & ECAP_QUEUE) || !(cap & CAP_LARGE))
		return "VT-d without large pages or a queue";
	if (CAP_FAULTS(cap) + 16 * CAP_RECORDS(cap) > unit->is->pages * FRAME_SIZE)
		return "VT-d with more registers than firmware tells of";
	widths &= CAP_WIDTHS(cap);
	if (!(widths & WIDTH_48) && (!(widths & WIDTH_39) || top > END_39))
		return "VT-d that does not reach all memory";
	if (!(cap & CAP_HUGE))
		s2->largest = 1;
	if (!(ecap & ECAP_COHERENT))
		s2->written_back = true;
	return NULL;
}

void *unit_tables(const struct stage2 *s2)
{
	uint64_t *root = region_alloc(2), *contexts;
	uint64_t table = (uint64_t)s2->root;
	bool use_39 = !(widths & WIDTH_48);

	if (root == NULL)
		return NULL;
	contexts = root + FRAME_SIZE / sizeof(*root);
	/* What a table of three levels is, one of four has as its first. */
	if (use_39)
		table = s2->root[0] & PTE_ADDRESS;
	for (unsigned i = 0; i < FRAME_SIZE / sizeof(*root); i += 2) {
		root[i] = (uint64_t)contexts | ENTRY_PRESENT;
		contexts[i] = table | ENTRY_PRESENT;
		contexts[i + 1] = CONTEXT_DOMAIN | (use_39 ? 1 : 2);
	}
	return root;
}

/* Has a command of GCMD carried out. */
static bool command(const struct iommu_unit *unit, uint32_t bit, bool on)
{
	uint32_t now = (uint32_t)iommu_read(unit, GSTS, 4) & ~GSTS_ONE_SHOT;

	iommu_write(unit, GCMD, 4, on ? now | bit : now & ~bit);
	return iommu_wait(unit, GSTS, bit, on ? bit : 0);
}

/* The queue begins anew: head and tail are 0 when it was off. */
static bool start_queue(struct iommu_unit *unit)
{
	if (!command(unit, QUEUE, false))
		return false;
	unit->next = 0;
	iommu_write(unit, IQT, 8, 0);
	iommu_write(unit, IQA, 8, (uint64_t)unit->queue);
	return command(unit, QUEUE, true);
}

/* Has the queue carry out a command; one behind the other where the first must come first. */
static bool carry_out(struct iommu_unit *unit, uint64_t low)
{
	*unit->done = 0;
	iommu_queue(unit, low, 0);
	iommu_queue(unit, SAY_DONE, (uint64_t)unit->done);
	iommu_write(unit, IQT, 8, unit->next);
	return iommu_wait_done(unit);
}

bool unit_start(struct iommu_unit *unit, const void *tables)
{
	iommu_write(unit, FECTL, 4, FECTL_MASK);
	/* An error of firmware's queue would stop the next one. */
	unit_report(unit);
	iommu_write(unit, RTADDR, 8, (uint64_t)tables);
	if (!command(unit, SET_ROOT, true) || !start_queue(unit) ||
	    !carry_out(unit, DROP_CONTEXTS) || !unit_flush(unit) || !command(unit, TRANSLATE, true))
		return false;
	/* The table says more than they do, and they know no normal world. */
	if (iommu_read(unit, CAP, 8) & CAP_PROTECTED)
		iommu_write(unit, PMEN, 4, 0);
	return true;
}

bool unit_stop(struct iommu_unit *unit)
{
	return command(unit, TRANSLATE, false) && command(unit, QUEUE, false);
}

bool unit_flush(struct iommu_unit *unit)
{
	return carry_out(unit, DROP_TRANSLATIONS);
}

void unit_report(struct iommu_unit *unit)
{
	uint64_t cap = iommu_read(unit, CAP, 8);
	unsigned at = CAP_FAULTS(cap);

	if (!(iommu_read(unit, FSTS, 4) & FSTS_CLEAR))
		return;
	for (unsigned i = 0; i < CAP_RECORDS(cap); i++, at += 16) {
		uint64_t high = iommu_read(unit, at + 8, 8);

		if (!(high & RECORD_VALID))
			continue;
		dma_refused(unit, (uint16_t)high, iommu_read(unit, at, 8));
		iommu_write(unit, at + 12, 4, RECORD_VALID >> 32);
	}
	iommu_write(unit, FSTS, 4, FSTS_CLEAR);
}
