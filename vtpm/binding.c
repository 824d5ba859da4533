/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * States and the platform's counters (binding.h).
 */
#include "vtpm/binding.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/wait.h"

#define VERSION 1u
#define STORES	COUNTER_FIRST
#define STARTS	COUNTER_SECOND
/* The first image's and monitor's: later ones have it as well. */
#define AUTH_SVN   (1u | 1ull << 32)
#define AUTH_LABEL "vtpm counters"

/* For one request, whose limit is some 2^36 cycles (monitor/partition.h). */
#define BUDGET_MS 5000u

/* A command's header: tag, size, code. TPM 2.0 Library, part 2, 6.5.2 and 6.9. */
#define CODE_AT	    6u
#define NO_SESSIONS 0x8001u
#define PCR_EXTEND  0x182u

/* Change nothing but the clock where nothing is authorized, and so no wrong guess counted. */
static const uint16_t without_sessions[] = {
	0x143, /* SelfTest */
	0x161, /* ContextLoad */
	0x162, /* ContextSave */
	0x165, /* FlushContext */
	0x167, /* LoadExternal */
	0x169, /* NV_ReadPublic */
	0x173, /* ReadPublic */
	0x176, /* StartAuthSession */
	0x177, /* VerifySignature */
	0x17a, /* GetCapability */
	0x17b, /* GetRandom */
	0x17c, /* GetTestResult */
	0x17d, /* Hash */
	0x17e, /* PCR_Read */
	0x181, /* ReadClock */
	0x18a, /* TestParms */
};

_Static_assert(COUNTER_AUTH_BYTES == TRUSTLET_KEY_BYTES, "a key as it is");

bool binding_open(struct binding *b)
{
	ptpm_budget(BUDGET_MS);
	*b = (struct binding){ .steps = STEPS, .since = trustlet_time() };
	if (!trustlet_key(AUTH_LABEL, AUTH_SVN, b->auth)) {
		trustlet_log("vtpm: no root key, and so no counter in the platform's TPM");
		return false;
	}
	b->on = ptpm_open(&b->device, (volatile uint8_t *)TRUSTLET_DEVICE_BASE);
	trustlet_log("vtpm: the platform's TPM: %s",
	    b->on ? ptpm_interface(&b->device) : b->device.reason);
	return b->on;
}

/* ---- The counters ---- */

static bool good(const struct binding *b, const char *name, enum counter_result result)
{
	if (result != COUNTER_OK)
		trustlet_log("vtpm: the platform's TPM: the counter of %s %s (0x%x)", name,
		    counter_sentence(result), b->device.code);
	return result == COUNTER_OK;
}

/* One that failed may have been taken. */
static bool step_stores(struct binding *b, uint64_t to)
{
	enum counter_result result = COUNTER_OK;
	uint64_t value = b->stores;

	if (b->unsure)
		result = counter_read(&b->device, STORES, b->auth, &value);
	if (result == COUNTER_OK && value != to)
		result = counter_increment(&b->device, STORES, b->auth, &value);
	b->unsure = result != COUNTER_OK;
	if (result == COUNTER_OK && value != to)
		result = COUNTER_MISCOUNTED;
	if (result == COUNTER_OK)
		b->stores = value;
	return good(b, "stores", result);
}

/* The first step is its definition. */
static bool step_starts(struct binding *b)
{
	enum counter_result result = COUNTER_PRESENT;
	uint64_t value = 0;

	if (b->starts == 0)
		result = counter_define(&b->device, STARTS, b->auth);
	if (result == COUNTER_OK)
		result = counter_read(&b->device, STARTS, b->auth, &value);
	else if (result == COUNTER_PRESENT)
		result = counter_increment(&b->device, STARTS, b->auth, &value);
	if (result == COUNTER_OK)
		b->starts = value;
	return good(b, "starts", result);
}

static bool read_stores(struct binding *b, bool may_define)
{
	enum counter_result result = counter_read(&b->device, STORES, b->auth, &b->stores);

	/* Its first step was cut off. */
	if (result == COUNTER_UNWRITTEN && may_define)
		result = counter_increment(&b->device, STORES, b->auth, &b->stores);
	if (result == COUNTER_ABSENT && may_define) {
		result = counter_define(&b->device, STORES, b->auth);
		if (result == COUNTER_OK)
			result = counter_read(&b->device, STORES, b->auth, &b->stores);
	}
	return good(b, "stores", result);
}

static bool read_starts(struct binding *b)
{
	enum counter_result result = counter_read(&b->device, STARTS, b->auth, &b->starts);

	if (result == COUNTER_ABSENT || result == COUNTER_UNWRITTEN)
		return true;
	return good(b, "starts", result);
}

/* ---- At a start ---- */

/* A machine's first start with a TPM, or its first one with the platform's. */
static enum nv_verdict begin(struct binding *b)
{
	if (!read_starts(b))
		return NV_NO_COUNTER;
	if (b->starts != 0) {
		trustlet_log("vtpm: the platform's TPM counts %lu starts from bound states",
		    (unsigned long)b->starts);
		return NV_NOT_BOUND;
	}
	return read_stores(b, true) ? NV_OK : NV_NO_COUNTER;
}

static enum nv_verdict compare(const struct binding *b, const struct binding_part *part)
{
	if (part->stores < b->stores ||
	    (part->starts != 0 && b->starts >= part->starts + LOOSE_STARTS))
		return NV_BELOW_FLOOR;
	if (part->stores - b->stores > 1 || part->starts > b->starts)
		return NV_ABOVE;
	return NV_OK;
}

static enum nv_verdict go_on(struct binding *b, const struct binding_part *part)
{
	enum nv_verdict verdict;

	if (!read_stores(b, false) || !read_starts(b))
		return NV_NO_COUNTER;
	verdict = compare(b, part);
	if (verdict != NV_OK)
		trustlet_log("vtpm: the state says %lu stores, %lu starts; the counters say %lu, "
			     "%lu",
		    (unsigned long)part->stores, (unsigned long)part->starts,
		    (unsigned long)b->stores, (unsigned long)b->starts);
	else if ((part->stores != b->stores && !step_stores(b, part->stores)) || !step_starts(b))
		verdict = NV_NO_COUNTER;
	if (part->steps < STEPS)
		b->steps = part->steps;
	return verdict;
}

enum nv_verdict binding_judge(struct binding *b, struct nv_bytes part)
{
	struct binding_part is;

	ptpm_budget(BUDGET_MS);
	if (part.size == 0)
		return begin(b);
	if (part.size != sizeof(is))
		return NV_BAD_CONTENT;
	memcpy(&is, part.bytes, sizeof(is));
	return is.version == VERSION ? go_on(b, &is) : NV_BAD_CONTENT;
}

/* ---- At work ---- */

static void fill(struct binding *b)
{
	uint64_t more = (trustlet_time() - b->since) / STEP_NS;

	b->since += more * STEP_NS;
	b->steps = more < STEPS - b->steps ? b->steps + (uint32_t)more : STEPS;
}

static uint32_t big_endian(const uint8_t *bytes, unsigned count)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

bool binding_counts(const uint8_t *command)
{
	uint32_t code = big_endian(command + CODE_AT, 4);

	/* The authorization of a register is subject to no lockout. */
	if (code == PCR_EXTEND)
		return false;
	for (unsigned i = 0; i < sizeof(without_sessions) / sizeof(without_sessions[0]); i++)
		if (code == without_sessions[i])
			return big_endian(command, 2) != NO_SESSIONS;
	return true;
}

bool binding_has_steps(struct binding *b)
{
	fill(b);
	return b->steps > 0;
}

struct nv_bytes binding_next(struct binding *b, bool step)
{
	fill(b);
	b->part = (struct binding_part){ VERSION, b->steps, b->stores + step, b->starts };
	if (step && b->part.steps > 0)
		b->part.steps--;
	return (struct nv_bytes){ (const uint8_t *)&b->part, sizeof(b->part) };
}

bool binding_kept(struct binding *b, const struct binding_part *part, bool *again)
{
	*again = false;
	if (part->stores == b->stores)
		return true;
	ptpm_budget(BUDGET_MS);
	/* What was kept before there is a counter of starts could be put back at each of them. */
	*again = b->starts == 0;
	if ((b->starts == 0 && !step_starts(b)) || !step_stores(b, part->stores))
		return false;
	b->steps = part->steps;
	return true;
}
