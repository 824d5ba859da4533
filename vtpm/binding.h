/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM's states bound to the anchor in the platform's own TPM, where the monitor has given that
 * to this partition (T63).
 *
 * The anchor is the digest of the state that was acknowledged last. Each state says which anchor it
 * was sealed under. A state is used if it is the anchor's, or was sealed under it:
 *
 *   A sure keeper has kept a state: the anchor becomes its digest, when it is on the disk and
 *   before its response goes. All states from before, and those that were sealed beside it and
 *   never kept, are refused from then on.
 *   What a keeper has kept who may not flush leaves the anchor: those states can be put in each
 *   other's place. So with such a keeper a start is all that changes the state: behind it the TPM's
 *   memory is not available.
 *   What was cut off between the disk and the anchor was sealed under the anchor, and is used.
 *
 * As long as nothing was ever written to the anchor nothing was acknowledged as bound: then a state
 * that is not bound, or none at all, is a beginning; later it is refused. An anchor of another root
 * key that was never written is then made anew. That nothing was written
 * the TPM says without proof (ptpm/anchor.h), so whoever owns the platform's TPM, or its bus, can
 * have a state used that was never bound, but no older one of those that were.
 *
 * The anchor's authorization follows from the machine's root key.
 *
 * Wear: writes of the anchor are given out by a bucket of STEPS, one more in STEP_NS; when it is
 * empty commands that change the state get TPM_RC_NV_RATE.
 */
#ifndef VTPM_BINDING_H
#define VTPM_BINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm/nv.h"
#include "vtpm/ptpm/anchor.h"
#include "vtpm/ptpm/ptpm.h"

#define STEPS	2048u
#define STEP_NS 600000000000ull

/* The part of a state: NV_ANCHOR. */
struct binding_part {
	uint32_t version;	   /* 1 */
	uint32_t steps;		   /* in the bucket */
	uint8_t anchor[NV_DIGEST]; /* under which it was sealed; zero: there was none */
};

_Static_assert(sizeof(struct binding_part) == 40, "no padding");
_Static_assert(ANCHOR_BYTES == NV_DIGEST, "a digest");

struct binding {
	bool on;
	bool rests;  /* it was told that the machine goes off */
	bool unsure; /* a write of the anchor was sent, and not answered */
	struct ptpm device;
	uint8_t auth[ANCHOR_AUTH_BYTES];
	uint8_t anchor[NV_DIGEST]; /* zero: nothing was ever written */
	uint32_t steps;
	uint64_t since; /* trustlet_time() up to which the bucket was filled */
	struct binding_part part;
};

/* The device's registers are at TRUSTLET_DEVICE_BASE. false: the log says why. */
bool binding_open(struct binding *binding);

/*
 * Whether a start may go on from a state of this digest with this part; no bytes: the state is not
 * bound, or there is none. In the time that binding_open() has. NV_OK, or the log says why:
 * NV_BEFORE, NV_NOT_BOUND, NV_NO_ANCHOR, NV_BAD_CONTENT.
 */
enum nv_verdict binding_judge(struct binding *binding, const uint8_t digest[NV_DIGEST],
    struct nv_bytes part);

/*
 * Where this machine is, for who makes a package: the anchor's value; zero: there is none, or it
 * was never written; of one that does not take this machine's authorization a digest of its value,
 * as it says it. So no place comes again, also where a machine goes back to a root key that it had.
 * false: the log says why it is not known.
 */
bool binding_place(struct binding *binding, uint8_t place[NV_DIGEST]);

/*
 * A start goes on from a package for that place: afterwards the anchor is this machine's. What
 * takes the place of another one has the place as its value: the package is for it until a state
 * behind it is acknowledged, also when this start is cut off, and no new TPM is. In the time that
 * binding_place() has.
 */
bool binding_move(struct binding *binding, const uint8_t place[NV_DIGEST]);

/* The part for the next state, in `binding`. `step`: the anchor will be written for it. */
struct nv_bytes binding_next(struct binding *binding, bool step);

/*
 * The state of this digest is kept, and is the anchor's. false: to be tried again. Where a write
 * was sent and is not known to be done no other one is sent until the platform's TPM restarts: who
 * kept the first one from it could bring it behind the other. So no other state may be sealed.
 */
bool binding_kept(struct binding *binding, const uint8_t digest[NV_DIGEST]);

/*
 * The operating system is done with its TPM: so is this machine with the platform's. Once behind
 * each write of the anchor: it costs a write, too.
 */
void binding_shutdown(struct binding *binding);

/* Whether the anchor is this state's. */
bool binding_is(const struct binding *binding, const uint8_t digest[NV_DIGEST]);

/* Whether the bucket has a step. */
bool binding_has_steps(struct binding *binding);

#endif
