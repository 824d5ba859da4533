/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory between the normal world and partitions: donate, lend, share, reclaim.
 *
 * What a partition has is what its map leads to, and how it has it the frames' descriptors say; it
 * is written down nowhere else.
 *
 *           gives                       partition's rights     ends
 *   DONATE  NORMAL -> PARTITION, zero   RW                     zero
 *   LEND    NORMAL -> LENT              R                      zero
 *   SHARE   NORMAL -> SHARED            RW                     as it is
 *
 * Nothing that is given is executable: partition.c makes text of what was lent and judged (I2).
 *
 * Frames go back when their partition is dead: a live one's memory is not pulled from under it. A
 * partition gives nothing on.
 *
 * Everything here takes the map's lock (arch/lock.h) and is bounded by PASS_MAX frames.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "monitor/abi/call.h"
#include "monitor/guest_mem.h"

/* First address that no partition's map reaches. */
#define PARTITION_SPACE (1ull << 32)

/*
 * Gives frames of the normal world's to a partition, to be held as the place says; they stand there
 * in order. OK; RANGE: the place does not lie in the partition's space, or the frames are not the
 * caller's alone, not ascending, none, or more than PASS_MAX; STATE: there is no such partition or
 * it is given nothing any more; BUSY: something stands at the place; NO_RESOURCE: no table, or
 * devices cannot be kept out. On all but OK nothing has changed.
 */
enum redoubt_status share_make(const struct guest_place *place, const struct frame_set *frames);

/*
 * The same for the frames that a frame of the normal world's lists, 64 bits each; it is read once.
 */
enum redoubt_status share_list(const struct guest_place *place, gpa_t list, uint64_t pages);

/* Zeroes what a partition was donated, for its next start. The map's lock is held. */
void share_scrub(unsigned partition);

/*
 * Gives back a row of up to PASS_MAX frames of a dead partition's. true: it had none. A partition
 * has no tables but for what it has. The map's lock is held.
 */
bool share_take_apart(unsigned partition);
