/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * States and the platform's anchor (binding.h).
 */
#include "vtpm/binding.h"

#include <string.h>

#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/wait.h"

#define VERSION 1u
/* The first image's and monitor's: later ones have it as well. */
#define AUTH_SVN   (1u | 1ull << 32)
#define AUTH_LABEL "vtpm anchor"

/* A request, whose limit is some 2^36 cycles (monitor/partition.h), takes two of these at most. */
#define BUDGET_MS 5000u

_Static_assert(ANCHOR_AUTH_BYTES == TRUSTLET_KEY_BYTES, "a key as it is");

bool binding_open(struct binding *b)
{
	ptpm_budget(BUDGET_MS);
	*b = (struct binding){ .steps = STEPS, .since = trustlet_time() };
	if (!trustlet_key(AUTH_LABEL, AUTH_SVN, b->auth)) {
		trustlet_log("vtpm: no root key, and so no anchor in the platform's TPM");
		return false;
	}
	b->on = ptpm_open(&b->device, (volatile uint8_t *)TRUSTLET_DEVICE_BASE);
	trustlet_log("vtpm: the platform's TPM: %s",
	    b->on ? ptpm_interface(&b->device) : b->device.reason);
	return b->on;
}

static bool good(const struct binding *b, enum anchor_result result)
{
	if (result != ANCHOR_OK)
		trustlet_log("vtpm: the anchor in the platform's TPM %s (0x%x)",
		    anchor_sentence(result), b->device.code);
	return result == ANCHOR_OK;
}

/* ---- At a start ---- */

/*
 * Where a machine's first start was cut off the root key may be lost, and the anchor, whose
 * authorization followed from it, not; and where it was lost otherwise there may be a package.
 */
static bool make(struct binding *b, enum anchor_result result)
{
	if (result != ANCHOR_ABSENT) {
		trustlet_log("vtpm: the anchor in the platform's TPM %s: made anew",
		    anchor_sentence(result));
		if (!good(b, anchor_undefine(&b->device)))
			return false;
	}
	return good(b, anchor_define(&b->device, b->auth));
}

/* Nothing was acknowledged as bound: a machine's first start with it, or that was cut off. */
static enum nv_verdict begin(struct binding *b, enum anchor_result result,
    const struct binding_part *part)
{
	if (!binding_is(b, part->anchor)) {
		trustlet_log("vtpm: the state is bound to an anchor that %s",
		    anchor_sentence(result));
		return NV_NO_ANCHOR;
	}
	return result == ANCHOR_UNWRITTEN || make(b, result) ? NV_OK : NV_NO_ANCHOR;
}

static enum nv_verdict compare(const struct binding *b, const uint8_t digest[NV_DIGEST],
    const struct binding_part *part)
{
	if (binding_is(b, digest) || binding_is(b, part->anchor))
		return NV_OK;
	return part->version == 0 ? NV_NOT_BOUND : NV_BEFORE;
}

enum nv_verdict binding_judge(struct binding *b, const uint8_t digest[NV_DIGEST],
    struct nv_bytes part)
{
	struct binding_part is = { .version = 0 };
	enum anchor_result result;

	if (part.size != 0 && part.size != sizeof(is))
		return NV_BAD_CONTENT;
	if (part.size != 0)
		memcpy(&is, part.bytes, sizeof(is));
	if (part.size != 0 && is.version != VERSION)
		return NV_BAD_CONTENT;
	if (is.version != 0 && is.steps < STEPS)
		b->steps = is.steps;
	result = anchor_read(&b->device, b->auth, b->anchor);
	if (result == ANCHOR_ABSENT || result == ANCHOR_UNWRITTEN || result == ANCHOR_STALE)
		return begin(b, result, &is);
	return good(b, result) ? compare(b, digest, &is) : NV_NO_ANCHOR;
}

/* ---- Packages ---- */

/* Of an anchor with another authorization; never the value of one of this machine's. */
static enum anchor_result place_of_foreign(struct binding *b, uint8_t place[NV_DIGEST])
{
	static const char label[] = "another's anchor";
	enum anchor_result result = anchor_look(&b->device, place);
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, label, sizeof(label));
	sha256_add(&hash, place, NV_DIGEST);
	sha256_end(&hash, place);
	return result;
}

bool binding_place(struct binding *b, uint8_t place[NV_DIGEST])
{
	enum anchor_result result;

	ptpm_budget(BUDGET_MS);
	result = anchor_read(&b->device, b->auth, place);
	if (result == ANCHOR_ABSENT || result == ANCHOR_UNWRITTEN || result == ANCHOR_STALE)
		return true;
	if (result == ANCHOR_REFUSED)
		result = place_of_foreign(b, place);
	return good(b, result);
}

/* Where that is not known to be done there is no TPM, and so no other write, until it restarts. */
static bool replace(struct binding *b, const uint8_t place[NV_DIGEST])
{
	bool sent;

	if (!make(b, ANCHOR_REFUSED) || !good(b, anchor_write(&b->device, b->auth, place, &sent)))
		return false;
	memcpy(b->anchor, place, NV_DIGEST);
	return true;
}

bool binding_move(struct binding *b, const uint8_t place[NV_DIGEST])
{
	enum anchor_result result;

	result = anchor_read(&b->device, b->auth, b->anchor);
	if (result == ANCHOR_REFUSED)
		return replace(b, place);
	if (result == ANCHOR_ABSENT || result == ANCHOR_STALE)
		return make(b, result);
	return result == ANCHOR_UNWRITTEN || good(b, result);
}

/* ---- At work ---- */

static void fill(struct binding *b)
{
	uint64_t now = trustlet_time();
	uint64_t more = now < b->since ? 0 : (now - b->since) / STEP_NS;

	b->since += more * STEP_NS;
	b->steps = more < STEPS - b->steps ? b->steps + (uint32_t)more : STEPS;
}

bool binding_has_steps(struct binding *b)
{
	fill(b);
	return b->steps > 0;
}

struct nv_bytes binding_next(struct binding *b, bool step)
{
	fill(b);
	b->part = (struct binding_part){ VERSION, b->steps, { 0 } };
	if (step && b->part.steps > 0)
		b->part.steps--;
	memcpy(b->part.anchor, b->anchor, sizeof(b->anchor));
	return (struct nv_bytes){ (const uint8_t *)&b->part, sizeof(b->part) };
}

bool binding_is(const struct binding *b, const uint8_t digest[NV_DIGEST])
{
	return memcmp(b->anchor, digest, NV_DIGEST) == 0;
}

bool binding_kept(struct binding *b, const uint8_t digest[NV_DIGEST])
{
	uint8_t is[NV_DIGEST];

	ptpm_budget(BUDGET_MS);
	if (b->unsure)
		b->unsure = !good(b, anchor_read(&b->device, b->auth, is)) ||
		    memcmp(is, digest, sizeof(is)) != 0;
	else if (!good(b, anchor_write(&b->device, b->auth, digest, &b->unsure)))
		return false;
	else
		b->unsure = false;
	if (b->unsure)
		return false;
	memcpy(b->anchor, digest, NV_DIGEST);
	b->rests = false;
	if (b->steps > 0)
		b->steps--;
	return true;
}

void binding_shutdown(struct binding *b)
{
	ptpm_budget(BUDGET_MS);
	if (!b->rests)
		b->rests = good(b, anchor_shutdown(&b->device));
}
