/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A TPM, its storage and the platform's anchor, made up (storage_made.h). */
#include "tests/unit/vtpm/storage_made.h"

#include <stdlib.h>

#include "monitor/abi/call.h"
#include "vtpm/package.h"
#include "vtpm/ptpm/wait.h"

struct storage storage;
_Alignas(64) volatile uint64_t told[8];
_Alignas(64) uint8_t mailbox[TPM_PIECE_BYTES], written[NV_FILE_MAX];
uint8_t disk[NV_SLOTS][NV_FILE_MAX];
bool there[NV_SLOTS];
struct made_tpm tpm;
struct made_anchor anchor;
struct made_package package;

/* ---- The TPM ---- */

vtpm_status vtpm_start(struct vtpm_bytes permanent, struct vtpm_bytes volatile_state)
{
	assert_null(volatile_state.bytes);
	tpm.starts++;
	tpm.was_new = permanent.bytes == NULL;
	tpm.generation = tpm.was_new;
	if (tpm.was_new) {
		memset(tpm.state, 0x11, sizeof(tpm.state));
	} else {
		assert_int_equal(permanent.length, STATE);
		memcpy(tpm.state, permanent.bytes, STATE);
	}
	return tpm.refuses ? 9 : VTPM_OK;
}

uint64_t vtpm_permanent(struct vtpm_bytes *state)
{
	*state = (struct vtpm_bytes){ tpm.state, STATE };
	return tpm.generation;
}

void vtpm_nv(enum vtpm_nv nv)
{
	tpm.nv = nv;
}

void change(uint8_t value)
{
	tpm.state[STATE - 1] = value;
	tpm.generation++;
}

static void startup(bool is_new)
{
	assert_int_equal(is_new, tpm.was_new);
	assert_int_equal(tpm.nv, VTPM_NV_AVAILABLE);
	tpm.startups++;
	tpm.state[0]++;
	tpm.generation++;
}

/* ---- The keeper ---- */

void machine_starts(void)
{
	fake.log[0] = 0;
	free(storage.file);
	free(storage.package);
	for (unsigned i = 0; i < TPM_FILES; i++)
		free(storage.slot[i]);
	memset(&tpm, 0, sizeof(tpm));
	told[0] = 77;
	storage_start(&storage, told);
	assert_int_equal(told[0], 0);
}

int setup(void **state)
{
	made_start();
	memset(&anchor, 0, sizeof(anchor));
	memset(&package, 0, sizeof(package));
	memset(there, 0, sizeof(there));
	memset(disk, 0, sizeof(disk));
	machine_starts();
	return 0;
}

int setup_bound(void **state)
{
	setup(state);
	anchor.bound = true;
	return 0;
}

void hand_over(unsigned slot)
{
	for (uint64_t at = 0; there[slot] && at < NV_FILE_MAX; at += TPM_PIECE_BYTES) {
		memcpy(mailbox, disk[slot] + at, TPM_PIECE_BYTES);
		assert_int_equal(storage_slot(&storage, slot, at, mailbox, TPM_PIECE_BYTES), 0);
	}
}

unsigned open_it(void)
{
	hand_over(0);
	hand_over(1);
	return storage_open(&storage, anchor.bound, startup);
}

/* What waits; its size. */
size_t fetch(void)
{
	size_t at = 0, bytes;

	while ((bytes = storage_piece(&storage, at, mailbox)) > 0) {
		memcpy(written + at, mailbox, bytes);
		at += bytes;
	}
	assert_int_equal(at, storage.file ? storage.size : 0);
	return at;
}

void keep(void)
{
	unsigned slot = storage.next;
	size_t size = fetch();

	assert_true(size > 0);
	memcpy(disk[slot], written, size);
	there[slot] = true;
	assert_int_equal(storage_kept(&storage, told[0]), REDOUBT_OK);
	assert_int_equal(told[0], 0);
}

/* The loader's part of a start, and the agent. */
void to_work(void)
{
	assert_int_equal(open_it(), TPM_STATE_KEPT);
	keep();
	storage_keeper(&storage, TPM_KEEPER_SURE);
}

void expect_waits(uint64_t generation)
{
	assert_int_equal(told[0], generation);
	assert_int_equal(storage.file != NULL, generation != 0);
}

/* ---- The platform's anchor ---- */

void ptpm_budget(uint32_t ms)
{
	anchor.waits += ms;
}

bool ptpm_open(struct ptpm *device, volatile uint8_t *registers)
{
	device->reason = "it was taken out";
	return !anchor.gone;
}

const char *ptpm_interface(const struct ptpm *device)
{
	return "made up";
}

const char *anchor_sentence(enum anchor_result result)
{
	return "is of a test";
}

static bool unanswered(void)
{
	return ++anchor.commands == anchor.fails_at;
}

/* What the next command comes to, before it does anything. */
static enum anchor_result state_of(const uint8_t auth[ANCHOR_AUTH_BYTES])
{
	if (unanswered())
		return ANCHOR_NO_ANSWER;
	if (!anchor.there)
		return ANCHOR_ABSENT;
	return memcmp(anchor.auth, auth, ANCHOR_AUTH_BYTES) == 0 ? ANCHOR_OK : ANCHOR_REFUSED;
}

enum anchor_result anchor_read(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES],
    uint8_t value[ANCHOR_BYTES])
{
	enum anchor_result result = state_of(auth);

	if (result == ANCHOR_OK && !anchor.written)
		result = ANCHOR_UNWRITTEN;
	if (result == ANCHOR_REFUSED && !anchor.written)
		result = ANCHOR_STALE;
	memset(value, 0, ANCHOR_BYTES);
	if (result == ANCHOR_OK)
		memcpy(value, anchor.value, ANCHOR_BYTES);
	return result;
}

enum anchor_result anchor_look(struct ptpm *device, uint8_t value[ANCHOR_BYTES])
{
	memset(value, 0, ANCHOR_BYTES);
	if (unanswered())
		return ANCHOR_NO_ANSWER;
	if (anchor.owned)
		return ANCHOR_OWNED;
	if (!anchor.there || !anchor.written)
		return anchor.there ? ANCHOR_UNWRITTEN : ANCHOR_ABSENT;
	memcpy(value, anchor.value, ANCHOR_BYTES);
	return ANCHOR_OK;
}

enum anchor_result anchor_define(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES])
{
	enum anchor_result result = state_of(auth);

	if (anchor.owned)
		return ANCHOR_OWNED;
	if (result != ANCHOR_ABSENT)
		return result == ANCHOR_NO_ANSWER ? result : ANCHOR_PRESENT;
	anchor.there = true;
	anchor.written = false;
	memcpy(anchor.auth, auth, ANCHOR_AUTH_BYTES);
	return unanswered() ? ANCHOR_NO_ANSWER : ANCHOR_OK;
}

enum anchor_result anchor_undefine(struct ptpm *device)
{
	if (unanswered())
		return ANCHOR_NO_ANSWER;
	if (anchor.owned)
		return ANCHOR_OWNED;
	if (!anchor.there)
		return ANCHOR_ABSENT;
	anchor.there = false;
	return unanswered() ? ANCHOR_NO_ANSWER : ANCHOR_OK;
}

enum anchor_result anchor_shutdown(struct ptpm *device)
{
	if (unanswered())
		return ANCHOR_NO_ANSWER;
	anchor.shutdowns++;
	return ANCHOR_OK;
}

/* The command may be lost, or its answer. */
enum anchor_result anchor_write(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES],
    const uint8_t value[ANCHOR_BYTES], bool *sent)
{
	enum anchor_result result = state_of(auth);

	*sent = result == ANCHOR_OK;
	if (result != ANCHOR_OK)
		return result;
	if (unanswered())
		return ANCHOR_NO_ANSWER;
	anchor.written = true;
	anchor.writes++;
	memcpy(anchor.value, value, ANCHOR_BYTES);
	return unanswered() ? ANCHOR_NO_ANSWER : ANCHOR_OK;
}

/* ---- Packages ---- */

void hand_over_package(void)
{
	memset(mailbox, 0x77, sizeof(mailbox));
	assert_int_equal(storage_slot(&storage, TPM_SLOT_PACKAGE, 0, mailbox, 1000), 0);
}

bool package_has_guardian(void)
{
	return !package.no_guardian;
}

/* As long as what it is made of. */
size_t package_make(const struct package_source *source, uint8_t *room)
{
	struct nv_bytes state = source->content->part[NV_PERMANENT];

	package.made++;
	if (package.none)
		return 0;
	package.content = *source->content;
	package.header = *source->header;
	memcpy(room, state.bytes, state.size);
	return state.size;
}

bool package_key(uint8_t digest[NV_DIGEST])
{
	memset(digest, 4, NV_DIGEST);
	return !package.no_key;
}

bool package_ask(const uint8_t place[NV_DIGEST], struct package_ask *ask)
{
	*ask = (struct package_ask){ .magic = PACKAGE_ASK_MAGIC };
	memcpy(ask->place, place, sizeof(ask->place));
	return !package.no_key;
}

enum nv_verdict package_open(struct nv_bytes file, const uint8_t place[NV_DIGEST], uint8_t *payload,
    struct nv_header *header, struct nv_content *content)
{
	package.opened++;
	if (package.verdict != NV_OK)
		return package.verdict;
	assert_int_equal(file.size, 1000);
	assert_int_equal(file.bytes[999], 0x77);
	if (memcmp(place, package.place, NV_DIGEST) != 0)
		return NV_OTHER_PLACE;
	memset(payload, 0x11, STATE);
	payload[STATE - 1] = 0x99;
	*header = (struct nv_header){ .generation = 51, .first = 52, .kind = NV_RESTORED };
	memset(header->lineage, 0x21, NV_ID);
	memset(header->origin_lineage, 0x21, NV_ID);
	memset(header->origin_digest, 0x22, NV_DIGEST);
	*content = (struct nv_content){ .part[NV_PERMANENT] = { payload, STATE } };
	return NV_OK;
}
