/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer of the TPM as the host program and the image have it. An input is commands, each behind
 * two bytes of its length, whose top bit leaves the command's own length as it is instead of making
 * it right. Each input has a TPM of its own, from one fresh state, with the same random numbers.
 *
 * Whatever comes: each response is whole, the permanent state's generation never falls, and the
 * states that are left start a TPM.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/platform/platform.h"
#include "vtpm/tpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define HEADER_BYTES 10u
#define LENGTH_AT    2u
#define AS_IT_IS     0x8000u
#define COMMANDS_MAX 24u

static const uint8_t startup[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
static const struct vtpm_bytes none;
static struct vtpm_bytes fresh;
static uint64_t numbers;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

void platform_random(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		numbers = numbers * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)to)[i] = (uint8_t)(numbers >> 56);
	}
}

_Noreturn void platform_halt(const char *why, const char *what)
{
	abort();
}

static struct vtpm_bytes copy_of(struct vtpm_bytes from)
{
	uint8_t *bytes = malloc(from.length + 1);

	CHECK(bytes);
	memcpy(bytes, from.bytes, from.length);
	return (struct vtpm_bytes){ bytes, from.length };
}

static size_t length_in(const uint8_t *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* A command that libtpms does not answer is one that the core refuses before. */
static void carry_out(unsigned locality, const uint8_t *bytes, size_t length)
{
	struct vtpm_bytes response, state;
	uint64_t before = vtpm_permanent(&state);
	vtpm_status status;

	status = vtpm_command(locality, (struct vtpm_bytes){ bytes, length }, &response);
	CHECK(status == VTPM_OK || !response.bytes);
	CHECK(status == VTPM_OK || length < HEADER_BYTES || length > VTPM_BUFFER_MAX);
	if (status == VTPM_OK)
		CHECK(response.length >= HEADER_BYTES && response.length <= VTPM_BUFFER_MAX &&
		    length_in(response.bytes + LENGTH_AT) == response.length);
	CHECK(vtpm_permanent(&state) >= before && state.bytes);
}

/* The next command of the input; returns what it took. */
static size_t next(const uint8_t *data, size_t size)
{
	uint8_t command[VTPM_BUFFER_MAX];
	unsigned word = (unsigned)data[0] << 8 | data[1];
	size_t length = word & 0xfffu;

	if (length > size - 2)
		length = size - 2;
	memcpy(command, data + 2, length);
	if (!(word & AS_IT_IS) && length >= HEADER_BYTES) {
		command[LENGTH_AT] = command[LENGTH_AT + 1] = 0;
		command[LENGTH_AT + 2] = (uint8_t)(length >> 8);
		command[LENGTH_AT + 3] = (uint8_t)length;
	}
	carry_out(word >> 12 & 7 ? (word >> 12 & 7) % VTPM_LOCALITIES : 0, command, length);
	return length + 2;
}

static void start(struct vtpm_bytes permanent, struct vtpm_bytes volatile_state)
{
	CHECK(vtpm_start(permanent, volatile_state) == VTPM_OK);
}

/* In failure mode there may be no state to go on with. */
static void go_on(void)
{
	struct vtpm_bytes permanent, volatile_state;

	(void)vtpm_permanent(&permanent);
	permanent = copy_of(permanent);
	if (vtpm_volatile(&volatile_state) != VTPM_OK)
		volatile_state = none;
	vtpm_stop();
	start(permanent, volatile_state);
	carry_out(0, startup, sizeof(startup));
	vtpm_free_state(&permanent);
	vtpm_free_state(&volatile_state);
	vtpm_stop();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct vtpm_bytes state;

	start(none, none);
	carry_out(0, startup, sizeof(startup));
	(void)vtpm_permanent(&state);
	fresh = copy_of(state);
	vtpm_stop();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	numbers = 1;
	start(fresh, none);
	carry_out(0, startup, sizeof(startup));
	for (unsigned i = 0; i < COMMANDS_MAX && size > 2; i++) {
		size_t took = next(data, size);

		data += took;
		size -= took;
	}
	go_on();
	return 0;
}
