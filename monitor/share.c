/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Donate, lend, share, reclaim (share.h).
 */
#include "monitor/share.h"

#include "arch/cpu.h"
#include "arch/stage2.h"
#include "arch/upcall.h"
#include "monitor/guest_mem.h"
#include "monitor/lib/checked.h"
#include "monitor/partition.h"
#include "monitor/protect.h"

#define TURN_SHIFT 16u

/* What the frames are held as. */
static const enum frame_state states[SHARE_KINDS] = { [SHARE_DONATE] = FRAME_PARTITION,
	[SHARE_LEND] = FRAME_LENT,
	[SHARE_SHARE] = FRAME_SHARED };

/*
 * A grant; `pages` 0: none. Turns make handles of one place different; the first is 1, and they do
 * not come back.
 */
struct grant {
	uint64_t turn;
	uint16_t pages;
	uint8_t partition;
	uint8_t kind;
	gpa_t at;
};

/* The map's lock guards it. */
static struct grant grants[SHARE_GRANTS];

/* The frames of the grant in hand; ascending, as they were given. Under the same lock. */
static uint64_t frames_in_hand[PASS_MAX];

static struct spinlock *map_lock(void)
{
	return monitor_normal_stage2()->lock;
}

static struct holding holding_of(const struct grant *grant)
{
	return (struct holding){ states[grant->kind], grant->partition };
}

static struct grant *grant_of(uint64_t handle)
{
	struct grant *grant = &grants[handle % SHARE_GRANTS];

	if ((handle & ((1u << TURN_SHIFT) - 1)) >= SHARE_GRANTS || grant->pages == 0 ||
	    handle >> TURN_SHIFT != grant->turn)
		return NULL;
	return grant;
}

static struct grant *free_grant(void)
{
	for (unsigned i = 0; i < SHARE_GRANTS; i++)
		if (grants[i].pages == 0)
			return &grants[i];
	return NULL;
}

static struct frame_set frames_of(const struct grant *grant)
{
	const struct stage2 *map = partition_map(grant->partition);

	for (unsigned i = 0; i < grant->pages; i++) {
		struct stage2_leaf leaf = stage2_lookup(map,
		    (gpa_t){ grant->at.v + i * (uint64_t)FRAME_SIZE });

		CHECK(leaf.present);
		frames_in_hand[i] = leaf.spa.v;
	}
	return (struct frame_set){ frames_in_hand, 0, grant->pages };
}

/* ---- Giving ---- */

static bool is_empty(const struct stage2 *map, gpa_t at, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		if (stage2_lookup(map, (gpa_t){ at.v + i * FRAME_SIZE }).present)
			return false;
	return true;
}

static enum redoubt_status check(enum share_kind kind, const struct share_place *place,
    uint64_t pages)
{
	if (kind >= SHARE_KINDS || (place->prot != S2_R && place->prot != (S2_R | S2_W)))
		return REDOUBT_INVALID;
	if (pages == 0 || pages > PASS_MAX || place->at.v % FRAME_SIZE != 0 ||
	    !range_within(place->at.v, pages * FRAME_SIZE, PARTITION_SPACE))
		return REDOUBT_RANGE;
	return REDOUBT_OK;
}

/* Tables around a place that hold nothing go back to the pool. */
static void trim(struct stage2 *map, gpa_t at, uint64_t pages)
{
	size_t retired = stage2_merge(map, at, pages);

	/* A grant spans two tables of each level at most. */
	CHECK(retired < STAGE2_RETIRED);
	if (retired == 0)
		return;
	cpu_flush_all();
	stage2_reclaim(map);
}

/* Makes room for a grant at a place. */
static enum redoubt_status make_room(enum share_kind kind, const struct share_place *place,
    uint64_t pages)
{
	struct stage2 *map;

	/* What one that runs gets is shared with it. */
	if (partition_state(place->partition) != PARTITION_BUILDING &&
	    !(kind == SHARE_SHARE && partition_state(place->partition) == PARTITION_READY))
		return REDOUBT_STATE;
	map = partition_map(place->partition);
	if (!is_empty(map, place->at, pages))
		return REDOUBT_BUSY;
	if (stage2_prepare(map, place->at, pages, true))
		return REDOUBT_OK;
	trim(map, place->at, pages);
	return REDOUBT_NO_RESOURCE;
}

static void map_in(const struct share_place *place, const struct frame_set *frames)
{
	for (uint64_t i = 0; i < frames->count; i++)
		stage2_map(partition_map(place->partition), (gpa_t){ place->at.v + i * FRAME_SIZE },
		    frame_nth(frames, i), 1, (struct stage2_attr){ place->prot, S2_WB });
}

static uint64_t handle_of(const struct grant *grant)
{
	return grant->turn << TURN_SHIFT | (uint64_t)(grant - grants);
}

static enum redoubt_status give(enum share_kind kind, const struct share_place *place,
    const struct frame_set *frames, uint64_t *handle)
{
	struct holding to = { states[kind], place->partition };
	struct grant *grant = free_grant();
	enum redoubt_status status = make_room(kind, place, frames->count);

	if (status != REDOUBT_OK)
		return status;
	status = grant ? protect_part(frames, to) : REDOUBT_NO_RESOURCE;
	if (status != REDOUBT_OK) {
		trim(partition_map(place->partition), place->at, frames->count);
		return status;
	}
	map_in(place, frames);
	*grant = (struct grant){ grant->turn + 1, (uint16_t)frames->count,
		(uint8_t)place->partition, (uint8_t)kind, place->at };
	*handle = handle_of(grant);
	return REDOUBT_OK;
}

enum redoubt_status share_make(enum share_kind kind, const struct share_place *place,
    const struct frame_set *frames, uint64_t *handle)
{
	enum redoubt_status status = check(kind, place, frames->count);

	if (status != REDOUBT_OK)
		return status;
	spin_lock(map_lock());
	status = give(kind, place, frames, handle);
	spin_unlock(map_lock());
	return status;
}

enum redoubt_status share_list(enum share_kind kind, const struct share_place *place, gpa_t list,
    uint64_t pages)
{
	enum redoubt_status status = check(kind, place, pages);
	struct guest_frame claim;
	uint64_t handle;

	if (status != REDOUBT_OK)
		return status;
	spin_lock(map_lock());
	status = REDOUBT_RANGE;
	if (guest_claim(list, &claim)) {
		guest_copy_in(&claim, 0, frames_in_hand, pages * sizeof(frames_in_hand[0]));
		guest_release(&claim);
		status = give(kind, place, &(struct frame_set){ frames_in_hand, 0, pages },
		    &handle);
	}
	spin_unlock(map_lock());
	return status;
}

/* ---- Ending ---- */

/* false: a frame of it is referenced. */
static bool end(struct grant *grant)
{
	struct stage2 *map = partition_map(grant->partition);
	struct frame_set frames = frames_of(grant);

	if (protect_return(&frames, holding_of(grant), map, grant->at) != REDOUBT_OK)
		return false;
	trim(map, grant->at, grant->pages);
	grant->pages = 0;
	return true;
}

static enum redoubt_status end_by(uint64_t handle, unsigned by)
{
	struct grant *grant = grant_of(handle);

	if (!grant || (by != 0 && by != grant->partition))
		return REDOUBT_STATE;
	if (by == 0 && partition_state(grant->partition) != PARTITION_DEAD)
		return REDOUBT_BUSY;
	return end(grant) ? REDOUBT_OK : REDOUBT_BUSY;
}

enum redoubt_status share_end(uint64_t handle, unsigned by)
{
	enum redoubt_status status;

	spin_lock(map_lock());
	status = end_by(handle, by);
	spin_unlock(map_lock());
	return status;
}

/* ---- The end of a partition ---- */

void share_scrub(unsigned partition)
{
	for (unsigned i = 0; i < SHARE_GRANTS; i++) {
		if (grants[i].pages == 0 || grants[i].partition != partition ||
		    grants[i].kind != SHARE_DONATE)
			continue;
		struct frame_set frames = frames_of(&grants[i]);

		for (uint64_t k = 0; k < frames.count; k++)
			guest_scrub(frame_nth(&frames, k));
	}
}

bool share_take_apart(unsigned partition)
{
	CHECK(spin_held(map_lock()));
	for (unsigned i = 0; i < SHARE_GRANTS; i++) {
		if (grants[i].pages != 0 && grants[i].partition == partition) {
			/* One that is referenced stays for the next time. */
			(void)end(&grants[i]);
			return false;
		}
	}
	return true;
}
