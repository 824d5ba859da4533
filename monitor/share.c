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

/* The frames in hand; ascending, as they were given. The map's lock guards it. */
static uint64_t frames_in_hand[PASS_MAX];

/* ---- Giving ---- */

static bool is_empty(const struct stage2 *map, gpa_t at, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		if (stage2_lookup(map, (gpa_t){ at.v + i * FRAME_SIZE }).present)
			return false;
	return true;
}

static bool place_valid(const struct guest_place *place, uint64_t pages)
{
	return pages != 0 && pages <= PASS_MAX && place->at.v % FRAME_SIZE == 0 &&
	    range_within(place->at.v, pages * FRAME_SIZE, PARTITION_SPACE);
}

/* Tables around a place that hold nothing go back to the pool. */
static void trim(struct stage2 *map, gpa_t at, uint64_t pages)
{
	size_t retired = stage2_merge(map, at, pages);

	/* What is given at once spans two tables of each level at most. */
	CHECK(retired < STAGE2_RETIRED);
	if (retired == 0)
		return;
	cpu_flush_all();
	stage2_reclaim(map);
}

/* Makes room for what is to be given at a place. */
static enum redoubt_status make_room(const struct guest_place *place, uint64_t pages)
{
	enum partition_state state = partition_state(place->as.partition);
	struct stage2 *map;

	/* What one that runs gets is shared with it. */
	if (state != PARTITION_BUILDING &&
	    !(place->as.state == FRAME_SHARED && state == PARTITION_READY))
		return REDOUBT_STATE;
	map = partition_map(place->as.partition);
	if (!is_empty(map, place->at, pages))
		return REDOUBT_BUSY;
	if (stage2_prepare(map, place->at, pages, true))
		return REDOUBT_OK;
	trim(map, place->at, pages);
	return REDOUBT_NO_RESOURCE;
}

static enum redoubt_status give(const struct guest_place *place, const struct frame_set *frames)
{
	enum redoubt_status status = make_room(place, frames->count);
	const struct stage2_attr attr = { place->as.state == FRAME_LENT ? S2_R : S2_R | S2_W,
		S2_WB };
	struct stage2 *map;

	if (status != REDOUBT_OK)
		return status;
	map = partition_map(place->as.partition);
	status = protect_part(frames, place->as);
	if (status != REDOUBT_OK)
		trim(map, place->at, frames->count);
	for (uint64_t i = 0; status == REDOUBT_OK && i < frames->count; i++)
		stage2_map(map, (gpa_t){ place->at.v + i * FRAME_SIZE }, frame_nth(frames, i), 1,
		    attr);
	return status;
}

enum redoubt_status share_make(const struct guest_place *place, const struct frame_set *frames)
{
	enum redoubt_status status;

	if (!place_valid(place, frames->count))
		return REDOUBT_RANGE;
	spin_lock(map_lock());
	status = give(place, frames);
	spin_unlock(map_lock());
	return status;
}

enum redoubt_status share_list(const struct guest_place *place, gpa_t list, uint64_t pages)
{
	const struct guest_place from = { { FRAME_NORMAL, 0 }, list };
	enum redoubt_status status = REDOUBT_RANGE;

	if (!place_valid(place, pages))
		return REDOUBT_RANGE;
	spin_lock(map_lock());
	if (guest_read_in(&from, frames_in_hand, pages * sizeof(frames_in_hand[0])))
		status = give(place, &(struct frame_set){ frames_in_hand, 0, pages });
	spin_unlock(map_lock());
	return status;
}

/* ---- The end of a partition ---- */

/* Goes on to the first page from *at on that the map leads to a frame, *spa. false: none. */
static bool next_page(const struct stage2 *map, gpa_t *at, spa_t *spa)
{
	while (at->v < PARTITION_SPACE) {
		struct stage2_leaf leaf = stage2_lookup(map, *at);

		*spa = leaf.spa;
		if (leaf.present)
			return true;
		at->v = (at->v | ((1ull << leaf.shift) - 1)) + 1;
	}
	return false;
}

void share_scrub(unsigned partition)
{
	spa_t spa;

	for (gpa_t at = { 0 }; next_page(partition_map(partition), &at, &spa); at.v += FRAME_SIZE)
		if (frame_state(spa) == FRAME_PARTITION)
			guest_scrub(spa);
}

/* Takes the first row of pages in hand whose frames ascend and are held alike. */
static uint64_t take_row(const struct stage2 *map, struct guest_place *first)
{
	gpa_t at = { 0 };
	uint64_t count = 0;
	spa_t spa;

	for (; count < PASS_MAX && next_page(map, &at, &spa); at.v += FRAME_SIZE) {
		if (count == 0)
			*first = (struct guest_place){ frame_holding(spa), at };
		else if (at.v != first->at.v + count * FRAME_SIZE ||
		    spa.v <= frames_in_hand[count - 1] || frame_state(spa) != first->as.state)
			break;
		frames_in_hand[count++] = spa.v;
	}
	return count;
}

bool share_take_apart(unsigned partition)
{
	struct stage2 *map = partition_map(partition);
	struct guest_place first;
	uint64_t count = take_row(map, &first);
	struct frame_set frames = { frames_in_hand, 0, count };

	if (count == 0)
		return true;
	if (protect_return(&frames, first.as, map, first.at) == REDOUBT_OK)
		trim(map, first.at, count);
	return false;
}
