/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The one family of functions that touches memory which is not the monitor's own (I13). A frame is
 * claimed, which shows that it is the caller's and keeps it so; then bytes are copied in once (I4)
 * or out; then it is released.
 */
#ifndef MONITOR_GUEST_MEM_H
#define MONITOR_GUEST_MEM_H

#include <stddef.h>

#include "arch/addr.h"
#include "monitor/lib/sha256.h"
#include "monitor/page_owner.h"

struct guest_frame {
	struct frame *frame; /* locked */
	spa_t spa;
};

/*
 * Claims the normal world's frame at `gpa`, a multiple of 4 KiB. false: it is not usable memory of
 * the normal world's (T38). Takes the frame's lock, which guest_release() gives back.
 */
bool guest_claim(gpa_t gpa, struct guest_frame *claim);
void guest_release(struct guest_frame *claim);

/*
 * Copies between the claimed frame, from `offset` on, and the monitor's own memory. Both within the
 * frame.
 */
void guest_copy_in(const struct guest_frame *claim, size_t offset, void *to, size_t bytes);
void guest_copy_out(const struct guest_frame *claim, size_t offset, const void *from, size_t bytes);

/* What a partition finds at `at`, in a frame of this state. */
struct guest_place {
	unsigned partition;
	enum frame_state state;
	gpa_t at;
};

/*
 * Copy between a partition's memory and the monitor's. false: it is not within one frame, or no
 * frame of that state. Take the map's lock for a moment, then the frame's.
 */
bool guest_read_in(const struct guest_place *from, void *to, size_t bytes);
bool guest_write_in(const struct guest_place *to, const void *from, size_t bytes);

/* SHA-256 of frames that nobody changes. */
void guest_measure(const struct frame_set *frames, uint8_t digest[SHA256_BYTES]);

/* Zeroes a frame whose lock the caller holds. */
void guest_scrub(spa_t frame);

#endif
