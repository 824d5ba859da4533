/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM's state and the normal world's storage (storage.h).
 */
#include "vtpm/storage.h"

#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "vtpm/package.h"
#include "vtpm/tpm.h"
#include "vtpm/window.h"

_Static_assert(TPM_PIECE_BYTES == (TPM_MAILBOX_PAGES - 1) * 4096, "all but the first page");
_Static_assert(TPM_SLOTS == NV_SLOTS && TPM_SLOT_BYTES == NV_FILE_MAX, "as nv.h has it");

static void tell(const struct storage *s, uint64_t generation)
{
	*s->told = generation;
	window_sync(s->told, sizeof(*s->told));
}

void storage_start(struct storage *s, volatile uint64_t *told)
{
	*s = (struct storage){ .told = told };
	tell(s, 0);
}

void *storage_memory(size_t bytes)
{
	void *memory = malloc(bytes);

	if (!memory)
		trustlet_panic("vtpm: no memory for %zu bytes of state", bytes);
	return memory;
}

/* Freed memory is zeroed by the run-time. */
static void drop(uint8_t **memory)
{
	free(*memory);
	*memory = NULL;
}

/* ---- At the start ---- */

uint64_t storage_slot(struct storage *s, uint64_t slot, uint64_t offset, const volatile void *from,
    uint64_t bytes)
{
	if (s->mode != STORAGE_CLOSED)
		return TPM_STATUS_LATE;
	if (slot >= TPM_FILES || bytes > TPM_PIECE_BYTES || offset > NV_FILE_MAX ||
	    bytes > NV_FILE_MAX - offset)
		return REDOUBT_INVALID;
	if (bytes == 0) {
		drop(&s->slot[slot]);
		s->given[slot] = 1;
		return REDOUBT_OK;
	}
	if (!s->slot[slot])
		s->slot[slot] = memset(storage_memory(NV_FILE_MAX), 0, NV_FILE_MAX);
	copy_in_once(s->slot[slot] + offset, from, bytes);
	if (s->given[slot] < offset + bytes)
		s->given[slot] = offset + bytes;
	return REDOUBT_OK;
}

static const struct vtpm_bytes none = { NULL, 0 };

static bool start(struct vtpm_bytes permanent)
{
	vtpm_status status = vtpm_start(permanent, none);

	if (status != VTPM_OK)
		trustlet_log("vtpm: its state is genuine, and refused: status %x", status);
	return status == VTPM_OK;
}

/* Of the content only what the TPM does not have itself: the parts beside it. */
static void take_more(struct storage *s, const struct nv_content *content)
{
	for (unsigned i = NV_CA_KEY; i < NV_PARTS; i++) {
		struct nv_bytes part = content->part[i];
		uint8_t *copy;

		if (!part.bytes || i == NV_ANCHOR)
			continue;
		copy = storage_memory(part.size);
		memcpy(copy, part.bytes, part.size);
		s->more.part[i] = (struct nv_bytes){ copy, part.size };
	}
}

/* `choice->digest` is its parent's. */
static bool go_on(struct storage *s, const struct nv_choice *choice)
{
	struct nv_bytes permanent = choice->content.part[NV_PERMANENT];

	s->header = choice->header;
	memcpy(s->digest, choice->digest, sizeof(s->digest));
	take_more(s, &choice->content);
	return start((struct vtpm_bytes){ permanent.bytes, permanent.size });
}

/* The other slot is older still, so a state that is refused leaves none. */
static void judge(struct storage *s, struct nv_choice *choice)
{
	enum nv_verdict verdict;

	if (choice->outcome != NV_CURRENT && choice->outcome != NV_NEVER)
		return;
	verdict = binding_judge(&s->binding, choice->digest, choice->content.part[NV_ANCHOR]);
	if (verdict == NV_OK)
		return;
	for (unsigned i = 0; i < NV_SLOTS; i++)
		if (choice->outcome == NV_NEVER || i == choice->current)
			choice->verdict[i] = verdict;
	choice->outcome = choice->outcome == NV_NEVER ? NV_LOST : NV_UNUSABLE;
}

/* What a package has in place of the slots. */
static void take_in(struct storage *s, struct nv_choice *choice, uint8_t *payload)
{
	const unsigned it = TPM_SLOT_PACKAGE;
	struct nv_bytes file = { s->slot[it], s->given[it] };
	uint8_t place[NV_DIGEST] = { 0 };
	enum nv_verdict verdict;

	choice->outcome = NV_UNUSABLE;
	choice->current = NV_SLOTS;
	verdict = s->binding.on && !binding_place(&s->binding, place)
	    ? NV_NO_ANCHOR
	    : package_open(file, place, payload, &choice->header, &choice->content);
	if (verdict == NV_OK && s->binding.on && !binding_move(&s->binding, place))
		verdict = NV_NO_ANCHOR;
	if (verdict == NV_OK) {
		choice->outcome = NV_CURRENT;
		memcpy(choice->digest, choice->header.origin_digest, sizeof(choice->digest));
	}
	s->verdict[it] = verdict;
	trustlet_log("vtpm: the package %s", nv_sentence(verdict));
}

/* Whether a slot may be of use another time: it cannot be read now, or not by this program. */
static bool may_be_later(const struct nv_choice *choice)
{
	for (unsigned i = 0; i < NV_SLOTS; i++)
		if (choice->verdict[i] == NV_UNREADABLE || choice->verdict[i] == NV_NEWER ||
		    choice->verdict[i] == NV_BAD_VERSION)
			return true;
	return false;
}

/* A package may have been left from another time: it does not take the place of a later state. */
static void look_at_package(struct storage *s, struct nv_choice *choice, uint8_t *payload)
{
	enum nv_verdict *verdict = &s->verdict[TPM_SLOT_PACKAGE];

	*verdict = s->given[TPM_SLOT_PACKAGE] == 0 ? NV_ABSENT : NV_NOT_NEEDED;
	if (*verdict == NV_ABSENT || choice->outcome == NV_CURRENT)
		return;
	if (may_be_later(choice))
		*verdict = NV_BESIDE;
	else
		take_in(s, choice, payload);
}

static bool choose(struct storage *s)
{
	const struct nv_demand any = { .has_floor = false };
	struct nv_bytes slots[NV_SLOTS];
	struct nv_choice choice;
	uint8_t *payload = storage_memory(NV_PAYLOAD_MAX);
	bool good = false;

	for (unsigned i = 0; i < NV_SLOTS; i++)
		slots[i] = (struct nv_bytes){ s->slot[i], s->given[i] };
	nv_choose(slots, &any, payload, &choice);
	if (s->binding.on)
		judge(s, &choice);
	memcpy(s->verdict, choice.verdict, sizeof(choice.verdict));
	trustlet_log("vtpm: %s; vtpm.0 %s, vtpm.1 %s", nv_outcome_sentence(choice.outcome),
	    nv_sentence(s->verdict[0]), nv_sentence(s->verdict[1]));
	look_at_package(s, &choice, payload);
	for (unsigned i = 0; i < TPM_FILES; i++)
		drop(&s->slot[i]);
	s->current = choice.current;
	if (choice.outcome == NV_CURRENT)
		good = go_on(s, &choice);
	else if (choice.outcome == NV_NEVER)
		good = start(none);
	/* Else its sentence would be that it is the TPM. */
	if (!good && s->verdict[TPM_SLOT_PACKAGE] == NV_OK)
		s->verdict[TPM_SLOT_PACKAGE] = NV_BAD_CONTENT;
	drop(&payload);
	return good;
}

unsigned storage_open(struct storage *s, bool bound, void (*startup)(bool is_new))
{
	if (s->mode != STORAGE_CLOSED)
		return TPM_STATE_OPENED;
	s->mode = STORAGE_REFUSED;
	s->bound = bound;
	s->refused = (bound && !binding_open(&s->binding)) || !choose(s);
	if (s->refused)
		return TPM_STATE_REFUSED;
	s->mode = STORAGE_KEPT;
	s->starting = true;
	storage_keeper(s, TPM_KEEPER_LOOSE);
	startup(s->header.generation == 0);
	s->starting = false;
	(void)storage_hold(s);
	return s->mode == STORAGE_KEPT ? TPM_STATE_KEPT : TPM_STATE_VOLATILE;
}

/* ---- At work ---- */

/* A number is given once: a keeper that is late with what waited before has kept nothing. */
static void number(struct storage *s)
{
	uint64_t waited = s->file ? s->file_header.generation : 0;

	if (s->header.generation != 0)
		nv_follow(&s->header, s->digest, &s->file_header);
	else if (waited == 0)
		nv_begin(1, &s->file_header);
	if (waited != 0)
		s->file_header.generation = waited + 1;
	if (s->header.generation == 0)
		s->file_header.first = s->file_header.generation;
}

/* The older slot; while the newer one may be nowhere yet, that one again. */
static void place(struct storage *s)
{
	bool again = s->header.flags & NV_LOOSE && !s->flushes;

	s->next = s->current == NV_SLOTS ? 0 : again ? s->current : !s->current;
	s->file_header.flags = s->flushes ? 0 : NV_LOOSE;
}

static void seal(struct storage *s, struct vtpm_bytes permanent)
{
	struct nv_content content = s->more;
	enum nv_verdict verdict;

	content.part[NV_PERMANENT] = (struct nv_bytes){ permanent.bytes, permanent.length };
	number(s);
	place(s);
	s->step = s->binding.on && s->flushes;
	if (s->binding.on)
		content.part[NV_ANCHOR] = binding_next(&s->binding, s->step);
	drop(&s->file);
	s->size = nv_size(&content);
	s->file = storage_memory(s->size);
	verdict = nv_seal(&s->file_header, &content, s->file);
	if (verdict == NV_OK) {
		tell(s, s->file_header.generation);
		return;
	}
	drop(&s->file);
	if (verdict != NV_NO_KEY || s->header.generation != 0)
		trustlet_panic("vtpm: its state %s", nv_sentence(verdict));
	s->mode = STORAGE_VOLATILE;
}

bool storage_hold(struct storage *s)
{
	struct vtpm_bytes permanent;
	uint64_t generation = vtpm_permanent(&permanent);

	if (s->mode != STORAGE_KEPT)
		return false;
	/* What else has changed meanwhile is sealed when it is known what the anchor is. */
	if (s->binding.unsure)
		return true;
	if (generation != s->sealed || s->again)
		seal(s, permanent);
	s->again = false;
	s->sealed = generation;
	return s->file != NULL;
}

static enum vtpm_nv available(struct storage *s)
{
	bool bound = s->binding.on && !s->starting;

	if (s->binding.unsure)
		return VTPM_NV_GONE;
	if (bound && s->flushes && !binding_has_steps(&s->binding))
		return VTPM_NV_RATE;
	/* What a keeper keeps who may not flush could be put back: no more than a start is. */
	if (s->mode == STORAGE_VOLATILE || s->flushes || (s->keeper == TPM_KEEPER_LOOSE && !bound))
		return VTPM_NV_AVAILABLE;
	return VTPM_NV_GONE;
}

void storage_before(struct storage *s)
{
	vtpm_nv(available(s));
}

/* Not while a state waits, for its anchor would be written behind it. */
static void end(struct storage *s)
{
	bool waits = s->file || s->binding.unsure;

	if (s->ends && !waits)
		binding_shutdown(&s->binding);
	s->ends = s->ends && waits;
}

void storage_shutdown(struct storage *s)
{
	s->ends = s->binding.on && s->mode == STORAGE_KEPT;
	end(s);
}

bool storage_takes(struct storage *s)
{
	return s->mode == STORAGE_KEPT && available(s) == VTPM_NV_AVAILABLE;
}

bool storage_put_ppi(struct storage *s, struct nv_bytes bytes)
{
	struct nv_bytes *part = &s->more.part[NV_PPI];
	uint8_t *copy = storage_memory(bytes.size);

	memcpy(copy, bytes.bytes, bytes.size);
	free((void *)(uintptr_t)part->bytes);
	*part = (struct nv_bytes){ copy, bytes.size };
	s->again = true;
	return storage_hold(s);
}

size_t storage_piece(const struct storage *s, uint64_t offset, volatile void *to)
{
	size_t bytes;

	if (!s->file || offset >= s->size)
		return 0;
	bytes = s->size - offset;
	if (bytes > TPM_PIECE_BYTES)
		bytes = TPM_PIECE_BYTES;
	for (size_t i = 0; i < bytes; i++)
		((volatile uint8_t *)to)[i] = s->file[offset + i];
	window_sync(to, bytes);
	return bytes;
}

static bool make_package(struct storage *s)
{
	struct nv_content content = s->more;
	struct package_source source = { &s->header, s->digest, &content };
	struct vtpm_bytes permanent;

	if (s->mode != STORAGE_KEPT || s->header.generation == 0)
		return false;
	(void)vtpm_permanent(&permanent);
	content.part[NV_PERMANENT] = (struct nv_bytes){ permanent.bytes, permanent.length };
	drop(&s->package);
	s->package = malloc(NV_FILE_MAX);
	if (!s->package)
		return false;
	s->package_size = package_make(&source, s->package);
	s->package_generation = s->header.generation;
	if (s->package_size == 0)
		drop(&s->package);
	return s->package != NULL;
}

static void show(const void *from, size_t bytes, volatile void *to)
{
	for (size_t i = 0; i < bytes; i++)
		((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
	window_sync(to, bytes);
}

uint64_t storage_package(struct storage *s, uint64_t offset, volatile void *to,
    uint64_t results[REQUEST_WORDS])
{
	size_t bytes;

	if (!package_has_guardian())
		return TPM_STATUS_NO_GUARDIAN;
	if (offset == 0 && !make_package(s))
		return TPM_STATUS_OFF;
	if (!s->package || offset > s->package_size)
		return REDOUBT_INVALID;
	bytes = s->package_size - offset;
	if (bytes > TPM_PACKAGE_BYTES)
		bytes = TPM_PACKAGE_BYTES;
	show(s->package + offset, bytes, to);
	results[0] = bytes;
	results[1] = s->package_size;
	results[2] = s->package_generation;
	if (bytes == 0)
		drop(&s->package);
	return REDOUBT_OK;
}

uint64_t storage_key(volatile void *to, uint64_t *bytes)
{
	uint8_t digest[NV_DIGEST];

	if (!package_has_guardian())
		return TPM_STATUS_NO_GUARDIAN;
	if (!package_key(digest))
		return TPM_STATUS_OFF;
	show(digest, sizeof(digest), to);
	*bytes = sizeof(digest);
	return REDOUBT_OK;
}

uint64_t storage_ask(struct storage *s, volatile void *to, uint64_t *bytes)
{
	uint8_t place[NV_DIGEST] = { 0 };
	struct package_ask ask;

	if (!package_has_guardian())
		return TPM_STATUS_NO_GUARDIAN;
	if (!s->refused || s->bound != s->binding.on ||
	    (s->bound && !binding_place(&s->binding, place)) || !package_ask(place, &ask))
		return TPM_STATUS_OFF;
	show(&ask, sizeof(ask), to);
	*bytes = sizeof(ask);
	return REDOUBT_OK;
}

uint64_t storage_kept(struct storage *s, uint64_t generation)
{
	uint8_t digest[NV_DIGEST];

	if (!s->file || s->file_header.generation != generation)
		return TPM_STATUS_UNKNOWN;
	nv_digest((struct nv_bytes){ s->file, s->size }, digest);
	if (s->step && !binding_kept(&s->binding, digest))
		return TPM_STATUS_UNANCHORED;
	memcpy(s->digest, digest, sizeof(digest));
	s->header = s->file_header;
	s->current = s->next;
	drop(&s->file);
	tell(s, 0);
	end(s);
	return REDOUBT_OK;
}

/* What a keeper has kept who may not flush is bound by the first one who does. */
void storage_keeper(struct storage *s, unsigned keeper)
{
	if (keeper == TPM_KEEPER_OFF) {
		s->mode = STORAGE_REFUSED;
		drop(&s->file);
		tell(s, 0);
	}
	s->keeper = keeper;
	s->flushes = keeper == TPM_KEEPER_SURE;
	s->again = s->flushes && s->binding.on && s->mode == STORAGE_KEPT &&
	    (s->file ? !s->step : !binding_is(&s->binding, s->digest)) &&
	    binding_has_steps(&s->binding);
	storage_before(s);
}
