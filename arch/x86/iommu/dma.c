/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table that devices go by (arch/iommu.h). It has the CPU's format, with bits for AMD-Vi where
 * the CPU ignores them: VT-d reads EPT entries, and NPT entries as well, as its own. It is not the
 * normal world's own map: what that hides shows ones, and a device that touches it shall fault, and
 * be audited, each time.
 */
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/iommu.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/iommu/iommu.h"
#include "arch/x86/region.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/tpm.h"

#define IOAPIC 0xfec00000ull /* what is written there may be an INIT (svm/device.c) */
/* Before a unit is given up: of a register, which is a read of the bus; of memory. */
#define REGISTER_POLLS 1000000u
#define MEMORY_POLLS   100000000u

static struct {
	struct stage2 s2;
	struct stage2_pool pool;
	struct iommu_unit units[BOOTINFO_IOMMUS];
	bool on; /* there is a table, and all units go by it, once they are started */
} dma;

static struct iommu_unit *end_of_units(void)
{
	return dma.units + start_info()->iommu_count;
}

/* ---- For the drivers ---- */

static volatile uint8_t *map_register(const struct iommu_unit *unit, unsigned at)
{
	CHECK(at / FRAME_SIZE < unit->is->pages);
	return slot_map_device((spa_t){ unit->is->base + (at & ~(FRAME_SIZE - 1)) }) +
	    at % FRAME_SIZE;
}

uint64_t iommu_read(const struct iommu_unit *unit, unsigned at, unsigned bytes)
{
	const volatile uint8_t *from = map_register(unit, at);
	uint64_t value = bytes == 4 ? *(const volatile uint32_t *)from
				    : *(const volatile uint64_t *)from;

	slot_unmap();
	return value;
}

void iommu_write(const struct iommu_unit *unit, unsigned at, unsigned bytes, uint64_t value)
{
	volatile uint8_t *to = map_register(unit, at);

	if (bytes == 4)
		*(volatile uint32_t *)to = (uint32_t)value;
	else
		*(volatile uint64_t *)to = value;
	slot_unmap();
}

bool iommu_wait(const struct iommu_unit *unit, unsigned at, uint64_t mask, uint64_t want)
{
	for (unsigned i = 0; i < REGISTER_POLLS; i++)
		if ((iommu_read(unit, at, 4) & mask) == want)
			return true;
	return false;
}

bool iommu_wait_done(const struct iommu_unit *unit)
{
	for (unsigned i = 0; i < MEMORY_POLLS; i++) {
		if (*unit->done != 0)
			return true;
		cpu_pause();
	}
	return false;
}

void iommu_queue(struct iommu_unit *unit, uint64_t low, uint64_t high)
{
	volatile uint64_t *command = unit->queue + unit->next / sizeof(*command);

	command[0] = low;
	command[1] = high;
	unit->next = (unit->next + 2 * sizeof(*command)) % FRAME_SIZE;
}

void dma_refused(const struct iommu_unit *unit, uint16_t requester, uint64_t address)
{
	audit(REDOUBT_AUDIT_DMA_REFUSED, (uint64_t)unit->is->segment << 16 | requester, address);
}

/* ---- Start ---- */

static bool change(uint64_t base, uint64_t pages, unsigned prot)
{
	if (!stage2_prepare(&dma.s2, (gpa_t){ base }, pages, false))
		return false;
	if (prot == 0)
		stage2_protect(&dma.s2, (gpa_t){ base }, pages, 0);
	else
		stage2_map(&dma.s2, (gpa_t){ base }, (spa_t){ base }, pages,
		    (struct stage2_attr){ prot, S2_WB });
	return true;
}

static bool build(uint64_t top)
{
	const struct bootinfo *info = start_info();
	struct withheld bus = stage2_withheld();
	uint64_t bus_end = bus.end < top ? bus.end : top;
	bool done = change(0, top >> FRAME_SHIFT, S2_RWX) && change(IOAPIC, 1, 0) &&
	    change(TPM_BASE, TPM_LOCALITIES, 0) &&
	    change(info->region_base, info->region_pages, 0) &&
	    (info->record_base == 0 || change(info->record_base, 1, 0)) &&
	    (bus.base >= bus_end || change(bus.base, (bus_end - bus.base) >> FRAME_SHIFT, 0));

	for (struct iommu_unit *u = dma.units; done && u < end_of_units(); u++)
		done = u->is->base >= top || change(u->is->base, u->is->pages, 0);
	return done;
}

/* Memory for units and table. false: the region is too small. */
static bool prepare(size_t pages)
{
	void *memory = region_reserve(pages);

	if (memory == NULL)
		return false;
	stage2_pool_init(&dma.pool, memory, pages);
	for (uint32_t i = 0; i < start_info()->iommu_count; i++) {
		dma.units[i].is = &start_info()->iommus[i];
		dma.units[i].queue = region_alloc(MONITOR_IOMMU_PAGES);
		if (dma.units[i].queue == NULL)
			return false;
		dma.units[i].done = dma.units[i].queue + FRAME_SIZE / sizeof(uint64_t);
		dma.units[i].events = dma.units[i].queue + 2 * (FRAME_SIZE / sizeof(uint64_t));
	}
	return stage2_init(&dma.s2, &dma.pool, map_lock());
}

/* By enum iommu_tables. */
static const char *const reasons[] = { "firmware tells of no IOMMU", "",
	"firmware's tables of IOMMUs are damaged",
	"firmware's tables of IOMMUs contradict themselves", "there are too many IOMMUs",
	"the IOMMUs are of an unknown kind", "firmware drives the IOMMUs itself" };

/* Looks at all units before any is touched. NULL: they can be used. */
static const char *check_units(uint64_t top)
{
	const char *why = NULL;

	if (start_info()->flags & BOOTINFO_IOMMU_OFF)
		return "the configuration leaves IOMMUs alone";
	if (start_info()->iommu_count == 0)
		return reasons[start_info()->iommu_status];
	for (struct iommu_unit *u = dma.units; why == NULL && u < end_of_units(); u++)
		why = u->is->kind == unit_kind ? unit_check(u, &dma.s2, top)
					       : "the IOMMUs are not of the CPU's maker";
	return why;
}

static bool start_units(const void *tables)
{
	bool all = true;

	for (struct iommu_unit *u = dma.units; u < end_of_units(); u++) {
		bool started = unit_start(u, tables);

		klog(LOG_INFO, "dma: %s at %lx, segment %u%s: %s", unit_name,
		    (unsigned long)u->is->base, u->is->segment,
		    u->is->flags & BOOTINFO_IOMMU_ALL ? ", all other devices" : "",
		    started ? "blocks" : "does not answer");
		all = all && started;
	}
	return all;
}

bool dma_init(uint64_t top, size_t pages)
{
	const char *why;
	const void *tables;

	if (start_info()->iommu_count != 0 && !prepare(pages))
		return false;
	why = check_units(top);
	if (why != NULL) {
		klog(LOG_WARN, "dma: unprotected: %s", why);
		return true;
	}
	if (!build(top))
		return false;
	tables = unit_tables(&dma.s2);
	if (tables == NULL)
		return false;
	/* A unit may look for all of it in memory alone. */
	wbinvd();
	dma.on = true;
	/* One that does not answer now cannot be asked to forget later: then it is without all. */
	if (!start_units(tables))
		dma_end();
	return true;
}

bool dma_end(void)
{
	bool off = true;

	for (struct iommu_unit *u = dma.units; dma.on && u < end_of_units(); u++)
		off &= unit_stop(u);
	dma.on = false;
	return off;
}

/* ---- Frames that change hands ---- */

bool dma_block(spa_t spa, uint64_t frames)
{
	const gpa_t at = { spa.v };

	if (!dma.on)
		return true;
	if (!stage2_prepare(&dma.s2, at, frames, true))
		return false;
	if (!test_switch(TEST_DMA_OPEN))
		stage2_protect(&dma.s2, at, frames, 0);
	return true;
}

void dma_allow(spa_t spa, uint64_t frames)
{
	if (dma.on)
		stage2_map(&dma.s2, (gpa_t){ spa.v }, spa, frames,
		    (struct stage2_attr){ S2_RWX, S2_WB });
}

void dma_sync(void)
{
	for (struct iommu_unit *u = dma.units; dma.on && u < end_of_units(); u++)
		CHECK(unit_flush(u));
}

void dma_report(void)
{
	spin_lock(map_lock());
	for (struct iommu_unit *u = dma.units; dma.on && u < end_of_units(); u++)
		unit_report(u);
	spin_unlock(map_lock());
}

const struct stage2 *dma_map(void)
{
	return dma.on ? &dma.s2 : NULL;
}

bool dma_protected(void)
{
	return dma.on;
}

bool dma_listed(void)
{
	bool listed = false;

	for (const struct iommu_unit *u = dma.units; dma.on && u < end_of_units(); u++) {
		bool rest = false;

		for (const struct iommu_unit *v = dma.units; v < end_of_units(); v++)
			rest |= v->is->segment == u->is->segment &&
			    v->is->flags & BOOTINFO_IOMMU_ALL;
		listed |= !rest;
	}
	return listed;
}
