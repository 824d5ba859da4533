/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The one family of functions that touches memory which is not the monitor's own (I13). For each
 * copy the frame's lock is taken, which shows that the frame is held as the caller says and keeps
 * it so; then bytes are copied in once (I4) or out; then it is unlocked.
 */
#pragma once

#include <stddef.h>

#include "arch/addr.h"
#include "monitor/lib/sha256.h"
#include "monitor/page_owner.h"

/* Memory at `at` of the normal world or of a partition, in a frame held so. */
struct guest_place {
	struct holding as;
	gpa_t at;
};

/*
 * Copy between such memory and the monitor's. false: it is not within one frame that is held so
 * (T38). Take the frame's lock; for a partition's, before it, the map's for a moment.
 */
bool guest_read_in(const struct guest_place *from, void *to, size_t bytes);
bool guest_write_in(const struct guest_place *to, const void *from, size_t bytes);

/* SHA-256 of frames that nobody changes. */
void guest_measure(const struct frame_set *frames, uint8_t digest[SHA256_BYTES]);

/* Zeroes a frame whose lock the caller holds. */
void guest_scrub(spa_t frame);
