/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Which of two slots has the current state (nv.h).
 */
#include <assert.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/nv.h"

/* What is known of the two, and the choice to be made. */
struct slots {
	const struct nv_bytes *bytes;
	struct nv_header header[NV_SLOTS];
	uint8_t digest[NV_SLOTS][NV_DIGEST];
	enum nv_verdict *verdict;
};

static enum nv_verdict read_slot(struct slots *slots, unsigned i, uint8_t *payload,
    struct nv_content *content)
{
	struct nv_bytes slot = slots->bytes[i];
	enum nv_verdict verdict;

	if (!slot.bytes)
		return slot.size == 0 ? NV_ABSENT : NV_UNREADABLE;
	verdict = nv_open(slot, payload, &slots->header[i], content);
	if (verdict == NV_OK)
		nv_digest(slot, slots->digest[i]);
	return verdict;
}

/* What was written last cannot be read, and what can is no more than the one before. */
static bool of_the_future(enum nv_verdict verdict)
{
	return verdict == NV_NEWER || verdict == NV_BAD_VERSION;
}

static bool equal(const uint8_t *a, const uint8_t *b)
{
	return trustlet_equal(a, b, NV_DIGEST);
}

/* Slot `new` is of a higher generation: what the other one is beside it; NV_FORKED: both. */
static enum nv_verdict beside(const struct slots *slots, unsigned new)
{
	const struct nv_header *now = &slots->header[new], *old = &slots->header[!new];
	bool begins = now->first == now->generation;

	if (!equal(now->lineage, old->lineage))
		return begins ? NV_OTHER_LINEAGE : NV_FORKED;
	if (!begins && now->generation == old->generation + 1 &&
	    !equal(now->parent, slots->digest[!new]))
		return NV_FORKED;
	return NV_OLDER;
}

/* Both are genuine, and of the lineage that is wanted if one is. */
static void compare(struct slots *slots)
{
	uint64_t a = slots->header[0].generation, b = slots->header[1].generation;
	unsigned new = b > a;
	enum nv_verdict verdict;

	if (a == b)
		verdict = equal(slots->digest[0], slots->digest[1]) ? NV_SAME : NV_TWICE;
	else
		verdict = beside(slots, new);
	slots->verdict[!new] = verdict;
	if (verdict == NV_TWICE || verdict == NV_FORKED)
		slots->verdict[new] = verdict;
}

static void judge(struct slots *slots, const struct nv_demand *demand)
{
	enum nv_verdict *verdict = slots->verdict;

	for (unsigned i = 0; i < NV_SLOTS; i++) {
		if (verdict[i] == NV_OK && of_the_future(verdict[!i]))
			verdict[i] = NV_SUPERSEDED;
		/* A cut leaves none that cannot be read: nothing says that it is the older one. */
		if (verdict[i] == NV_OK && verdict[!i] == NV_UNREADABLE)
			verdict[i] = NV_HIDDEN;
		if (verdict[i] == NV_OK && demand->has_lineage &&
		    !equal(slots->header[i].lineage, demand->lineage))
			verdict[i] = NV_OTHER_LINEAGE;
	}
	if (verdict[0] == NV_OK && verdict[1] == NV_OK)
		compare(slots);
	/* The other one is older still. */
	for (unsigned i = 0; i < NV_SLOTS; i++)
		if (verdict[i] == NV_OK && demand->has_floor &&
		    slots->header[i].generation < demand->floor)
			verdict[i] = NV_BELOW_FLOOR;
}

static bool never_written(enum nv_verdict verdict)
{
	return verdict == NV_ABSENT || verdict == NV_BLANK;
}

static enum nv_outcome without_current(const enum nv_verdict verdict[NV_SLOTS],
    const struct nv_demand *demand)
{
	if (!never_written(verdict[0]) || !never_written(verdict[1]))
		return NV_UNUSABLE;
	return demand->has_lineage || (demand->has_floor && demand->floor) ? NV_LOST : NV_NEVER;
}

void nv_choose(const struct nv_bytes slots[NV_SLOTS], const struct nv_demand *demand,
    uint8_t *payload, struct nv_choice *choice)
{
	struct slots read = { .bytes = slots, .verdict = choice->verdict };
	enum nv_verdict again;
	unsigned current = 0;

	memset(choice, 0, sizeof(*choice));
	for (unsigned i = 0; i < NV_SLOTS; i++)
		choice->verdict[i] = read_slot(&read, i, payload, &choice->content);
	judge(&read, demand);
	while (current < NV_SLOTS && choice->verdict[current] != NV_OK)
		current++;
	for (unsigned i = 0; i < NV_SLOTS; i++)
		if (read.header[i].payload)
			trustlet_scrub(payload, read.header[i].payload);
	memset(&choice->content, 0, sizeof(choice->content));
	choice->current = current;
	if (current == NV_SLOTS) {
		choice->outcome = without_current(choice->verdict, demand);
		choice->next = choice->outcome == NV_NEVER ? 0 : NV_SLOTS;
		return;
	}
	again = nv_open(slots[current], payload, &choice->header, &choice->content);
	assert(again == NV_OK);
	memcpy(choice->digest, read.digest[current], NV_DIGEST);
	choice->next = !current;
}

const char *nv_outcome_sentence(enum nv_outcome outcome)
{
	switch (outcome) {
	case NV_CURRENT:
		return "there is a current state";
	case NV_NEVER:
		return "no state was ever written";
	case NV_LOST:
		return "there is no state, though there was one: no new TPM takes its place";
	default:
		return "neither slot can be used: no new TPM takes its place";
	}
}
