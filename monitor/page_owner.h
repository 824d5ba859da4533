/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who owns each frame of usable memory (I1). One descriptor of 4 bytes a frame: a lock bit, the
 * state, and the partition it concerns. Only these transitions exist:
 *
 *   NORMAL <-> PARTITION   donated: the partition's own          scrubbed both ways (I8)
 *   NORMAL <-> LENT        the normal world's, but only the      kept when lent, since its bytes
 *                          partition reaches it                  are what it is lent for; scrubbed
 *                                                                when it returns
 *   NORMAL <-> SHARED      the normal world's, both reach it     kept both ways
 *
 * None leads from or to MONITOR: the region and the record's frame never change hands. What is no
 * usable memory (devices, firmware's reserved areas) has no descriptor and belongs to the normal
 * world's devices: it is never handed out and never touched by root mode.
 *
 * Taking the lock names the holder that the caller counts on. Lock order: arch/lock.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "monitor/abi/bootinfo.h"

enum frame_state {
	FRAME_NORMAL, /* 0: what a zeroed descriptor says */
	FRAME_MONITOR,
	FRAME_PARTITION,
	FRAME_LENT,
	FRAME_SHARED,
	FRAME_ABSENT, /* has no descriptor; never stored in one */
};

/* Whose a frame is. */
struct holding {
	enum frame_state state;
	unsigned partition; /* of PARTITION, LENT, SHARED: from 1; else 0 */
};

/* Frames that an operation concerns: those of a list, ascending, or those from `base` on. */
struct frame_set {
	const uint64_t *list; /* SPAs; NULL: there is none */
	uint64_t base;
	uint64_t count;
};

/* A descriptor; only page_owner.c looks inside. */
struct frame {
	_Atomic uint32_t word;
};

_Static_assert(sizeof(struct frame) * 1000 <= FRAME_SIZE, "at most 0.1 % of memory");

/*
 * Builds the table from the ranges: the region and the record's frame are the monitor's, all else
 * is the normal world's. Takes frames * 4 bytes of the region; false: there are not enough.
 */
bool page_owner_init(const struct bootinfo *info);

/*
 * Locks the frame that holds `spa` if it is held as expected; NULL if it is not (the lock is not
 * held then).
 */
struct frame *frame_lock(spa_t spa, struct holding expected);
void frame_unlock(struct frame *frame);

/*
 * Whose the frame at `spa` is now. It can change at once unless a lock that forbids it is held.
 */
struct holding frame_holding(spa_t spa);
enum frame_state frame_state(spa_t spa);

/* Whether the normal world does not reach it: it is another's, or lent. */
bool frame_hidden(spa_t spa);

/* The i-th frame of a set. */
spa_t frame_nth(const struct frame_set *set, uint64_t i);

/*
 * Locks the frames of a set, in ascending order, if all are held as expected. false: one is not, or
 * is no frame, or does not lie above the one before (T39); no lock is held then.
 */
bool frames_lock(const struct frame_set *set, struct holding expected);
void frames_unlock(const struct frame_set *set);

/*
 * Carries out a transition on frames locked by frames_lock(), scrubbing as it demands; one that
 * does not exist is a CHECK. The caller has taken them out of reach of whoever is to lose them, on
 * every CPU, and has not yet put them into reach of who gets them. They stay locked.
 */
void frames_pass(const struct frame_set *set, struct holding to);

/* Zeroes all that is a partition's alone; takes no lock: the machine is about to end. */
void page_owner_scrub(void);

/* Frames with descriptors. */
uint64_t page_owner_frames(void);
