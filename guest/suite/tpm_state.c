/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest as the keeper of the TPM's state (monitor/abi/tpm_state.h): one that says at once that
 * what waits is written, and writes nothing. A command that changes the state is held until then.
 */
#include "monitor/abi/tpm_state.h"

#include "guest/lib/call.h"
#include "guest/lib/text.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "guest/suite/tpm.h"

#define RC_NV_UNAVAILABLE 0x923u

/* The generation that waits; 0: none. */
static uint64_t waits(void)
{
	return *(volatile uint64_t *)(uint64_t)TPM_MAILBOX;
}

static uint64_t ask(uint64_t number, uint64_t word)
{
	struct answer answer = partition_ask(tpm_partition(), number, word, 0, 0);

	if (answer.rax != REDOUBT_OK)
		bail("the TPM's partition: status %lx", answer.rax);
	return answer.status;
}

void tpm_say_kept(void)
{
	for (uint64_t generation; (generation = waits()) != 0;)
		if (ask(TPM_REQUEST_STATE_KEPT, generation) != REDOUBT_OK)
			bail("generation %lx waits, and cannot be kept", generation);
}

static void start(const char *name)
{
	uint8_t bytes[256];

	tpm_put(bytes, tpm_compose(tpm_find(name), bytes));
	tpm_set(0, CTRL_START, 1);
}

/* Nothing is shown of it: the command as it was put, and Start still set. */
static bool is_held(uint32_t first)
{
	return tpm_get(0, CTRL_START) == 1 && tpm_number(0, 4) == first && waits() != 0;
}

static void held(void)
{
	uint64_t generation;
	const uint32_t first = TAG_SESSIONS << 16; /* and the length's upper half */

	start("NV_DefineSpace");
	generation = waits();
	tap(is_held(first), "tpm: with one, the response is held until the state is kept");
	tap(ask(TPM_REQUEST_STATE_KEPT, generation - 1) == TPM_STATUS_UNKNOWN &&
		ask(TPM_REQUEST_STATE_KEPT, generation + 1) == TPM_STATUS_UNKNOWN &&
		ask(TPM_REQUEST_STATE_KEPT, 0) == TPM_STATUS_UNKNOWN && is_held(first),
	    "T59 another generation than the one that waits lets nothing go");
	tpm_set(0, CTRL_START, 1);
	tpm_set(0, CTRL_CANCEL, 1);
	tpm_set(0, CTRL_CANCEL, 0);
	tap(is_held(first) && waits() == generation, "T59 nor do stores");
	tpm_say_kept();
	tap(tpm_look().whole && tpm_look().code == 0 && tpm_get(0, CTRL_START) == 0,
	    "tpm: then it is given");
	tap(tpm_do_named("NV_UndefineSpace").code == 0, "tpm: what was made is there, and goes");
}

/* Physical presence: registers of vtpm/ppi.h. The guest may ask, and never answer. */
#define PPI_SUBMIT  0x800u
#define PPI_PENDING 0x804u
#define PPI_BUSY    0x80000000u
#define PPI_CLEAR   5u
#define PPI_NONE    0u

static bool is_asked(uint32_t submit, uint32_t pending)
{
	if (tpm_get(0, PPI_SUBMIT) == submit && tpm_get(0, PPI_PENDING) == pending)
		return true;
	tap_note("got %x, %x pending", tpm_get(0, PPI_SUBMIT), tpm_get(0, PPI_PENDING));
	return false;
}

static bool is_late(void)
{
	return ask(TPM_REQUEST_PRESENCE, TPM_PRESENCE_YES) == TPM_STATUS_LATE;
}

static void presence(void)
{
	tap(is_late(), "T64 nobody asks whether to clear, and yes is no answer");
	tpm_set(0, PPI_SUBMIT, PPI_BUSY | PPI_CLEAR);
	tap(is_asked(PPI_BUSY | PPI_CLEAR, PPI_NONE) && waits() != 0,
	    "tpm: a request to clear is not accepted before it is kept");
	tpm_set(0, PPI_SUBMIT, PPI_BUSY | PPI_NONE);
	tpm_set(1, PPI_SUBMIT, PPI_BUSY | PPI_NONE);
	tpm_set(0, PPI_PENDING, PPI_BUSY | PPI_NONE);
	tap(is_asked(PPI_BUSY | PPI_CLEAR, PPI_NONE), "T59 and stores change nothing of it");
	tpm_say_kept();
	tap(is_asked(0, PPI_CLEAR) && is_late(), "T64 then it is pending, and yes is no answer");
	tpm_set(0, PPI_SUBMIT, PPI_BUSY | PPI_NONE);
	tpm_say_kept();
	tap(is_asked(0, PPI_NONE), "tpm: it can be withdrawn");
}

void tpm_state(void)
{
	struct tpm_answer a;

	tpm_take();
	a = tpm_do_named("NV_DefineSpace");
	if (!tap(a.whole && a.code == RC_NV_UNAVAILABLE && waits() == 0,
		"tpm: without a keeper a command that must change the state is refused"))
		tap_note("got %x, %lx waits", a.code, waits());
	tap(ask(TPM_REQUEST_STORAGE, TPM_KEEPER_SURE) == REDOUBT_OK,
	    "tpm: the guest becomes the keeper");
	held();
	presence();
}
