/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Command Response Buffer interface (crb.h).
 */
#include "vtpm/crb.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/window.h"

/* Registers: words of a locality's page. */
enum {
	LOC_STATE = 0x00 / 4,
	LOC_CTRL = 0x08 / 4,
	LOC_STS = 0x0c / 4,
	INTF_ID = 0x30 / 4,
	INTF_VENDOR = 0x34 / 4,
	CTRL_AREA = 0x40 / 4,
	CTRL_REQ = 0x40 / 4,
	CTRL_STS = 0x44 / 4,
	CTRL_CANCEL = 0x48 / 4,
	CTRL_START = 0x4c / 4,
	CTRL_CMD_SIZE = 0x58 / 4,
	CTRL_CMD_LOW = 0x5c / 4,
	CTRL_RSP_SIZE = 0x64 / 4,
	CTRL_RSP_LOW = 0x68 / 4,
	CTRL_END = 0x70 / 4,
};

#define STATE_ASSIGNED	       (1u << 1)
#define STATE_ACTIVE(locality) ((uint32_t)(locality) << 2)
#define STATE_VALID	       (1u << 7)
#define STS_GRANTED	       (1u << 0)
#define STS_SEIZED	       (1u << 1)
#define CONTROL_REQUEST	       (1u << 0)
#define CONTROL_RELINQUISH     (1u << 1)
#define CONTROL_SEIZE	       (1u << 2)
#define REQUEST_READY	       (1u << 0)
#define REQUEST_IDLE	       (1u << 1)
#define STATUS_IDLE	       (1u << 1)
#define START		       (1u << 0)
#define CANCEL		       (1u << 0)

/*
 * INTF_ID: CRB (bits 3:0), version 1 (7:4), five localities (8), 64 bytes at once (12:11), CRB can
 * be had (14), is selected (18:17), for good (19); vendor IBM, whose libtpms says it is.
 */
#define INTERFACE (1u | 1u << 4 | 1u << 8 | 3u << 11 | 1u << 14 | 1u << 17 | 1u << 19)
#define VENDOR	  0x1014u

#define FIRST	64u /* bytes of a command that are copied in any case: a cache line */
#define SIZE_AT 2u  /* where its size is, of 32 bits */

#define WINDOW_USED 3u /* localities that software has */
#define PAGE_WORDS  (CRB_PAGE / sizeof(uint32_t))

/* ---- The window ---- */

static volatile uint32_t *page_of(const struct crb *crb, unsigned locality)
{
	return crb->window + locality * PAGE_WORDS;
}

static void compose_control(const struct crb *crb, uint32_t *words)
{
	words[CTRL_REQ] = words[CTRL_START] = 0;
	words[CTRL_STS] = crb->state == CRB_IDLE ? STATUS_IDLE : 0;
	words[CTRL_CANCEL] = crb->cancel;
	words[CTRL_CANCEL + 2] = words[CTRL_CANCEL + 3] = 0; /* no interrupts */
	words[CTRL_CMD_SIZE] = words[CTRL_RSP_SIZE] = CRB_PAGE;
	words[CTRL_CMD_LOW] = words[CTRL_RSP_LOW] = TPM_BUFFER;
	words[CTRL_CMD_LOW + 1] = words[CTRL_RSP_LOW + 1] = 0;
	for (unsigned i = CTRL_END; i < CRB_REGISTERS; i++)
		words[i] = 0;
}

static void compose(const struct crb *crb, unsigned locality, uint32_t words[CRB_REGISTERS])
{
	memset(words, 0xff, CRB_REGISTERS * sizeof(*words));
	if (locality >= WINDOW_USED)
		return;
	memset(words, 0, CTRL_AREA * sizeof(*words));
	words[LOC_STATE] = STATE_VALID;
	if (crb->active != CRB_NONE)
		words[LOC_STATE] |= STATE_ASSIGNED | STATE_ACTIVE(crb->active);
	words[LOC_STS] = (crb->seized[locality] ? STS_SEIZED : 0) |
	    (crb->active == locality ? STS_GRANTED : 0);
	words[INTF_ID] = INTERFACE;
	words[INTF_VENDOR] = VENDOR;
	if (crb->active == locality)
		compose_control(crb, words);
}

/* What stores are put into while something else is carried out. */
static bool takes_posts(unsigned locality, unsigned at)
{
	return locality < WINDOW_USED && (at == LOC_CTRL || at == CTRL_REQ || at == CTRL_CANCEL);
}

/* false: a store was put there since it was looked at, and stays to be looked at. */
static bool show_word(struct crb *crb, unsigned locality, unsigned at, uint32_t value)
{
	volatile uint32_t *word = page_of(crb, locality) + at;
	uint32_t shown = crb->shown[locality][at];

	if (!takes_posts(locality, at))
		*word = value;
	else if (!__atomic_compare_exchange_n(word, &shown, value, false, __ATOMIC_SEQ_CST,
		     __ATOMIC_SEQ_CST))
		return false;
	crb->shown[locality][at] = value;
	return true;
}

static bool same(const uint32_t a[CRB_REGISTERS], const uint32_t b[CRB_REGISTERS])
{
	uint32_t differs = 0;

	for (unsigned i = 0; i < CRB_REGISTERS; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/* What is shown already is written again only if others may have stored into it. */
static bool show(struct crb *crb)
{
	uint32_t words[CRB_REGISTERS];
	bool all = true;
	unsigned end = crb->posted ? TPM_LOCALITIES : WINDOW_USED;

	for (unsigned locality = 0; locality < end; locality++) {
		compose(crb, locality, words);
		if (!crb->posted && same(words, crb->shown[locality]))
			continue;
		for (unsigned i = 0; i < CRB_REGISTERS; i++)
			all &= show_word(crb, locality, i, words[i]);
		window_sync(page_of(crb, locality), sizeof(words));
	}
	crb->posted = !all;
	return all;
}

void crb_start(struct crb *crb, volatile void *window, crb_command *carry_out)
{
	*crb = (struct crb){ .window = window, .carry_out = carry_out, .active = CRB_NONE };
	for (unsigned locality = 0; locality < TPM_LOCALITIES; locality++) {
		volatile uint32_t *page = page_of(crb, locality);

		for (unsigned i = 0; i < PAGE_WORDS; i++)
			page[i] = locality < WINDOW_USED ? 0 : UINT32_MAX;
		memset(crb->shown[locality], locality < WINDOW_USED ? 0 : 0xff,
		    sizeof(crb->shown[locality]));
		window_sync(page, CRB_PAGE);
	}
	(void)show(crb);
}

/* ---- Localities ---- */

/* Whoever becomes the active one finds the TPM idle. */
static void activate(struct crb *crb, unsigned locality)
{
	crb->active = locality;
	crb->state = CRB_IDLE;
	crb->cancel = false;
	if (locality != CRB_NONE)
		crb->waits[locality] = crb->seized[locality] = false;
}

static void relinquish(struct crb *crb, unsigned locality)
{
	unsigned next = CRB_NONE;

	crb->waits[locality] = false;
	if (crb->active != locality)
		return;
	for (unsigned i = 0; i < TPM_LOCALITIES; i++)
		if (crb->waits[i])
			next = i;
	activate(crb, next);
}

static void control_locality(struct crb *crb, unsigned locality, uint32_t value)
{
	bool asks = value & (CONTROL_REQUEST | CONTROL_SEIZE);

	if (value & CONTROL_RELINQUISH) {
		relinquish(crb, locality);
	} else if (asks && crb->active == CRB_NONE) {
		activate(crb, locality);
	} else if (value & CONTROL_SEIZE && locality > crb->active) {
		crb->seized[crb->active] = true;
		activate(crb, locality);
	} else if (value & CONTROL_REQUEST && crb->active != locality) {
		crb->waits[locality] = true;
	}
}

/* ---- Commands ---- */

/* For whoever looks from another CPU. */
static void show_started(struct crb *crb)
{
	volatile uint32_t *page = page_of(crb, crb->active);

	crb->shown[crb->active][CTRL_START] = page[CTRL_START] = START;
	window_sync(page, CRB_REGISTERS * sizeof(*page));
}

static void answer(struct crb *crb)
{
	volatile uint32_t *buffer = page_of(crb, TPM_LOCALITIES);

	for (size_t i = 0; i < crb->length; i++)
		((volatile uint8_t *)buffer)[i] = crb->response[i];
	window_sync(buffer, crb->length);
	trustlet_scrub(crb->response, crb->length);
	crb->state = CRB_DONE;
}

static void take(struct crb *crb, size_t from, size_t to)
{
	volatile uint8_t *buffer = (volatile uint8_t *)page_of(crb, TPM_LOCALITIES);

	window_sync(buffer + from, to - from);
	copy_in_once(crb->command + from, buffer + from, to - from);
}

/*
 * Each byte once: what the guest writes to the buffer from here on is not seen (T60). As much as
 * the copied header says; all of it where that cannot be.
 */
static size_t take_command(struct crb *crb)
{
	const uint8_t *at = crb->command + SIZE_AT;
	size_t says;

	take(crb, 0, FIRST);
	says = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	if (says > CRB_PAGE)
		says = CRB_PAGE;
	if (says > FIRST)
		take(crb, FIRST, says);
	return says > FIRST ? says : FIRST;
}

static void carry_out(struct crb *crb)
{
	bool held = false;
	size_t taken;

	show_started(crb);
	crb->posted = true;
	taken = take_command(crb);
	crb->length = crb->carry_out(crb->active, crb->command, crb->response, &held);
	trustlet_scrub(crb->command, taken);
	if (held)
		crb->state = CRB_HELD;
	else
		answer(crb);
}

static void request(struct crb *crb, uint32_t value)
{
	if (value == REQUEST_READY)
		crb->state = CRB_READY;
	else if (value == REQUEST_IDLE)
		crb->state = CRB_IDLE;
}

/* ---- Stores ---- */

static void store_word(struct crb *crb, unsigned locality, unsigned at, uint32_t value)
{
	if (at == LOC_CTRL)
		control_locality(crb, locality, value);
	else if (crb->active != locality)
		return;
	else if (at == CTRL_REQ)
		request(crb, value);
	else if (at == CTRL_CANCEL)
		crb->cancel = value & CANCEL;
	else if (at == CTRL_START && value & START && crb->state != CRB_IDLE)
		carry_out(crb);
}

/* A word as it stands in the window, once; what was not stored there is what was shown. */
static uint32_t posted(const struct crb *crb, unsigned locality, unsigned at, bool *is)
{
	uint32_t word = page_of(crb, locality)[at];

	*is = word != crb->shown[locality][at];
	return word;
}

bool crb_cancelled(const struct crb *crb)
{
	bool is;

	if (crb->active == CRB_NONE || crb->cancel)
		return crb->cancel;
	window_sync(page_of(crb, crb->active) + CTRL_CANCEL, sizeof(uint32_t));
	return posted(crb, crb->active, CTRL_CANCEL, &is) & CANCEL;
}

/* Stores that came meanwhile. Of a further Start nothing is done. */
static void collect(struct crb *crb)
{
	static const unsigned registers[] = { LOC_CTRL, CTRL_REQ, CTRL_CANCEL };
	uint32_t value;
	bool is;

	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		for (unsigned locality = 0; locality < WINDOW_USED; locality++) {
			value = posted(crb, locality, registers[i], &is);
			if (!is)
				continue;
			crb->shown[locality][registers[i]] = value;
			store_word(crb, locality, registers[i], value);
		}
}

static void put(struct crb *crb, unsigned locality, unsigned at, uint32_t value)
{
	page_of(crb, locality)[at] = value;
	window_sync(page_of(crb, locality), CRB_REGISTERS * sizeof(uint32_t));
}

/* While a response is held all else waits in the window. */
static void settle(struct crb *crb)
{
	if (crb->state == CRB_HELD)
		return;
	do
		collect(crb);
	while (!show(crb));
}

/* Of a register's bytes others than the first ones mean nothing. */
void crb_store(struct crb *crb, uint64_t offset, uint64_t value, uint64_t bytes)
{
	unsigned locality = (unsigned)(offset / CRB_PAGE);
	unsigned at = (unsigned)(offset % CRB_PAGE / sizeof(uint32_t));

	if (locality >= WINDOW_USED || offset % sizeof(uint32_t) != 0 || at >= CRB_REGISTERS)
		return;
	if (bytes < sizeof(uint32_t))
		value &= (1ull << 8 * bytes) - 1;
	for (unsigned end = at + 1 + (bytes == sizeof(value)); at < end && at < CRB_REGISTERS;
	     at++) {
		if (crb->state == CRB_HELD)
			put(crb, locality, at, (uint32_t)value);
		else
			store_word(crb, locality, at, (uint32_t)value);
		value >>= 32;
	}
	settle(crb);
}

void crb_release(struct crb *crb)
{
	if (crb->state != CRB_HELD)
		return;
	answer(crb);
	settle(crb);
}
