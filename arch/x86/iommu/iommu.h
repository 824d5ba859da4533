/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the table and the driver of the units, of which an image has one, chosen by the linker. A
 * unit is driven under the lock of the normal world's map; its registers are mapped in the slot for
 * one access each.
 *
 *   dma.c    the table that devices go by, and the contract (arch/iommu.h)
 *   vtd.c    VT-d. "VT-d": Intel Virtualization Technology for Directed I/O, revision 4.1
 *   amdvi.c  AMD-Vi. "AMD-Vi": AMD I/O Virtualization Technology, 48882 revision 3.09
 */
#pragma once

#include "arch/stage2.h"
#include "monitor/abi/bootinfo.h"

#define IOMMU_DOMAIN 1u /* all devices are one */

/* A unit has a page of commands, one of what comes back, and the rest for events. */
#define IOMMU_EVENT_PAGES (MONITOR_IOMMU_PAGES - 2)

struct iommu_unit {
	const struct bootinfo_iommu *is;
	uint64_t *queue;	 /* one page of commands */
	volatile uint64_t *done; /* what a unit writes when it has carried them out */
	uint64_t *events;	 /* IOMMU_EVENT_PAGES */
	uint64_t next;		 /* byte in the queue */
};

/* A device was refused an access. */
void dma_refused(const struct iommu_unit *unit, uint16_t requester, uint64_t address);

/* Registers; `bytes` is 4 or 8. */
uint64_t iommu_read(const struct iommu_unit *unit, unsigned at, unsigned bytes);
void iommu_write(const struct iommu_unit *unit, unsigned at, unsigned bytes, uint64_t value);

/*
 * Waits until these bits of a 4-byte register are as wanted, or *done is not 0. The wait is
 * bounded; false: it never was so.
 */
bool iommu_wait(const struct iommu_unit *unit, unsigned at, uint64_t mask, uint64_t want);
bool iommu_wait_done(const struct iommu_unit *unit);

/* Puts a command of two words into the queue; the unit does not know of it yet. */
void iommu_queue(struct iommu_unit *unit, uint64_t low, uint64_t high);

/* ---- The driver's ---- */

extern const uint32_t unit_kind; /* BOOTINFO_IOMMU_ */
extern const char unit_name[];

/*
 * Why a unit cannot be used for addresses below `top`, in words for the log; NULL: it can. Says in
 * `s2`, which is empty, what the unit wants of the table.
 */
const char *unit_check(const struct iommu_unit *unit, struct stage2 *s2, uint64_t top);

/* What leads each device to the table, for all units. NULL: the region is too small. */
void *unit_tables(const struct stage2 *s2);

/*
 * Makes a unit go by the tables; one that was on goes by firmware's until then. false: it does not
 * answer.
 */
bool unit_start(struct iommu_unit *unit, const void *tables);

/* Switches a unit off; false: it does not obey. */
bool unit_stop(struct iommu_unit *unit);

/* On return the unit remembers no translation from before. false: it does not answer. */
bool unit_flush(struct iommu_unit *unit);

/* Calls dma_refused() for each refusal that the unit has written down, and forgets them. */
void unit_report(struct iommu_unit *unit);
