/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What vtpm/storage.c and binding.c make of two slots and an anchor at a start, and whether the
 * TPM is of use then: a struct job on stdin, behind it the bytes of both slots, and so on; a line
 * for each on stdout:
 *
 *   RESULT VERDICT VERDICT GENERATION DIGEST
 *
 * RESULT is refused, works, or stuck: a state can be used, and nothing be kept; verdicts are names
 * of enum nv_verdict; generation and digest are the state's, 0 where there was none and a new TPM
 * is made. The anchor is made up as anchor.h has it. The environment has the machine's keys, in
 * hexadecimal: STATE_KEY, ANCHOR_KEY.
 */
#include <stdio.h>
#include <stdlib.h>

#include "monitor/abi/call.h"
#include "tests/unit/trustlets/fake.h"
#include "vtpm/package.h"
#include "vtpm/ptpm/wait.h"
#include "vtpm/storage.h"
#include "vtpm/tpm.h"

#define SVN	   (1u | 1ull << 32) /* the image's, and the monitor's */
#define NO_FILE	   0xffffffffu
#define UNREADABLE 0xfffffffeu

struct job {
	uint32_t size[NV_SLOTS]; /* or NO_FILE, UNREADABLE */
	uint8_t there, written;	 /* the anchor */
	uint8_t auth[ANCHOR_AUTH_BYTES], value[ANCHOR_BYTES];
	uint8_t unused[2];
};

_Static_assert(sizeof(struct job) == 76, "no padding");

static struct job now; /* as it is by now */
static uint8_t slot[NV_SLOTS][NV_FILE_MAX];
static struct storage storage;
static _Alignas(64) volatile uint64_t told[8];
static _Alignas(64) uint8_t mailbox[TPM_PIECE_BYTES];

/* ---- The run-time ---- */

bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);
uint64_t __wrap_trustlet_svn(void);
_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

uint64_t __wrap_trustlet_svn(void)
{
	return SVN;
}

bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	const char *digits = getenv(strcmp(label, NV_LABEL) == 0 ? "STATE_KEY" : "ANCHOR_KEY");

	if (svn != SVN || !digits || strlen(digits) != 2 * (size_t)TRUSTLET_KEY_BYTES)
		abort();
	for (unsigned i = 0; i < TRUSTLET_KEY_BYTES; i++)
		if (sscanf(digits + 2 * (size_t)i, "%2hhx", &key[i]) != 1)
			abort();
	return true;
}

/* ---- The TPM ---- */

static struct {
	uint8_t state[NV_PERMANENT_MAX];
	size_t size;
	uint64_t generation;
	enum vtpm_nv nv;
} tpm;

vtpm_status vtpm_start(struct vtpm_bytes permanent, struct vtpm_bytes volatile_state)
{
	tpm.generation = permanent.bytes == NULL;
	tpm.size = permanent.bytes ? permanent.length : 1000;
	memset(tpm.state, 0, sizeof(tpm.state));
	if (permanent.bytes)
		memcpy(tpm.state, permanent.bytes, permanent.length);
	return VTPM_OK;
}

uint64_t vtpm_permanent(struct vtpm_bytes *state)
{
	*state = (struct vtpm_bytes){ tpm.state, tpm.size };
	return tpm.generation;
}

void vtpm_nv(enum vtpm_nv nv)
{
	tpm.nv = nv;
}

static void change(void)
{
	tpm.state[tpm.size - 1]++;
	tpm.generation++;
}

static void startup(bool is_new)
{
	change();
}

/* ---- The platform's TPM ---- */

void ptpm_budget(uint32_t ms)
{
}

bool ptpm_open(struct ptpm *device, volatile uint8_t *registers)
{
	return true;
}

const char *ptpm_interface(const struct ptpm *device)
{
	return "made up";
}

const char *anchor_sentence(enum anchor_result result)
{
	return "is made up";
}

static bool is_ours(const uint8_t auth[ANCHOR_AUTH_BYTES])
{
	return memcmp(now.auth, auth, ANCHOR_AUTH_BYTES) == 0;
}

enum anchor_result anchor_read(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES],
    uint8_t value[ANCHOR_BYTES])
{
	memset(value, 0, ANCHOR_BYTES);
	if (!now.there)
		return ANCHOR_ABSENT;
	if (!is_ours(auth))
		return now.written ? ANCHOR_REFUSED : ANCHOR_STALE;
	if (!now.written)
		return ANCHOR_UNWRITTEN;
	memcpy(value, now.value, ANCHOR_BYTES);
	return ANCHOR_OK;
}

enum anchor_result anchor_define(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES])
{
	if (now.there)
		return ANCHOR_PRESENT;
	now.there = true;
	now.written = false;
	memcpy(now.auth, auth, ANCHOR_AUTH_BYTES);
	return ANCHOR_OK;
}

/* Of interest to packages alone. */
enum anchor_result anchor_look(struct ptpm *device, uint8_t value[ANCHOR_BYTES])
{
	abort();
}

/* The machine goes on. */
enum anchor_result anchor_shutdown(struct ptpm *device)
{
	abort();
}

enum anchor_result anchor_undefine(struct ptpm *device)
{
	if (!now.there)
		return ANCHOR_ABSENT;
	now.there = false;
	return ANCHOR_OK;
}

enum anchor_result anchor_write(struct ptpm *device, const uint8_t auth[ANCHOR_AUTH_BYTES],
    const uint8_t value[ANCHOR_BYTES], bool *sent)
{
	*sent = now.there;
	if (!now.there)
		return ANCHOR_ABSENT;
	if (!is_ours(auth))
		return ANCHOR_REFUSED;
	now.written = true;
	memcpy(now.value, value, ANCHOR_BYTES);
	return ANCHOR_OK;
}

/* ---- A machine ---- */

static void hand_over(unsigned i)
{
	uint32_t size = now.size[i];

	if (size == UNREADABLE)
		(void)storage_slot(&storage, i, 0, mailbox, 0);
	for (uint32_t at = 0; size <= NV_FILE_MAX && at < size; at += TPM_PIECE_BYTES) {
		uint32_t bytes = size - at < TPM_PIECE_BYTES ? size - at : TPM_PIECE_BYTES;

		memcpy(mailbox, slot[i] + at, bytes);
		if (storage_slot(&storage, i, at, mailbox, bytes) != REDOUBT_OK)
			abort();
	}
}

static void forget(void)
{
	free(storage.file);
	for (unsigned i = 0; i < NV_PARTS; i++)
		free((void *)(uintptr_t)storage.more.part[i].bytes);
}

static bool start(void)
{
	fake.log[0] = 0;
	forget();
	storage_start(&storage, told);
	hand_over(0);
	hand_over(1);
	return storage_open(&storage, true, startup) == TPM_STATE_KEPT;
}

/* All that waits; a slot is full once it was written. */
static bool keep(void)
{
	while (told[0] != 0) {
		unsigned to = storage.next;
		size_t at = 0, bytes;

		if (now.size[to] > NV_FILE_MAX)
			memset(slot[to], 0, NV_FILE_MAX);
		now.size[to] = NV_FILE_MAX;
		while ((bytes = storage_piece(&storage, at, mailbox)) > 0) {
			memcpy(slot[to] + at, mailbox, bytes);
			at += bytes;
		}
		if (storage_kept(&storage, told[0]) != REDOUBT_OK)
			return false;
	}
	return true;
}

/* The loader, the agent, a command; and what was acknowledged then is there at the next start. */
static bool works(void)
{
	uint8_t last;

	if (!keep())
		return false;
	storage_keeper(&storage, TPM_KEEPER_NONE);
	storage_keeper(&storage, TPM_KEEPER_SURE);
	(void)storage_hold(&storage);
	if (!keep())
		return false;
	storage_before(&storage);
	if (tpm.nv != VTPM_NV_AVAILABLE)
		return false;
	change();
	if (!storage_hold(&storage) || !keep())
		return false;
	last = tpm.state[tpm.size - 1];
	return start() && tpm.state[tpm.size - 1] == (uint8_t)(last + 1);
}

/* ---- Jobs ---- */

static const char *name(enum nv_verdict verdict)
{
	static const char *const names[NV_VERDICTS] = {
#define VERDICT(name, sentence) [NV_##name] = #name,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
	};

	return verdict < NV_VERDICTS ? names[verdict] : "unknown";
}

static bool take(void)
{
	if (fread(&now, sizeof(now), 1, stdin) != 1)
		return false;
	for (unsigned i = 0; i < NV_SLOTS; i++) {
		memset(slot[i], 0, sizeof(slot[i]));
		if (now.size[i] < UNREADABLE &&
		    (now.size[i] > NV_FILE_MAX ||
			fread(slot[i], 1, now.size[i], stdin) != now.size[i]))
			abort();
	}
	return true;
}

static void carry_out(void)
{
	bool good = start();
	enum nv_verdict verdict[NV_SLOTS] = { storage.verdict[0], storage.verdict[1] };
	unsigned long long generation = good ? storage.header.generation : 0;
	uint8_t digest[NV_DIGEST];

	memcpy(digest, storage.digest, sizeof(digest));
	printf("%s %s %s %llu ",
	    !good	  ? "refused"
		: works() ? "works"
			  : "stuck",
	    name(verdict[0]), name(verdict[1]), generation);
	for (unsigned i = 0; i < NV_DIGEST; i++)
		printf("%02x", digest[i]);
	puts("");
	fflush(stdout);
}

/* ---- No packages ---- */

bool package_has_guardian(void)
{
	return false;
}

size_t package_make(const struct package_source *source, uint8_t *room)
{
	abort();
}

bool package_key(uint8_t digest[NV_DIGEST])
{
	abort();
}

bool package_ask(const uint8_t place[NV_DIGEST], struct package_ask *ask)
{
	abort();
}

enum nv_verdict package_open(struct nv_bytes file, const uint8_t place[NV_DIGEST], uint8_t *payload,
    struct nv_header *header, struct nv_content *content)
{
	abort();
}

int main(void)
{
	fake_start();
	random_start();
	while (take())
		carry_out();
	forget();
	return 0;
}
