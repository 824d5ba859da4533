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
#include "monitor/tpm.h"

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

static void read_frame(spa_t frame, size_t offset, void *to, size_t bytes)
{
	const uint8_t *slot = slot_map(frame, SLOT_READ);

	memcpy(to, slot + offset, bytes);
	slot_unmap();
}

/* Locks the frame at a place, which begins at *spa, and keeps it as it is; NULL: there is none. */
static struct frame *claim(const struct guest_place *place, size_t bytes, spa_t *spa)
{
	size_t offset = place->at.v % FRAME_SIZE;
	struct stage2_leaf leaf;
	struct frame *frame;
	struct stage2 *map;

	if (!range_within(offset, bytes, FRAME_SIZE))
		return NULL;
	*spa = (spa_t){ place->at.v - offset };
	if (place->as.partition == 0)
		return frame_lock(*spa, place->as);
	if (place->at.v >= PARTITION_SPACE)
		return NULL;
	map = partition_map(place->as.partition);
	spin_lock(map->lock);
	leaf = stage2_lookup(map, (gpa_t){ spa->v });
	*spa = leaf.spa;
	frame = leaf.present ? frame_lock(*spa, place->as) : NULL;
	spin_unlock(map->lock);
	return frame;
}

bool guest_read_in(const struct guest_place *from, void *to, size_t bytes)
{
	spa_t spa;
	struct frame *frame = claim(from, bytes, &spa);

	if (!frame)
		return false;
	read_frame(spa, from->at.v % FRAME_SIZE, to, bytes);
	frame_unlock(frame);
	return true;
}

bool guest_write_in(const struct guest_place *to, const void *from, size_t bytes)
{
	spa_t spa;
	struct frame *frame = claim(to, bytes, &spa);
	uint8_t *slot;

	if (!frame)
		return false;
	slot = slot_map(spa, SLOT_WRITE);
	memcpy(slot + to->at.v % FRAME_SIZE, from, bytes);
	slot_unmap();
	frame_unlock(frame);
	return true;
}

bool monitor_guest_read(gpa_t from, void *to, size_t bytes)
{
	size_t offset = from.v % FRAME_SIZE;
	spa_t spa = { from.v - offset };

	/*
	 * Firmware runs code from memory that it lists as reserved. What has no descriptor never
	 * gets one, and is the normal world's, be it memory or a device; or it is an IOMMU's
	 * registers, which hold no secret and which reads do not change. Those of a TPM's they may.
	 */
	if (frame_state(spa) != FRAME_ABSENT)
		return guest_read_in(&(struct guest_place){ { FRAME_NORMAL, 0 }, from }, to, bytes);
	if (!range_within(offset, bytes, FRAME_SIZE) || spa.v >= stage2_limit() ||
	    tpm_watches(from))
		return false;
	read_frame(spa, offset, to, bytes);
	return true;
}

void guest_scrub(spa_t frame)
{
	scrub(slot_map(frame, SLOT_WRITE), FRAME_SIZE);
	slot_unmap();
}
