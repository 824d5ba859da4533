/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Who owns each frame of usable memory (I1). One descriptor of 4 bytes a frame: a lock bit, the
 * state, and a count of references. The state says who owns the frame; only its transitions below
 * exist.
 *
 *   NORMAL  <->  MONITOR     frames_pass(), scrubbed first (I8)
 *
 * A frame with references does not change hands; the monitor's own region and the record's frame
 * hold one for good. What is no usable memory (devices, firmware's reserved areas) has no
 * descriptor and belongs to the normal world's devices: it is never handed out and never touched by
 * root mode.
 *
 * Taking the lock names the state that the caller counts on. Lock order: locks.h.
 */
#ifndef MONITOR_PAGE_OWNER_H
#define MONITOR_PAGE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "monitor/abi/bootinfo.h"

enum frame_state {
	FRAME_NORMAL, /* 0: what a zeroed descriptor says */
	FRAME_MONITOR,
	FRAME_ABSENT, /* has no descriptor; never stored in one */
};

#define FRAME_REFS_MAX 0xffffu

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
 * Locks the frame that holds `spa` if it is in the state expected; NULL if it is not (the lock is
 * not held then).
 */
struct frame *frame_lock(spa_t spa, enum frame_state expected);
void frame_unlock(struct frame *frame);

/*
 * The state of the frame at `spa` now. It can change at once unless a lock that forbids it is held.
 */
enum frame_state frame_state(spa_t spa);

/*
 * References of a locked frame. frame_get(): false, it has FRAME_REFS_MAX. frame_put(): it has one.
 */
uint32_t frame_refs(const struct frame *frame);
bool frame_get(struct frame *frame);
void frame_put(struct frame *frame);

/*
 * Locks `pages` frames from `spa` on, in ascending order, if all are in the state expected and none
 * is referenced. false: one is not (or the range has no such frames), and no lock is held.
 */
bool frames_lock(spa_t spa, uint64_t pages, enum frame_state expected);
void frames_unlock(spa_t spa, uint64_t pages);

/*
 * Hands frames locked by frames_lock() to the owner that `to` names, scrubbed (I8). The caller has
 * taken them out of the old owner's reach on every CPU and has not yet put them into the new one's.
 * They stay locked.
 */
void frames_pass(spa_t spa, uint64_t pages, enum frame_state to);

/* Whether any frame of [base, end) has a descriptor. */
bool page_owner_any(uint64_t base, uint64_t end);

/* Frames with descriptors. */
uint64_t page_owner_frames(void);

/* Address behind the last of them. */
uint64_t page_owner_top(void);

#endif
