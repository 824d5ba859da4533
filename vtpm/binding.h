/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM's states bound to two counters in the NV memory of the platform's own TPM, where the
 * monitor has given that to this partition (T63).
 *
 *   stores  one step for each state with a change in it that is kept by a sure keeper, taken when
 *           the state is on the disk and before its response goes. A state is used if it is of the
 *           counter's value, or of the next one: then the step was cut off, and is taken.
 *   starts  one step for each start that begins with a bound state. States of a keeper who may not
 *           flush take no step of `stores`, for a cut could undo the write and not the step; so
 *           this one bounds how many starts they can be put back: LOOSE_STARTS.
 *
 * `starts` has no value before the first step: as long as it has none, nothing was acknowledged as
 * bound, and a state that is not bound, or none, is a beginning. Afterwards it is an older state's
 * sign, and refused.
 *
 * The counters' password follows from the machine's root key, and every answer is authenticated by
 * it (ptpm/counter.h).
 *
 * Wear: changes of the clock alone take no step; other ones are given out by a bucket of STEPS,
 * one more in STEP_NS, and when it is empty commands that change the state get TPM_RC_NV_RATE.
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
	uint64_t starts; /* 0: from before its first step */
};

_Static_assert(sizeof(struct binding_part) == 24, "no padding");

struct binding {
	bool on;
	bool owed; /* a step that could not be taken */
	struct ptpm device;
	uint8_t auth[COUNTER_AUTH_BYTES];
	uint64_t stores, starts; /* the counters */
	uint32_t steps;
	uint64_t since; /* trustlet_time() up to which the bucket was filled */
	struct binding_part part;
};

/* The registers are at TRUSTLET_DEVICE_BASE. false: the log says why. */
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
 * The state with this part is kept. false: the step it takes could not be taken. *again: another
 * state is to follow with a step, so that this one is not used after the next start.
 */
bool binding_kept(struct binding *binding, const struct binding_part *part, bool *again);

/* Whether the bucket has a step. */
bool binding_has_steps(struct binding *binding);

#endif
