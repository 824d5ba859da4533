/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's registers in every state, and what a driver does with them. What the registers must
 * hold is the profile's tables 20 to 36.
 */
#include "guest/suite/tpm.h"

#include "guest/lib/text.h"
#include "guest/suite/suite.h"

#define ONES	  UINT32_MAX
#define INTERFACE 0x000a5911u /* CRB alone, five localities, 64 bytes at once */
#define VENDOR	  0x1014u
#define PAGE_END  PAGE
#define IDLE	  2u /* of CTRL_STS */
#define SEIZED	  2u /* of LOC_STS */
#define FAR_WORD  0x5a5a5a5au

/* What a state shows. */
struct expected {
	unsigned active; /* locality, or LOCALITY_NONE */
	uint32_t status; /* CTRL_STS */
	uint32_t cancel;
	unsigned seized; /* bits by locality */
};

static uint32_t locality_word(const struct expected *e, unsigned locality, unsigned at)
{
	bool active = e->active == locality;

	switch (at) {
	case LOC_STATE:
		return e->active == LOCALITY_NONE ? 0x80 : 0x82 | e->active << 2;
	case LOC_STS:
		return (active ? 1 : 0) | (e->seized >> locality & 1 ? SEIZED : 0);
	case INTF_ID:
		return INTERFACE;
	case INTF_VENDOR:
		return VENDOR;
	default:
		return 0;
	}
}

static uint32_t control_word(const struct expected *e, unsigned at)
{
	switch (at) {
	case CTRL_STS:
		return e->status;
	case CTRL_CANCEL:
		return e->cancel;
	case CTRL_CMD_SIZE:
	case CTRL_RSP_SIZE:
		return PAGE;
	case CTRL_CMD_LOW:
	case CTRL_RSP_LOW:
		return TPM_BUFFER;
	default:
		return 0;
	}
}

static uint32_t word_of(const struct expected *e, unsigned locality, unsigned at)
{
	if (locality >= LOCALITIES)
		return ONES;
	if (at >= REGISTERS_END)
		return 0;
	if (at < CTRL_REQ)
		return locality_word(e, locality, at);
	return e->active == locality ? control_word(e, at) : ONES;
}

/* All five pages. */
static bool shows(const struct expected *e)
{
	for (unsigned locality = 0; locality < TPM_LOCALITIES; locality++)
		for (unsigned at = 0; at < PAGE_END; at += 4)
			if (tpm_get(locality, at) != word_of(e, locality, at)) {
				tap_note("locality %u at %x: %x, not %x", locality, at,
				    tpm_get(locality, at), word_of(e, locality, at));
				return false;
			}
	return true;
}

static void expect_state(const char *what, struct expected e)
{
	tap(shows(&e), "tpm: registers %s", what);
}

/* ---- A driver ---- */

static void drives(void)
{
	struct tpm_answer a;

	tpm_set(0, CTRL_REQ, REQ_READY);
	expect_state("with no active locality", (struct expected){ LOCALITY_NONE, 0, 0, 0 });
	tpm_set(0, LOC_CTRL, LOC_REQUEST);
	expect_state("with locality 0, idle", (struct expected){ 0, IDLE, 0, 0 });
	tpm_put((const uint8_t *)"", 0);
	tpm_set(0, CTRL_START, 1);
	tap(tpm_number(0, 4) == tpm_number(4, 4) && tpm_number(0, 4) == tpm_number(PAGE - 4, 4),
	    "tpm: Start does nothing while it is idle");
	tpm_set(0, CTRL_REQ, REQ_READY);
	expect_state("when it is ready", (struct expected){ 0, 0, 0, 0 });
	a = tpm_do_named("Startup");
	tap(a.whole && a.size == HEADER && (a.code == 0 || a.code == RC_INITIALIZE),
	    "tpm: TPM2_Startup, or it is started");
	expect_state("behind a command", (struct expected){ 0, 0, 0, 0 });
	tap(tpm_alive(), "tpm: random numbers differ");
}

/* Each with the response that it must have, by its length at least. */
static void commands(void)
{
	for (unsigned i = 1; i < tpm_command_count - 1; i++) {
		const struct tpm_command *command = &tpm_commands[i];
		struct tpm_answer a = tpm_do(command);

		/* Before the first one that needs it the TPM tests a part of itself. */
		for (unsigned again = 0; again < 3 && a.code == 0x922; again++)
			a = tpm_do(command);
		if (!tap(a.whole && a.code == 0 && a.tag == command->tag,
			"tpm: %s is answered, and behind the answer nothing is changed",
			command->name))
			tap_note("got %x, %u bytes, %x", a.tag, a.size, a.code);
	}
}

static void pcrs(void)
{
	static const uint8_t zero[32];

	tpm_pcr_reset();
	tap(tpm_pcr_is(zero), "tpm: PCR 16 is reset");
	tap(tpm_do_named("PCR_Extend").code == 0 && tpm_pcr_is(tpm_extended_a5),
	    "tpm: a PCR that is extended holds SHA-256 of what it held and the digest");
}

/* ---- Localities ---- */

static void localities(void)
{
	tpm_take();
	tpm_set(1, LOC_CTRL, LOC_SEIZE);
	expect_state("when locality 1 seized from 0", (struct expected){ 1, IDLE, 0, 1 });
	tpm_set(0, LOC_CTRL, LOC_SEIZE);
	expect_state("when a lower one tries", (struct expected){ 1, IDLE, 0, 1 });
	tpm_set(0, LOC_CTRL, LOC_REQUEST);
	tpm_set(2, LOC_CTRL, LOC_REQUEST);
	tpm_set(0, CTRL_REQ, REQ_READY);
	tpm_set(2, CTRL_REQ, REQ_READY);
	expect_state("while two wait", (struct expected){ 1, IDLE, 0, 1 });
	tpm_set(1, LOC_CTRL, LOC_RELINQUISH);
	expect_state("when the highest that waits has it", (struct expected){ 2, IDLE, 0, 1 });
	tpm_set(2, LOC_CTRL, LOC_RELINQUISH);
	expect_state("when the next has it", (struct expected){ 0, IDLE, 0, 0 });
	tpm_set(0, CTRL_CANCEL, 1);
	expect_state("with cancel", (struct expected){ 0, IDLE, 1, 0 });
	tpm_set(0, CTRL_CANCEL, 0);
	tpm_set(0, CTRL_REQ, REQ_READY);
	tpm_set(0, CTRL_REQ, REQ_IDLE);
	expect_state("behind goIdle", (struct expected){ 0, IDLE, 0, 0 });
	tpm_set(0, LOC_CTRL, LOC_RELINQUISH);
	expect_state("when all have given up", (struct expected){ LOCALITY_NONE, 0, 0, 0 });
}

/* Every word of their pages, with every value that means something somewhere. */
static void not_for_software(void)
{
	static const uint32_t values[] = { LOC_REQUEST, LOC_RELINQUISH, LOC_SEIZE, ONES };
	const struct expected none = { LOCALITY_NONE, 0, 0, 0 }, zero = { 0, 0, 0, 0 };
	bool kept = true;

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned locality = LOCALITIES; locality < TPM_LOCALITIES; locality++)
			for (unsigned at = 0; at < REGISTERS_END; at += 4)
				for (unsigned v = 0; v < 4; v++)
					tpm_set(locality, at, values[v]);
		kept &= shows(i ? &zero : &none);
		tpm_take();
	}
	tap(kept, "T60 localities 3 and 4 are not granted, and take none from others");
}

/* What is for reading only, what is no register, and what is between registers. */
static void no_registers(void)
{
	const struct expected ready = { 0, 0, 0, 0 };

	tpm_take();
	for (unsigned at = 0; at < PAGE_END; at += at < REGISTERS_END ? 1 : 61)
		if (at != LOC_CTRL && at != CTRL_REQ && at != CTRL_CANCEL && at != CTRL_START)
			tpm_set(0, at, at & 1 ? ONES : FAR_WORD);
	tap(shows(&ready), "T59 stores to all that is no register to write change nothing");
	for (unsigned locality = 1; locality < LOCALITIES; locality++)
		for (unsigned at = CTRL_REQ; at < REGISTERS_END; at += 4)
			tpm_set(locality, at, 1);
	tap(shows(&ready), "T60 who is not the active locality commands nothing");
	tpm_set(0, CTRL_REQ, 3);
	tpm_set(0, CTRL_REQ, 0);
	tpm_set(0, CTRL_REQ, ONES);
	tap(shows(&ready), "tpm: ready and idle at once, or neither, is no request");
}

void tpm_registers(void)
{
	drives();
	tpm_state();
	commands();
	pcrs();
	localities();
	not_for_software();
	no_registers();
}

void suite_tpm(void)
{
	for (unsigned i = 0; i < LOCALITIES; i++)
		tpm_set(i, LOC_CTRL, LOC_RELINQUISH);
	tpm_registers();
	tpm_stores();
	tpm_pages();
	tpm_malformed();
	tpm_interrupts();
	tpm_requests();
	tpm_mutants(); /* last: who knows what they leave behind */
	tap(tpm_alive(), "T59 the TPM answers after all of it");
}
