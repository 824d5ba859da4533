/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's partition: a TPM that is manufactured at its start and keeps its state in memory.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "vtpm/crb.h"
#include "vtpm/tpm.h"

#define HEADER_BYTES 10u
#define PAGE	     4096u
#define SIZE_AT	     2u /* in a command's header */
#define LOCALITIES   3u /* that software has */

extern const uint64_t rt_stack_bottom[], rt_stack_top[];
extern uint32_t rt_window[];

static struct crb crb;

static const uint8_t startup_clear[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
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

/* libtpms refuses a command that is not as long as it says. */
static size_t crb_carry_out(unsigned locality, const uint8_t *command, size_t length,
    uint8_t response[CRB_PAGE])
{
	size_t says = (size_t)command[SIZE_AT] << 24 | (size_t)command[SIZE_AT + 1] << 16 |
	    (size_t)command[SIZE_AT + 2] << 8 | command[SIZE_AT + 3];
	struct vtpm_bytes answer = carry_out(locality,
	    (struct vtpm_bytes){ command, says < HEADER_BYTES || says > length ? length : says });

	memcpy(response, answer.bytes, answer.length);
	return answer.length;
}

REQUEST_HANDLER(store)
{
	crb_store(&crb, args[0], args[1], args[2]);
	return REDOUBT_OK;
}

/* The length is bounded by the page, the copy is what is used. */
REQUEST_HANDLER(command)
{
	uint8_t command[PAGE];
	struct vtpm_bytes response, state;
	uint8_t *lent = (uint8_t *)TRUSTLET_SHARED_BASE;

	if (args[0] > sizeof(command) || args[1] >= LOCALITIES)
		return REDOUBT_INVALID;
	copy_in_once(command, lent, args[0]);
	response = carry_out((unsigned)args[1], (struct vtpm_bytes){ command, args[0] });
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

	(void)COMMAND(startup_clear); /* or it is started, and says so */
	results[0] = word_at(COMMAND(self_test_full), 6);
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

int main(void)
{
	const struct vtpm_bytes none = { NULL, 0 };
	vtpm_status status = vtpm_start(none, none);

	if (status != VTPM_OK)
		trustlet_panic("vtpm: status %x at the start", status);
	crb_start(&crb, rt_window, crb_carry_out);
	trustlet_log("vtpm: ready");
	trustlet_serve();
}
