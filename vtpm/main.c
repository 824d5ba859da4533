/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's partition: the TPM, its registers (crb.h, ppi.h) and its state (storage.h).
 */
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "vtpm/crb.h"
#include "vtpm/manufacture.h"
#include "vtpm/ppi.h"
#include "vtpm/storage.h"
#include "vtpm/tpm.h"
#include "vtpm/window.h"

#define HEADER_BYTES 10u
#define PAGE	     4096u
#define SIZE_AT	     2u /* in a command's header */
#define CODE_AT	     6u /* and a response's */

extern const uint64_t rt_stack_bottom[], rt_stack_top[];
extern uint32_t rt_window[];
extern const char vtpm_for_stage[]; /* no memory: a number, of the Makefile */

static struct crb crb;
static struct storage storage;
static struct ppi ppi;
static bool asks; /* whether to clear: until there is an answer the TPM is nobody's */
static uint8_t ca_key[VTPM_CA_KEY_BYTES]; /* of a TPM that was made in this run */

static const uint8_t startup_clear[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
/* Platform authorization is empty until here, and nobody's from here on: T64. */
static const uint8_t close_platform[] = { 0x80, 0x02, 0, 0, 0, 32, 0, 0, 0x01, 0x21, 0x40, 0, 0,
	0x0c, 0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0, 0x40, 0, 0, 0x0c, 0 };
/* 32 wrong guesses, one forgotten in two hours, a day after a wrong lockout password. */
static const uint8_t set_lockout[] = { 0x80, 0x02, 0, 0, 0, 39, 0, 0, 0x01, 0x3a, 0x40, 0, 0, 0x0a,
	0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0x1c, 0x20, 0, 1, 0x51,
	0x80 };
/* SHA-256 alone: the bank that all who measure have (boot/tcg2_serve.c). */
static const uint8_t allocate[] = { 0x80, 0x02, 0, 0, 0, 55, 0, 0, 0x01, 0x2b, 0x40, 0, 0, 0x0c, 0,
	0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0x04, 3, 0, 0, 0, 0, 0x0b, 3, 0xff,
	0xff, 0xff, 0, 0x0c, 3, 0, 0, 0, 0, 0x0d, 3, 0, 0, 0 };
/* TPM2_Clear by the platform's authorization, which an owner may have forbidden (ClearControl). */
static const uint8_t allow_clear[] = { 0x80, 0x02, 0, 0, 0, 28, 0, 0, 0x01, 0x27, 0x40, 0, 0, 0x0c,
	0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0, 0 };
static const uint8_t clear_all[] = { 0x80, 0x02, 0, 0, 0, 27, 0, 0, 0x01, 0x26, 0x40, 0, 0, 0x0c, 0,
	0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0 };
static const uint8_t self_test_full[] = { 0x80, 0x01, 0, 0, 0, 11, 0, 0, 0x01, 0x43, 1 };
static const uint8_t get_test_result[] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x7c };

static struct vtpm_bytes carry_out(unsigned locality, struct vtpm_bytes command)
{
	struct vtpm_bytes response;
	vtpm_status status = vtpm_command(locality, command, &response);

	if (status != VTPM_OK)
		trustlet_panic("vtpm: status %x of a command", status);
	return response;
}

static bool is_shutdown(const uint8_t *command, struct vtpm_bytes response)
{
	static const uint8_t code[] = { 0, 0, 0x01, 0x45 }, success[4];

	return memcmp(command + CODE_AT, code, sizeof(code)) == 0 &&
	    response.length >= HEADER_BYTES &&
	    memcmp(response.bytes + CODE_AT, success, sizeof(success)) == 0;
}

/* libtpms refuses a command that is not as long as it says. */
static size_t crb_carry_out(unsigned locality, const uint8_t command[CRB_PAGE],
    uint8_t response[CRB_PAGE], bool *held)
{
	size_t says = (size_t)command[SIZE_AT] << 24 | (size_t)command[SIZE_AT + 1] << 16 |
	    (size_t)command[SIZE_AT + 2] << 8 | command[SIZE_AT + 3];
	struct vtpm_bytes whole = { command,
		says < HEADER_BYTES || says > CRB_PAGE ? CRB_PAGE : says };
	struct vtpm_bytes answer;
	bool goes_off;

	storage_before(&storage);
	answer = carry_out(locality, whole);
	memcpy(response, answer.bytes, answer.length);
	goes_off = is_shutdown(command, answer);
	*held = storage_hold(&storage);
	if (goes_off)
		storage_shutdown(&storage);
	return answer.length;
}

static bool cancelled(void)
{
	return crb_cancelled(&crb);
}

static bool is_on(void)
{
	return !asks && (storage.mode == STORAGE_KEPT || storage.mode == STORAGE_VOLATILE);
}

/* On a stage the first command may start it. */
static bool is_on_or_starts(void)
{
	const struct vtpm_bytes none = { NULL, 0 };

	if ((uintptr_t)vtpm_for_stage && storage.mode == STORAGE_CLOSED &&
	    vtpm_start(none, none) == VTPM_OK)
		storage.mode = STORAGE_VOLATILE;
	return is_on();
}

static struct nv_bytes ppi_bytes(void)
{
	return (struct nv_bytes){ (const uint8_t *)&ppi.next, sizeof(ppi.next) };
}

REQUEST_HANDLER(store)
{
	if (!is_on())
		return REDOUBT_OK;
	if (args[0] != PPI_AT)
		crb_store(&crb, args[0], args[1], args[2]);
	else if (ppi_store(&ppi, args[1], args[2], storage_takes(&storage)))
		(void)storage_put_ppi(&storage, ppi_bytes());
	return REDOUBT_OK;
}

/*
 * Of images for a stage alone: elsewhere nobody lends a page, and a look at it would be the end.
 * The length is bounded by the page, the copy is what is used.
 */
REQUEST_HANDLER(command)
{
	uint8_t command[PAGE];
	struct vtpm_bytes response, state;
	uint8_t *lent = (uint8_t *)TRUSTLET_SHARED_BASE;

	if ((uintptr_t)vtpm_for_stage == 0)
		return REDOUBT_UNKNOWN_CALL;
	if (args[0] > sizeof(command))
		return REDOUBT_INVALID;
	if (!is_on_or_starts())
		return TPM_STATUS_OFF;
	copy_in_once(command, lent, args[0]);
	response = carry_out(0, (struct vtpm_bytes){ command, args[0] });
	memcpy(lent, response.bytes, response.length);
	results[0] = response.length;
	results[1] = vtpm_permanent(&state);
	return REDOUBT_OK;
}

static uint32_t word_at(struct vtpm_bytes response, size_t at)
{
	uint32_t word = 0;

	if (response.length < at + sizeof(word))
		trustlet_panic("vtpm: a response of %zu bytes", response.length);
	for (size_t i = 0; i < sizeof(word); i++)
		word = word << 8 | response.bytes[at + i];
	return word;
}

#define COMMAND(bytes) carry_out(0, (struct vtpm_bytes){ bytes, sizeof(bytes) })

REQUEST_HANDLER(self_test)
{
	struct vtpm_bytes response;
	size_t data;

	if (!is_on_or_starts())
		return TPM_STATUS_OFF;
	(void)COMMAND(startup_clear); /* or it is started, and says so */
	results[0] = word_at(COMMAND(self_test_full), CODE_AT);
	response = COMMAND(get_test_result);
	data = word_at(response, HEADER_BYTES - 2) & 0xffff; /* outData, then the result */
	results[1] = word_at(response, HEADER_BYTES + 2 + data);
	return REDOUBT_OK;
}

/* Private memory is zero at the start: the stack has been as far as its first byte that is not. */
static uint64_t stack_used(void)
{
	const uint64_t *p = rt_stack_bottom;

	while (p < rt_stack_top && *p == 0)
		p++;
	return (uint64_t)((const uint8_t *)rt_stack_top - (const uint8_t *)p);
}

REQUEST_HANDLER(memory)
{
	struct heap_use use = trustlet_heap_use();
	struct vtpm_bytes state;

	(void)vtpm_permanent(&state);
	results[0] = (uint64_t)use.pages << 32 | use.peak;
	results[1] = stack_used();
	results[2] = state.length;
	return REDOUBT_OK;
}

/* ---- State ---- */

static volatile uint8_t *mailbox(void)
{
	return (volatile uint8_t *)rt_window + (TPM_MAILBOX - TPM_BASE);
}

static volatile uint8_t *piece(void)
{
	return (volatile uint8_t *)rt_window + (TPM_MAILBOX_PIECE - TPM_BASE);
}

REQUEST_HANDLER(state_slot)
{
	if (args[2] > TPM_PIECE_BYTES)
		return REDOUBT_INVALID;
	window_sync(piece(), args[2]);
	return storage_slot(&storage, args[0], args[1], piece(), args[2]);
}

static void must(const char *what, struct vtpm_bytes response)
{
	uint32_t code = word_at(response, CODE_AT);

	if (code != 0)
		trustlet_panic("vtpm: %s: TPM error %x", what, code);
}

/* As if the machine had been reset: banks are what was allocated before. */
static void power_cycle(void)
{
	const struct vtpm_bytes none = { NULL, 0 };
	struct vtpm_bytes state;
	uint8_t *copy;

	(void)vtpm_permanent(&state);
	copy = storage_memory(state.length);
	memcpy(copy, state.bytes, state.length);
	vtpm_stop();
	if (vtpm_start((struct vtpm_bytes){ copy, state.length }, none) != VTPM_OK)
		trustlet_panic("vtpm: its first state is refused");
	free(copy);
}

/* Nothing of it is kept before all of it is made: the first state is sealed behind it. */
static void manufacture(void)
{
	const char *failed;

	must("TPM2_DictionaryAttackParameters", COMMAND(set_lockout));
	failed = vtpm_manufacture(ca_key);
	if (failed)
		trustlet_panic("vtpm: manufacture: %s cannot be made", failed);
	storage.more.part[NV_CA_KEY] = (struct nv_bytes){ ca_key, sizeof(ca_key) };
	trustlet_log("vtpm: a new TPM, with certificates of its endorsement keys");
}

static void startup(bool is_new)
{
	must("TPM2_Startup", COMMAND(startup_clear));
	if (is_new) {
		must("TPM2_PCR_Allocate", COMMAND(allocate));
		power_cycle();
		must("TPM2_Startup", COMMAND(startup_clear));
		manufacture();
	}
	ppi_start(&ppi, storage.more.part[NV_PPI]);
	asks = ppi.part.pending != 0;
	if (!asks)
		must("TPM2_HierarchyControl", COMMAND(close_platform));
}

static void show_registers(void)
{
	crb_start(&crb, rt_window, crb_carry_out);
	ppi_show(&ppi, rt_window);
	vtpm_cancelled_by(cancelled);
}

REQUEST_HANDLER(state_open)
{
	results[0] = storage_open(&storage, args[0] == TPM_OPEN_BOUND, startup);
	for (unsigned i = 0; i < TPM_FILES; i++)
		results[1] |= (uint64_t)storage.verdict[i] << 8 * i;
	if (results[0] != TPM_STATE_OPENED && is_on())
		show_registers();
	results[2] = asks ? ppi.part.pending : 0;
	return REDOUBT_OK;
}

/* What it comes to; against dictionary attacks as a new TPM, and cleared even if that fails. */
static uint32_t clear(void)
{
	uint32_t code = word_at(COMMAND(allow_clear), CODE_AT);

	if (code == 0)
		code = word_at(COMMAND(clear_all), CODE_AT);
	if (code == 0 && word_at(COMMAND(set_lockout), CODE_AT) != 0)
		trustlet_log("vtpm: TPM2_DictionaryAttackParameters fails behind TPM2_Clear");
	return code;
}

REQUEST_HANDLER(presence)
{
	if (!asks || storage.mode != STORAGE_KEPT)
		return TPM_STATUS_LATE;
	if (args[0] > TPM_PRESENCE_YES)
		return REDOUBT_INVALID;
	ppi_done(&ppi, args[0] == TPM_PRESENCE_YES ? clear() : PPI_USER_ABORT);
	must("TPM2_HierarchyControl", COMMAND(close_platform));
	asks = false;
	(void)storage_put_ppi(&storage, ppi_bytes());
	show_registers();
	results[0] = ppi.part.response;
	return REDOUBT_OK;
}

REQUEST_HANDLER(state_piece)
{
	results[0] = storage_piece(&storage, args[0], piece());
	if (results[0] > 0) {
		results[1] = storage.next | (uint64_t)storage.size << 32;
		results[2] = storage.file_header.generation;
	}
	return REDOUBT_OK;
}

/* For packages: apart from the pieces, which are the keeper's. */
static volatile uint8_t *package_piece(void)
{
	return (volatile uint8_t *)rt_window + (TPM_MAILBOX_PACKAGE - TPM_BASE);
}

REQUEST_HANDLER(package)
{
	return storage_package(&storage, args[0], package_piece(), results);
}

REQUEST_HANDLER(ask)
{
	return storage_ask(&storage, package_piece(), &results[0]);
}

REQUEST_HANDLER(key)
{
	return storage_key(package_piece(), &results[0]);
}

REQUEST_HANDLER(state_kept)
{
	uint64_t status = storage_kept(&storage, args[0]);

	if (status == REDOUBT_OK && !storage_hold(&storage)) {
		crb_release(&crb);
		ppi_kept(&ppi);
	}
	return status;
}

REQUEST_HANDLER(storage)
{
	if (args[0] > TPM_KEEPER_OFF)
		return REDOUBT_INVALID;
	storage_keeper(&storage, (unsigned)args[0]);
	(void)storage_hold(&storage);
	return REDOUBT_OK;
}

/* The TPM is off until the loader has said what its state is. */
int main(void)
{
	storage_start(&storage, (volatile uint64_t *)mailbox());
	trustlet_log("vtpm: ready");
	trustlet_serve();
}
