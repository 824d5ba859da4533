/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AMD-Vi (iommu.h). One device table serves every unit. Interrupts pass as they are; README.md
 * tells why.
 */
#include "arch/frame.h"
#include "arch/stage2_format.h"
#include "arch/upcall.h"
#include "arch/x86/iommu/iommu.h"

/* Registers. AMD-Vi 3.4. */
#define DEVICE_TABLE 0x0000u
#define COMMAND_BASE 0x0008u
#define EVENT_BASE   0x0010u
#define CONTROL	     0x0018u
#define EXCLUSION    0x0020u
#define FEATURES     0x0030u
#define COMMAND_HEAD 0x2000u
#define COMMAND_TAIL 0x2008u
#define EVENT_HEAD   0x2010u
#define EVENT_TAIL   0x2018u
#define STATUS	     0x2020u

#define ENABLE		(1ull << 0)
#define EVENTS		(1ull << 2)
#define COHERENT	(1ull << 10)
#define COMMANDS	(1ull << 12)
#define CONTROL_KEPT	0x400f02ull /* how requests and SMIs travel: firmware knows */
#define FEATURES_ALL	(1ull << 6) /* INVALIDATE_IOMMU_ALL */
#define STATUS_OVERFLOW (1ull << 0)
#define STATUS_EVENTS	(1ull << 3) /* they are being written */
#define STATUS_COMMANDS (1ull << 4)

#define DEVICE_WORDS	   4u
#define DEVICE_TABLE_PAGES MONITOR_DEVICE_PAGES
#define TABLE_WORDS	   (DEVICE_TABLE_PAGES * FRAME_SIZE / 8)
/* An entry: valid, with a table of four levels, reads and writes. AMD-Vi 2.2.2.1. */
#define DEVICE_ENTRY	  (3ull | 4ull << 9 | 3ull << 61)
#define LENGTH_256	  (8ull << 56)
#define LENGTH_EVENTS	  (10ull << 56) /* 1,024 of 16 bytes */
#define EVENT_WORDS	  (IOMMU_EVENT_PAGES * FRAME_SIZE / 8)
#define EVENT_KIND(event) ((event) >> 60)

/* Commands. AMD-Vi 2.4. */
#define SAY_DONE	  (1ull << 60 | 1)
#define DROP_TRANSLATIONS (3ull << 60 | (uint64_t)IOMMU_DOMAIN << 32)
#define ALL_ADDRESSES	  0x7ffffffffffff003ull /* tables above the leaves as well */
#define DROP_EVERYTHING	  (8ull << 60)

const uint32_t unit_kind = BOOTINFO_IOMMU_AMDVI;
const char unit_name[] = "AMD-Vi";

const char *unit_check(const struct iommu_unit *unit, struct stage2 *s2, uint64_t top)
{
	format_for_amdvi();
	if (!(iommu_read(unit, FEATURES, 8) & FEATURES_ALL))
		return "AMD-Vi that cannot drop everything";
	return NULL;
}

void *unit_tables(const struct stage2 *s2)
{
	uint64_t *table = region_alloc(DEVICE_TABLE_PAGES);

	for (size_t i = 0; table != NULL && i < TABLE_WORDS; i += DEVICE_WORDS) {
		table[i] = (uint64_t)s2->root | DEVICE_ENTRY;
		table[i + 1] = IOMMU_DOMAIN;
	}
	return table;
}

static void start_events(struct iommu_unit *unit)
{
	iommu_write(unit, STATUS, 8, STATUS_OVERFLOW);
	iommu_write(unit, EVENT_HEAD, 8, 0);
	iommu_write(unit, EVENT_TAIL, 8, 0);
	iommu_write(unit, CONTROL, 8, iommu_read(unit, CONTROL, 8) | EVENTS);
}

bool unit_start(struct iommu_unit *unit, const void *tables)
{
	uint64_t control = iommu_read(unit, CONTROL, 8);

	iommu_write(unit, CONTROL, 8, control & ~(EVENTS | COMMANDS));
	if (!iommu_wait(unit, STATUS, STATUS_EVENTS | STATUS_COMMANDS, 0))
		return false;
	iommu_write(unit, DEVICE_TABLE, 8, (uint64_t)tables | (DEVICE_TABLE_PAGES - 1));
	iommu_write(unit, COMMAND_BASE, 8, (uint64_t)unit->queue | LENGTH_256);
	iommu_write(unit, COMMAND_HEAD, 8, 0);
	iommu_write(unit, COMMAND_TAIL, 8, 0);
	iommu_write(unit, EVENT_BASE, 8, (uint64_t)unit->events | LENGTH_EVENTS);
	iommu_write(unit, EXCLUSION, 8, 0);
	iommu_write(unit, CONTROL, 8, (control & CONTROL_KEPT) | COHERENT | COMMANDS | ENABLE);
	start_events(unit);
	iommu_queue(unit, DROP_EVERYTHING, 0);
	return unit_flush(unit);
}

bool unit_stop(struct iommu_unit *unit)
{
	iommu_write(unit, CONTROL, 8, iommu_read(unit, CONTROL, 8) & CONTROL_KEPT);
	return iommu_wait(unit, STATUS, STATUS_EVENTS | STATUS_COMMANDS, 0);
}

bool unit_flush(struct iommu_unit *unit)
{
	*unit->done = 0;
	iommu_queue(unit, DROP_TRANSLATIONS, ALL_ADDRESSES);
	iommu_queue(unit, (uint64_t)unit->done | SAY_DONE, 1);
	iommu_write(unit, COMMAND_TAIL, 8, unit->next);
	return iommu_wait_done(unit);
}

/*
 * What has been written is told by the events themselves, not by the tail: it may be ahead of them
 * (erratum 732). The log is off meanwhile and begins anew.
 */
void unit_report(struct iommu_unit *unit)
{
	volatile uint64_t *events = unit->events;

	if (EVENT_KIND(events[0]) == 0)
		return;
	iommu_write(unit, CONTROL, 8, iommu_read(unit, CONTROL, 8) & ~EVENTS);
	if (!iommu_wait(unit, STATUS, STATUS_EVENTS, 0))
		return;
	for (unsigned i = 0; i < EVENT_WORDS && EVENT_KIND(events[i]) != 0; i += 2) {
		dma_refused(unit, (uint16_t)events[i], events[i + 1]);
		events[i] = 0;
	}
	start_events(unit);
}
