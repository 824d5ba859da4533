/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The normal world's second-stage map (protect.h).
 */
#include "monitor/protect.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/iommu.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "monitor/abi/audit.h"
#include "monitor/page_owner.h"
#include "monitor/tpm.h"

#define LOWEST_END (4ull << 30) /* below this devices are mapped at launch */

/* lock guards all of it. */
static struct {
	struct spinlock lock;
	struct stage2 s2;
	struct stage2_pool pool;
	uint64_t identity_end;
	size_t demand_used; /* tables behind identity_end */
} normal = { .lock = { .rank = LOCK_MAP } };

/*
 * What reads of the monitor's memory find. In read-only data, so that not even the monitor changes
 * it.
 */
static const uint8_t ones[FRAME_SIZE]
    __attribute__((aligned(FRAME_SIZE))) = { [0 ... FRAME_SIZE - 1] = 0xff };

struct stage2 *monitor_normal_stage2(void)
{
	return &normal.s2;
}

spa_t protect_ones(void)
{
	return region_spa(ones);
}

static uint64_t frames_of(uint64_t bytes)
{
	return bytes >> FRAME_SHIFT;
}

static gpa_t nth_gpa(const struct frame_set *set, uint64_t i)
{
	return (gpa_t){ frame_nth(set, i).v };
}

/* ---- Memory types ---- */

static enum s2_type ask(uint64_t at, uint64_t *until)
{
	enum s2_type type = arch_memory_type((gpa_t){ at }, until);

	CHECK(*until > at && *until % FRAME_SIZE == 0);
	return type;
}

/*
 * The type of `size` (2 MiB or 1 GiB) bytes from `base`, a multiple of it. false: they have
 * several; it is UC then.
 */
static bool type_of_page(uint64_t base, uint64_t size, enum s2_type *type)
{
	uint64_t until;

	*type = ask(base, &until);
	if (until - base >= size)
		return true;
	*type = S2_UC;
	return false;
}

/* ---- Launch ---- */

/* Maps all memory to itself, or gives what is mapped new types. */
static bool set_types(bool mapped)
{
	uint64_t until;

	for (uint64_t at = 0; at < normal.identity_end; at = until) {
		struct stage2_attr attr = { S2_RWX, ask(at, &until) };
		uint64_t pages;

		if (until > normal.identity_end)
			until = normal.identity_end;
		pages = frames_of(until - at);
		if (!stage2_prepare(&normal.s2, (gpa_t){ at }, pages, false))
			return false;
		if (mapped)
			stage2_retype(&normal.s2, (gpa_t){ at }, pages, attr.type);
		else
			stage2_map(&normal.s2, (gpa_t){ at }, (spa_t){ at }, pages, attr);
	}
	return true;
}

/* Leaves what is mapped there these rights only. */
static bool restrict_to(unsigned prot, uint64_t base, uint64_t pages)
{
	if (!stage2_prepare(&normal.s2, (gpa_t){ base }, pages, false))
		return false;
	stage2_protect(&normal.s2, (gpa_t){ base }, pages, prot);
	return true;
}

/* Puts the frame of ones in place of the registers of IOMMUs. */
static bool hide_registers(const struct bootinfo *info)
{
	for (uint32_t i = 0; i < info->iommu_count; i++) {
		uint64_t base = info->iommus[i].base;

		if (!stage2_prepare(&normal.s2, (gpa_t){ base }, info->iommus[i].pages, true))
			return false;
		for (uint32_t k = 0; k < info->iommus[i].pages; k++)
			stage2_map(&normal.s2, (gpa_t){ base + (uint64_t)k * FRAME_SIZE },
			    protect_ones(), 1, (struct stage2_attr){ S2_R, S2_WB });
	}
	return true;
}

bool protect_init(const struct bootinfo *info)
{
	const struct bootinfo_range *last = &info->ranges[info->range_count - 1];
	uint64_t top = last->base + last->pages * FRAME_SIZE;
	size_t pages = monitor_stage2_pages(page_owner_frames(), info->range_count, top) +
	    2ull * info->iommu_count;
	void *memory = region_reserve(pages);
	struct withheld bus = stage2_withheld();
	bool done;

	if (!memory || top > stage2_limit())
		return false;
	top = top > LOWEST_END ? (top + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1) : LOWEST_END;
	normal.identity_end = top;
	normal.demand_used = 0;
	stage2_pool_init(&normal.pool, memory, pages);
	if (!stage2_init(&normal.s2, &normal.pool, &normal.lock))
		return false;
	spin_lock(&normal.lock);
	bus.end = bus.end < top ? bus.end : top;
	done = set_types(false) &&
	    (bus.base >= bus.end || restrict_to(0, bus.base, frames_of(bus.end - bus.base))) &&
	    restrict_to(0, info->region_base, info->region_pages) &&
	    (info->record_base == 0 || restrict_to(0, info->record_base, 1)) &&
	    dma_init(top, pages) && (!dma_map() || hide_registers(info));
	spin_unlock(&normal.lock);
	return done;
}

static void no_memory_at(gpa_t gpa, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		CHECK(frame_state((spa_t){ gpa.v + i * FRAME_SIZE }) == FRAME_ABSENT);
}

bool protect_show(struct stage2 *map, gpa_t gpa, spa_t spa, uint64_t pages, unsigned prot)
{
	const struct stage2_attr attr = { prot, map == &normal.s2 ? S2_WB : S2_UC };
	bool done;

	no_memory_at(map == &normal.s2 ? gpa : (gpa_t){ spa.v }, pages);
	spin_lock(map->lock);
	done = stage2_prepare(map, gpa, pages, true);
	if (done)
		stage2_map(map, gpa, spa, pages, attr);
	spin_unlock(map->lock);
	return done;
}

bool monitor_trap_writes(gpa_t gpa, uint64_t pages)
{
	bool done;

	no_memory_at(gpa, pages);
	spin_lock(&normal.lock);
	done = restrict_to(S2_R, gpa.v, pages);
	spin_unlock(&normal.lock);
	return done;
}

/* ---- Merging ---- */

/* Flushes, and merges what can be merged around the frames. */
static void settle(const struct frame_set *set)
{
	bool full;

	do {
		full = false;
		for (uint64_t i = 0; i < set->count && !full; i++)
			full = stage2_merge(&normal.s2, nth_gpa(set, i), 1) == STAGE2_RETIRED;
		cpu_flush_all();
		stage2_reclaim(&normal.s2);
	} while (full);
}

/* The same for all pages of a range. */
static void settle_range(uint64_t base, uint64_t pages)
{
	size_t merged;

	do {
		merged = stage2_merge(&normal.s2, (gpa_t){ base }, pages);
		cpu_flush_all();
		stage2_reclaim(&normal.s2);
	} while (merged == STAGE2_RETIRED);
}

/* ---- Violations ---- */

static bool allows(unsigned prot, unsigned access)
{
	return !((access & ACCESS_READ) && !(prot & S2_R)) &&
	    !((access & ACCESS_WRITE) && !(prot & S2_W)) &&
	    !((access & ACCESS_FETCH) && (prot & S2_X) != S2_X);
}

/*
 * Puts the frame of ones in place of all hidden frames in a 2 MiB region that show nothing yet.
 * Where nothing was, so without a flush.
 */
static bool show_ones(uint64_t region)
{
	bool open = test_switch(TEST_OPEN_REGION);
	struct stage2_attr attr = { open ? S2_R | S2_W : S2_R, S2_WB };
	spa_t shown = protect_ones();

	if (!stage2_prepare(&normal.s2, (gpa_t){ region }, frames_of(LARGE_SIZE), true))
		return false;
	for (uint64_t at = region; at < region + LARGE_SIZE; at += FRAME_SIZE) {
		if (open)
			shown.v = at;
		if (frame_hidden((spa_t){ at }) &&
		    (open || !stage2_lookup(&normal.s2, (gpa_t){ at }).present))
			stage2_map(&normal.s2, (gpa_t){ at }, shown, 1, attr);
	}
	return true;
}

static bool hidden_touched(gpa_t gpa, unsigned access, uint64_t rip)
{
	uint64_t region = gpa.v & ~(LARGE_SIZE - 1);

	if ((access & ACCESS_FETCH) ||
	    ((access & ACCESS_WRITE) && !test_switch(TEST_OPEN_REGION))) {
		audit(access & ACCESS_FETCH ? REDOUBT_AUDIT_MONITOR_FETCH
					    : REDOUBT_AUDIT_MONITOR_WRITE,
		    region, rip);
		return false;
	}
	audit(REDOUBT_AUDIT_MONITOR_READ, region, rip);
	return show_ones(region);
}

/* Unmaps all that was mapped on demand. */
static void drop_demand(void)
{
	uint64_t pages = frames_of(stage2_limit() - normal.identity_end);

	if (pages == 0)
		return;
	stage2_protect(&normal.s2, (gpa_t){ normal.identity_end }, pages, 0);
	settle_range(normal.identity_end, pages);
	normal.demand_used = 0;
}

/* Maps what lies around `gpa` behind identity_end. A page takes at most two tables. */
static bool map_demand(gpa_t gpa)
{
	uint64_t size = HUGE_SIZE;
	gpa_t base = { gpa.v & ~(HUGE_SIZE - 1) };
	enum s2_type type;
	size_t before;

	if (!stage2_has_huge() || !type_of_page(base.v, size, &type)) {
		size = LARGE_SIZE;
		base.v = gpa.v & ~(LARGE_SIZE - 1);
		(void)type_of_page(base.v, size, &type);
	}
	if (normal.demand_used + 2 > DEMAND_TABLES)
		drop_demand();
	before = normal.pool.available;
	if (!stage2_prepare(&normal.s2, base, frames_of(size), false))
		return false;
	stage2_map(&normal.s2, base, (spa_t){ base.v }, frames_of(size),
	    (struct stage2_attr){ S2_RWX, type });
	normal.demand_used += before - normal.pool.available;
	return true;
}

/* Whether the tables allow the access now. */
static bool touched(gpa_t gpa, unsigned access, uint64_t rip)
{
	struct stage2_leaf leaf = stage2_lookup(&normal.s2, gpa);
	const struct withheld bus = stage2_withheld();

	/* Another CPU may have mapped it since. */
	if (leaf.present && allows(leaf.prot, access))
		return true;
	if (frame_hidden((spa_t){ gpa.v }) ||
	    (leaf.spa.v & ~(FRAME_SIZE - 1ull)) == protect_ones().v)
		return hidden_touched(gpa, access, rip);
	/* What is mapped lacks a right that the map withholds. */
	return !leaf.present && gpa.v >= normal.identity_end &&
	    (gpa.v < bus.base || gpa.v >= bus.end) && map_demand(gpa);
}

enum violation_verdict monitor_violation(gpa_t gpa, unsigned access, uint64_t rip)
{
	bool allowed;

	if (tpm_watches(gpa) && access == ACCESS_WRITE)
		return VIOLATION_STORE;
	if (gpa.v >= stage2_limit()) {
		audit(REDOUBT_AUDIT_OUTSIDE, gpa.v & ~(LARGE_SIZE - 1), rip);
		return VIOLATION_FAULT;
	}
	spin_lock(&normal.lock);
	allowed = touched(gpa, access, rip);
	spin_unlock(&normal.lock);
	return allowed ? VIOLATION_RETRY : VIOLATION_FAULT;
}

/* ---- MTRRs that change ---- */

void monitor_retype(void)
{
	spin_lock(&normal.lock);
	drop_demand();
	/* There is a table for every region that is split here (bootinfo.h). */
	CHECK(set_types(true));
	settle_range(0, frames_of(normal.identity_end));
	spin_unlock(&normal.lock);
}

/* ---- Frames that change hands ---- */

/* Makes sure that mappings of locked frames can be changed. */
static bool prepare(const struct frame_set *set)
{
	for (uint64_t i = 0; i < set->count; i++)
		if (!stage2_prepare(&normal.s2, nth_gpa(set, i), 1, true))
			return false;
	return true;
}

/* Takes the first `count` frames back into devices' view. */
static void allow(const struct frame_set *set, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		dma_allow(frame_nth(set, i), 1);
}

/* What of the normal world's map leads to the frames, or shows ones in their place, goes. */
static void withdraw(const struct frame_set *set)
{
	for (uint64_t i = 0; i < set->count; i++)
		stage2_protect(&normal.s2, nth_gpa(set, i), 1, 0);
}

/* The normal world and its devices lose locked frames. */
static bool part(const struct frame_set *set)
{
	if (!prepare(set))
		return false;
	for (uint64_t i = 0; i < set->count; i++) {
		if (!dma_block(frame_nth(set, i), 1)) {
			allow(set, i);
			dma_sync();
			return false;
		}
	}
	withdraw(set);
	cpu_flush_all();
	dma_sync();
	return true;
}

enum redoubt_status protect_part(const struct frame_set *set, struct holding to)
{
	if (!frames_lock(set, (struct holding){ FRAME_NORMAL, 0 }))
		return REDOUBT_RANGE;
	if (to.state != FRAME_SHARED && !part(set)) {
		frames_unlock(set);
		return REDOUBT_NO_RESOURCE;
	}
	frames_pass(set, to);
	frames_unlock(set);
	return REDOUBT_OK;
}

/* Identity mappings of usable memory, each frame with its type. */
static void map_back(const struct frame_set *set)
{
	for (uint64_t i = 0; i < set->count; i++) {
		gpa_t gpa = nth_gpa(set, i);
		uint64_t until;

		stage2_map(&normal.s2, gpa, frame_nth(set, i), 1,
		    (struct stage2_attr){ S2_RWX, arch_memory_type(gpa, &until) });
	}
	allow(set, set->count);
}

enum redoubt_status protect_return(const struct frame_set *set, struct holding holder,
    struct stage2 *from, gpa_t at)
{
	bool exclusive = holder.state != FRAME_SHARED;

	if (!frames_lock(set, holder))
		return REDOUBT_RANGE;
	if (exclusive && !prepare(set)) {
		frames_unlock(set);
		return REDOUBT_NO_RESOURCE;
	}
	if (from)
		stage2_protect(from, at, set->count, 0);
	if (exclusive)
		withdraw(set);
	/* Devices have not reached them, or reach them all the time. */
	cpu_flush_all();
	frames_pass(set, (struct holding){ FRAME_NORMAL, 0 });
	if (exclusive) {
		map_back(set);
		dma_sync();
		settle(set);
	}
	frames_unlock(set);
	return REDOUBT_OK;
}
