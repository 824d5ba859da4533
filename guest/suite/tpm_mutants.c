/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands that are none (T59), through the registers: sizes that are not the buffer's, short
 * headers, codes and authorizations; and mutants of valid ones, as N= and SEED= say. Each gets a
 * response, and the TPM goes on.
 */
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/text.h"
#include "guest/suite/suite.h"
#include "guest/suite/tpm.h"

#define MUTANTS_DEFAULT 200u
#define SEED_DEFAULT	1u
#define SIZE_AT		2u
#define CODE_AT		6u
#define CODE_FIRST	0x11fu /* TPM_CC_FIRST */
#define CODES		0x90u
#define FORMAT_1	0x080u
#define FORMAT_1_CODE	0x0bfu /* without what parameter it is */
#define RC_INSUFFICIENT 0x09au
#define RC_VALUE	0x084u
#define COMMAND_MAX	512u
#define ROOM_EVERY	16u
#define EDITS_MAX	2u

/* ---- Chosen ones ---- */

#define RANDOM	   "\x00\x00\x01\x7b\x00\x08"
#define EXTEND	   "\x00\x00\x01\x82\x00\x00\x00\x10"
#define FILLED	   "\x40\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x0b"
#define AND_32	   "01234567890123456789012345678901"
#define SEND(text) (text), sizeof(text) - 1

/*
 * Part 3, 5.2 (header); part 2, 6.6.3 (codes); part 4, ExecuteCommand (sizes of authorizations).
 * Where there are two codes libtpms has one of its own.
 */
static const struct {
	const char *what, *bytes;
	uint32_t length, code, other;
} malformed[] = {
	{ "that says it has no bytes", SEND("\x80\x01\x00\x00\x00\x00" RANDOM), RC_SIZE, 0 },
	{ "that says 9", SEND("\x80\x01\x00\x00\x00\x09" RANDOM), RC_SIZE, 0 },
	{ "that says 10 and needs 12", SEND("\x80\x01\x00\x00\x00\x0a" RANDOM), RC_INSUFFICIENT,
	    0 },
	{ "that says 11", SEND("\x80\x01\x00\x00\x00\x0b" RANDOM), RC_INSUFFICIENT, 0 },
	{ "that says one byte more", SEND("\x80\x01\x00\x00\x00\x0d" RANDOM), RC_TRAILING, 0 },
	{ "that says 4096", SEND("\x80\x01\x00\x00\x10\x00" RANDOM), RC_TRAILING, 0 },
	{ "that says 4097", SEND("\x80\x01\x00\x00\x10\x01" RANDOM), RC_SIZE, 0 },
	{ "that says 64 KiB and 12", SEND("\x80\x01\x00\x01\x00\x0c" RANDOM), RC_SIZE, 0 },
	{ "that says 0x80000000", SEND("\x80\x01\x80\x00\x00\x00" RANDOM), RC_SIZE, 0 },
	{ "that says 0xffffffff", SEND("\x80\x01\xff\xff\xff\xff" RANDOM), RC_SIZE, 0 },
	{ "with a tag of 1.2", SEND("\x00\xc1\x00\x00\x00\x0c" RANDOM), RC_BAD_TAG, RC_VALUE },
	{ "with a response's tag", SEND("\x00\xc4\x00\x00\x00\x0c" RANDOM), RC_BAD_TAG, 0 },
	{ "below the first code", SEND("\x80\x01\x00\x00\x00\x0a\x00\x00\x01\x11"), RC_CODE, 0 },
	{ "above the last code", SEND("\x80\x01\x00\x00\x00\x0a\x00\x00\xff\xff"), RC_CODE, 0 },
	{ "of a vendor's code", SEND("\x80\x01\x00\x00\x00\x0a\x20\x00\x00\x01"), RC_CODE, 0 },
	{ "of code 0", SEND("\x80\x01\x00\x00\x00\x0a\x00\x00\x00\x00"), RC_CODE, 0 },
	{ "with sessions and none there", SEND("\x80\x02\x00\x00\x00\x12" EXTEND), RC_TRAILING, 0 },
	{ "with sessions of no bytes", SEND("\x80\x02\x00\x00\x00\x16" EXTEND "\x00\x00\x00\x00"),
	    RC_TRAILING, 0 },
	{ "with sessions of 8 bytes",
	    SEND("\x80\x02\x00\x00\x00\x41" EXTEND "\x00\x00\x00\x08" FILLED AND_32), RC_TRAILING,
	    0 },
	{ "with sessions of 4 GiB",
	    SEND("\x80\x02\x00\x00\x00\x41" EXTEND "\xff\xff\xff\xff" FILLED AND_32), RC_TRAILING,
	    0 },
	{ "with sessions that end behind it",
	    SEND("\x80\x02\x00\x00\x00\x41" EXTEND "\x00\x00\x00\x30" FILLED AND_32), RC_TRAILING,
	    0 },
};

void tpm_malformed(void)
{
	for (unsigned i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct tpm_answer a = tpm_send((const uint8_t *)malformed[i].bytes,
		    malformed[i].length);
		uint32_t code = a.code & FORMAT_1 ? a.code & FORMAT_1_CODE : a.code;

		if (!tap(a.whole && code &&
			    (code == malformed[i].code || code == malformed[i].other),
			"T59 a command %s is answered by an error of its own", malformed[i].what))
			tap_note("got %x, %u bytes, %x; not %x", a.tag, a.size, a.code,
			    malformed[i].code);
	}
	tap(tpm_alive(), "T59 the TPM answers after commands that are none");
}

/* ---- Mutants ---- */

static uint64_t state;

static uint32_t below(uint32_t n)
{
	return (uint32_t)(rand_next(&state) % n);
}

static void put_number(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void edge(uint8_t *bytes, uint32_t length)
{
	static const uint32_t edges[] = { 0, 1, 2, 9, 10, 0x20, 0x21, 0x40, 0x7f, 0x80, 0xff, 0x100,
		0x400, 0x401, 0xfff, 0x1000, 0x1001, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff };
	unsigned width = below(2) ? 2 : 4;

	if (length >= width)
		put_number(bytes + below(length - width + 1),
		    edges[below(sizeof(edges) / sizeof(edges[0]))], width);
}

/* Something of another one behind a piece of this. */
static uint32_t splice(uint8_t *bytes, uint32_t length)
{
	static uint8_t other[COMMAND_MAX];
	uint32_t bytes_of_other = tpm_compose(&tpm_commands[below(tpm_command_count)], other);
	uint32_t keep = below(length + 1), from = below(bytes_of_other + 1);

	memcpy(bytes + keep, other + from, bytes_of_other - from);
	return keep + bytes_of_other - from;
}

static uint32_t edit(uint8_t *bytes, uint32_t length)
{
	switch (below(7)) {
	case 0:
		return splice(bytes, length);
	case 1:
		return below(length + 1);
	case 2:
		put_number(bytes + CODE_AT, CODE_FIRST + below(CODES), 4);
		return length;
	case 3:
		put_number(bytes, TAG_PLAIN + below(2), 2);
		return length;
	case 4:
		edge(bytes, length);
		return length;
	default:
		if (length)
			bytes[below(length)] ^= below(2) ? 1u << below(8) : below(256);
		return length;
	}
}

/* Mostly as long as it says, or the header would be all that is looked at. */
static uint32_t mutant(uint8_t *bytes)
{
	uint32_t length = tpm_compose(&tpm_commands[below(tpm_command_count - 1)], bytes);

	for (uint32_t edits = 1 + below(EDITS_MAX); edits; edits--)
		length = edit(bytes, length);
	if (below(8))
		put_number(bytes + SIZE_AT, length, 4);
	return length;
}

/* A TPM has room for three objects and sessions each. */
static void make_room(void)
{
	static const char *const names[] = { "FlushContext", "FlushContext of a session" };
	uint8_t bytes[HEADER + 4];

	for (unsigned i = 0; i < 6; i++) {
		uint32_t length = tpm_compose(tpm_find(names[i & 1]), bytes);

		bytes[length - 1] = (uint8_t)(i / 2);
		(void)tpm_send(bytes, length);
	}
}

void tpm_mutants(void)
{
	uint64_t count = option_number("N", MUTANTS_DEFAULT),
		 seed = option_number("SEED", SEED_DEFAULT);
	uint64_t wrong = 0, good = 0;

	state = seed;
	for (uint64_t i = 0; i < count; i++) {
		static uint8_t bytes[COMMAND_MAX];
		uint32_t length;
		struct tpm_answer a;

		memset(bytes, 0, sizeof(bytes));
		if (i % ROOM_EVERY == 0)
			make_room();
		length = mutant(bytes);
		a = tpm_send(bytes, length);
		good += a.code == 0;
		wrong += !a.whole;
		if (!a.whole && wrong < 4)
			tap_note("mutant %lu: %x, %u bytes, %x", i, a.tag, a.size, a.code);
	}
	tap(!wrong, "T59 each mutated command gets a whole response");
	tap_note("seed %lu: %lu mutants, %lu of them carried out", seed, count, good);
	tap(tpm_alive(), "T59 the TPM answers after mutated commands");
}
