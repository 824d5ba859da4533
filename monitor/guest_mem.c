/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Touching guest memory (guest_mem.h). A GPA of the normal world is the same SPA.
 */
#include "monitor/guest_mem.h"

#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/lib/checked.h"
#include "monitor/lib/string.h"
#include "monitor/partition.h"
#include "monitor/share.h"

bool guest_claim(gpa_t gpa, struct guest_frame *claim)
{
	CHECK(gpa.v % FRAME_SIZE == 0);
	claim->spa = (spa_t){ gpa.v };
	claim->frame = frame_lock(claim->spa, FRAME_NORMAL);
	return claim->frame != NULL;
}

void guest_measure(const struct frame_set *frames, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	for (uint64_t i = 0; i < frames->count; i++) {
		sha256_add(&hash, slot_map(frame_nth(frames, i), SLOT_READ), FRAME_SIZE);
		slot_unmap();
	}
	sha256_end(&hash, digest);
}

void guest_release(struct guest_frame *claim)
{
	frame_unlock(claim->frame);
	claim->frame = NULL;
}

static void read_frame(spa_t frame, size_t offset, void *to, size_t bytes)
{
	const uint8_t *slot = slot_map(frame, SLOT_READ);

	memcpy(to, slot + offset, bytes);
	slot_unmap();
}

void guest_copy_in(const struct guest_frame *claim, size_t offset, void *to, size_t bytes)
{
	CHECK(claim->frame && range_within(offset, bytes, FRAME_SIZE));
	read_frame(claim->spa, offset, to, bytes);
}

/* What the partition has stays so while it is locked. */
static bool claim_in(const struct guest_place *place, size_t bytes, struct guest_frame *claim)
{
	struct stage2 *map = partition_map(place->partition);
	size_t offset = place->at.v % FRAME_SIZE;
	struct stage2_leaf leaf = { 0 };

	spin_lock(map->lock);
	if (place->at.v < PARTITION_SPACE && range_within(offset, bytes, FRAME_SIZE))
		leaf = stage2_lookup(map, place->at);
	claim->spa = (spa_t){ leaf.spa.v - offset };
	claim->frame = leaf.present ? frame_lock(claim->spa, place->state) : NULL;
	spin_unlock(map->lock);
	return claim->frame != NULL;
}

bool guest_read_in(const struct guest_place *from, void *to, size_t bytes)
{
	struct guest_frame claim;

	if (!claim_in(from, bytes, &claim))
		return false;
	guest_copy_in(&claim, from->at.v % FRAME_SIZE, to, bytes);
	guest_release(&claim);
	return true;
}

bool guest_write_in(const struct guest_place *to, const void *from, size_t bytes)
{
	struct guest_frame claim;

	if (!claim_in(to, bytes, &claim))
		return false;
	guest_copy_out(&claim, to->at.v % FRAME_SIZE, from, bytes);
	guest_release(&claim);
	return true;
}

bool monitor_guest_read(gpa_t from, void *to, size_t bytes)
{
	size_t offset = from.v % FRAME_SIZE;
	spa_t spa = { from.v - offset };
	struct guest_frame claim;

	if (!range_within(offset, bytes, FRAME_SIZE) || spa.v >= stage2_limit())
		return false;
	/*
	 * Firmware runs code from memory that it lists as reserved. What has no descriptor never
	 * gets one, and is the normal world's, be it memory or a device.
	 */
	if (frame_state(spa) == FRAME_ABSENT) {
		read_frame(spa, offset, to, bytes);
		return true;
	}
	if (!guest_claim((gpa_t){ spa.v }, &claim))
		return false;
	guest_copy_in(&claim, offset, to, bytes);
	guest_release(&claim);
	return true;
}

void guest_copy_out(const struct guest_frame *claim, size_t offset, const void *from, size_t bytes)
{
	uint8_t *slot;

	CHECK(claim->frame && range_within(offset, bytes, FRAME_SIZE));
	slot = slot_map(claim->spa, SLOT_WRITE);
	memcpy(slot + offset, from, bytes);
	slot_unmap();
}

void guest_scrub(spa_t frame)
{
	scrub(slot_map(frame, SLOT_WRITE), FRAME_SIZE);
	slot_unmap();
}
