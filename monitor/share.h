/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory between the normal world and partitions: donate, lend, share, reclaim.
 *
 * Each time frames are given makes a grant: a record of what kind it is, which partition has it,
 * and where in the partition's map it stands. The frames themselves are what that map leads to, so
 * they are written down once. A grant is named by a handle that is never used again (T40).
 *
 *           gives                       partition's rights     ends
 *   DONATE  NORMAL -> PARTITION, zero   R, RW                  zero
 *   LEND    NORMAL -> LENT              R, RW                  zero
 *   SHARE   NORMAL -> SHARED            R, RW                  as it is
 *
 * Nothing that is given is executable: partition.c makes text of what was lent and judged (I2).
 *
 * A grant ends when the partition gives it up, or when the normal world reclaims it from a
 * partition that is dead: a live one's memory is not pulled from under it. A partition gives
 * nothing on.
 *
 * Everything here takes the map's lock (arch/lock.h) and is bounded by PASS_MAX frames.
 */
#ifndef MONITOR_SHARE_H
#define MONITOR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "monitor/abi/call.h"
#include "monitor/page_owner.h"

enum share_kind { SHARE_DONATE, SHARE_LEND, SHARE_SHARE, SHARE_KINDS };

/* Grants at one time; each of PASS_MAX frames at most. */
#define SHARE_GRANTS 512u

/* First address that no partition's map reaches. */
#define PARTITION_SPACE (1ull << 32)

/* Where and how a grant stands in a partition's map. */
struct share_place {
	unsigned partition;
	gpa_t at;      /* multiple of 4 KiB; the frames stand there in order */
	unsigned prot; /* S2_ */
};

/*
 * Gives frames of the normal world's. OK, *handle names the grant; INVALID: the rights are not of
 * the kind's; RANGE: the place does not lie in the partition's space, or the frames are not the
 * caller's alone, not ascending, none, or more than PASS_MAX; STATE: there is no such partition or
 * it is dead; BUSY: something stands at the place; NO_RESOURCE: no grant, no table, or devices
 * cannot be kept out. On all but OK nothing has changed.
 */
enum redoubt_status share_make(enum share_kind kind, const struct share_place *place,
    const struct frame_set *frames, uint64_t *handle);

/*
 * The same for the frames that a frame of the normal world's lists, 64 bits each; it is read once.
 */
enum redoubt_status share_list(enum share_kind kind, const struct share_place *place, gpa_t list,
    uint64_t pages);

/*
 * Ends a grant. `by`: the partition that gives it up, 0: the normal world. OK; STATE: no such
 * grant, or not that partition's; BUSY: the partition lives, or a frame is referenced. A partition
 * has no tables but for what it has.
 */
enum redoubt_status share_end(uint64_t handle, unsigned by);

/* Zeroes what a partition was donated, for its next start. The map's lock is held. */
void share_scrub(unsigned partition);

/* Ends one grant of a partition. true: there was none. The map's lock is held. */
bool share_take_apart(unsigned partition);

#endif
