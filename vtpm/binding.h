/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM's states bound to two counters in the NV memory of the platform's own TPM, where the
 * monitor has given that to this partition (T63).
 *
 *   stores  one step for each state that a sure keeper has kept and in which more than the clock
 *           has changed. The step is taken when the state is on the disk, before its response goes.
 *           A state is used if it has the counter's value, or the next one: then the step was cut
 *           off, and is taken.
 *   starts  one step for each start from a bound state. A keeper who may not flush takes no step of
 *           `stores`, for a cut could undo the write and leave the step; so this one bounds from
 *           how many starts such states can be put back: LOOSE_STARTS.
 *
 * `starts` is not there before a bound state was used or kept: as long as it is not, a state that
 * is not bound, or none at all, is a beginning; later it is refused. That it is not there the TPM
 * says without proof (ptpm/counter.h), so whoever owns the platform's TPM, or its bus, can have a
 * state used that was never bound, but no older one of those that were.
 *
 * The counters' authorization follows from the machine's root key.
 *
 * Wear: steps of `stores` are given out by a bucket of STEPS, one more in STEP_NS; when it is empty
 * commands that change the state get TPM_RC_NV_RATE.
 */
#ifndef VTPM_BINDING_H
#define VTPM_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm/nv.h"
#include "vtpm/ptpm/counter.h"
#include "vtpm/ptpm/ptpm.h"

#define LOOSE_STARTS 8u
#define STEPS	     2048u
#define STEP_NS	     300000000000ull

/* The part of a state: NV_COUNTERS. */
struct binding_part {
	uint32_t version; /* 1 */
	uint32_t steps;	  /* in the bucket */
	uint64_t stores;
	uint64_t starts; /* 0: of before it was there */
};

_Static_assert(sizeof(struct binding_part) == 24, "no padding");

struct binding {
	bool on;
	bool unsure; /* the last step of `stores` may have been taken or not */
	struct ptpm device;
	uint8_t auth[COUNTER_AUTH_BYTES];
	uint64_t stores, starts; /* the counters; `starts` 0: not there */
	uint32_t steps;
	uint64_t since; /* trustlet_time() up to which the bucket was filled */
	struct binding_part part;
};

/* The device's registers are at TRUSTLET_DEVICE_BASE. false: the log says why. */
bool binding_open(struct binding *binding);

/*
 * Whether a start may go on from a state with this part; no bytes: the state is not bound, or there
 * is none. NV_OK: the counters have counted this start. Otherwise the log says why: NV_BELOW_FLOOR,
 * NV_ABOVE, NV_NOT_BOUND, NV_NO_COUNTER.
 */
enum nv_verdict binding_judge(struct binding *binding, struct nv_bytes part);

/* The part for the next state, in `binding`. It takes a step when it is kept, or none. */
struct nv_bytes binding_next(struct binding *binding, bool step);

/*
 * The state with this part is kept: takes the step, if it is one. false: that failed, and is to be
 * tried again. `*again`: another state is to follow, and to take one.
 */
bool binding_kept(struct binding *binding, const struct binding_part *part, bool *again);

/* Whether a command, of which the header is there, may change more than the clock. */
bool binding_counts(const uint8_t *command);

/* Whether the bucket has a step. */
bool binding_has_steps(struct binding *binding);

#endif
