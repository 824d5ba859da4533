/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A TPM, its storage and the platform's counters, made up (storage_made.h). */
#include "tests/unit/vtpm/storage_made.h"

#include <stdlib.h>

#include "monitor/abi/call.h"
#include "vtpm/ptpm/wait.h"

struct storage storage;
_Alignas(64) volatile uint64_t told[8];
_Alignas(64) uint8_t mailbox[TPM_PIECE_BYTES], written[NV_FILE_MAX];
uint8_t disk[NV_SLOTS][NV_FILE_MAX];
bool there[NV_SLOTS];
struct made_tpm tpm;
struct made_counters counters;

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
	memset(&tpm, 0, sizeof(tpm));
	told[0] = 77;
	storage_start(&storage, told);
	assert_int_equal(told[0], 0);
}

int setup(void **state)
{
	made_start();
	memset(&counters, 0, sizeof(counters));
	counters.most = 100;
	memset(there, 0, sizeof(there));
	memset(disk, 0, sizeof(disk));
	machine_starts();
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
	return storage_open(&storage, counters.bound, startup);
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

/* ---- The platform's counters ---- */

void ptpm_budget(uint32_t ms)
{
}

bool ptpm_open(struct ptpm *device, volatile uint8_t *registers)
{
	device->reason = "it was taken out";
	return !counters.gone;
}

const char *ptpm_interface(const struct ptpm *device)
{
	return "made up";
}

const char *counter_sentence(enum counter_result result)
{
	return "of a test";
}

/* What the next command of it comes to, before it does anything. */
static enum counter_result state_of(uint32_t index, const uint8_t auth[COUNTER_AUTH_BYTES],
    struct made_counter **counter)
{
	*counter = &counters.one[index - COUNTER_FIRST];
	assert_true(index == COUNTER_FIRST || index == COUNTER_SECOND);
	counters.commands++;
	if (counters.fails_at == counters.commands)
		return COUNTER_NO_ANSWER;
	if (!(*counter)->there)
		return COUNTER_ABSENT;
	return memcmp((*counter)->auth, auth, COUNTER_AUTH_BYTES) == 0 ? COUNTER_OK
								       : COUNTER_REFUSED;
}

/* Should the answer be lost it has counted. */
static enum counter_result count(struct made_counter *counter)
{
	/* The first time it begins behind all there were. */
	if (counter->value == 0)
		counter->value = counters.most;
	if (++counter->value > counters.most)
		counters.most = counter->value;
	counters.commands++;
	return counters.fails_at == counters.commands ? COUNTER_NO_ANSWER : COUNTER_OK;
}

enum counter_result counter_read(struct ptpm *device, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value)
{
	struct made_counter *counter;
	enum counter_result result = state_of(index, auth, &counter);

	if (result == COUNTER_OK && counter->value == 0)
		result = COUNTER_UNWRITTEN;
	*value = result == COUNTER_OK ? counter->value : 0;
	return result;
}

enum counter_result counter_define(struct ptpm *device, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES])
{
	struct made_counter *counter;
	enum counter_result result = state_of(index, auth, &counter);

	if (counters.owned)
		return COUNTER_OWNED;
	if (result != COUNTER_ABSENT)
		return result == COUNTER_NO_ANSWER ? result : COUNTER_PRESENT;
	counter->there = true;
	memcpy(counter->auth, auth, COUNTER_AUTH_BYTES);
	counters.commands++;
	return counters.fails_at == counters.commands ? COUNTER_NO_ANSWER : count(counter);
}

enum counter_result counter_increment(struct ptpm *device, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value)
{
	struct made_counter *counter;
	enum counter_result result = state_of(index, auth, &counter);

	if (result == COUNTER_OK)
		result = count(counter);
	*value = result == COUNTER_OK ? counter->value : 0;
	return result;
}
