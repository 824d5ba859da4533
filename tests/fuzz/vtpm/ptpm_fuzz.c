/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The anchor (vtpm/ptpm/anchor.c) in a hostile TPM, or by way of a hostile party. The TPM here is a
 * second one, made with OpenSSL: it checks what the commands authorize. A value is taken only if it
 * is what the index has; a write is taken for done only if it was.
 *
 *   byte 0   bits 1:0 what is asked for: read, write, define, a sentence; bit 2: the index is
 *            there; bit 3: it was written; bit 4: asked twice, with another value in it; bit 5: not
 *            to define it, to delete it; bit 6: nor that, to shut down; bit 7: to look at it
 *   then     for each command what becomes of its answer, honest when the bytes are over:
 *            0 it comes; 1 N, N x (where, XOR); 2 N, N bytes instead; 3 a code of 2 bytes instead;
 *            4 N: so much of it, size mended; 5 as 1, by one who has the authorization: the HMAC is
 *            right; 6 N: as many bytes of parameters, authenticated; 7 none; 8 the command does not
 *            arrive, the answer is what there was the time before;
 *            9 N: N bytes more at its end, size mended
 */
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INDEX	ANCHOR_INDEX
#define SESSION 0x02000001u
#define NONCE	32u
#define BYTES	600u
#define KINDS	10u
#define AGAIN	8u /* the kind of old answers */
#define OLD	4u /* answers that are kept */

#define CC_UNDEFINE    0x122u
#define CC_DEFINE      0x12au
#define CC_WRITE       0x137u
#define CC_SHUTDOWN    0x145u
#define CC_READ	       0x14eu
#define OWNER	       0x40000001u
#define CC_FLUSH       0x165u
#define CC_READ_PUBLIC 0x169u
#define CC_START       0x176u

/* Of an authorized command and its answer: what there is before the parameters, and the area. */
#define BEFORE 95u
#define HEAD   14u
#define AREA   69u

static uint8_t auth[ANCHOR_AUTH_BYTES] = "authorization of thirty-two byte";
static uint8_t next_random;
static uint64_t now;

static struct {
	const uint8_t *data;
	size_t left;
	bool defined, written;
	uint8_t value[ANCHOR_BYTES];
	bool open;	       /* the session */
	uint8_t nonce[NONCE];  /* of this side */
	uint8_t caller[NONCE]; /* of the other side, of the last command */
	uint8_t attributes;
	bool authorized; /* the answer has an HMAC */
	bool hostile;	 /* something was changed */
	bool knows;	 /* by one who has the authorization */
	/* The parameters that were authenticated last, and whether any were that cannot be. */
	uint8_t parameters[BYTES];
	size_t count;
	bool odd;
	bool longer; /* so was an answer of which each byte has a meaning */
	/* Of the time before, as they were; how many commands there were this time. */
	struct {
		uint8_t bytes[HEAD + 34 + AREA];
		size_t size;
	} now[OLD], old[OLD];
	unsigned commands;
} tpm;

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* ---- The run-time ---- */

uint64_t trustlet_time(void)
{
	return now += 10000000;
}

_Noreturn void trustlet_panic(const char *format, ...)
{
	abort();
}

void trustlet_random(void *to, size_t bytes)
{
	memset(to, ++next_random, bytes);
}

void trustlet_scrub(void *memory, size_t bytes)
{
	memset(memory, 0, bytes);
}

bool trustlet_equal(const void *a, const void *b, size_t bytes)
{
	return memcmp(a, b, bytes) == 0;
}

/* ---- The TPM ---- */

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint32_t get(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static size_t finish(uint8_t *response, size_t size, uint32_t code)
{
	put(response, tpm.authorized ? 0x8002 : 0x8001, 2);
	put(response + 2, size, 4);
	put(response + 6, code, 4);
	return size;
}

static size_t refuse(uint8_t *response, uint32_t code)
{
	tpm.authorized = false;
	return finish(response, 10, code);
}

static size_t public_area(uint8_t *to)
{
	static const uint8_t area[] = { 0x01, 0x80, 0x52, 0x44, 0, 0x0b, 0x02, 0x06, 0, 0x04, 0, 0,
		0, ANCHOR_BYTES };

	memcpy(to, area, sizeof(area));
	to[6] |= tpm.written ? 0x20 : 0;
	return sizeof(area);
}

static void name_of(uint8_t name[34])
{
	uint8_t area[14];

	put(name, 0x0b, 2);
	SHA256(area, public_area(area), name + 2);
}

static void authenticate(const uint8_t *text, size_t size, bool command, uint8_t mac[32])
{
	uint8_t whole[32 + 2 * NONCE + 1];

	SHA256(text, size, whole);
	memcpy(whole + 32, command ? tpm.caller : tpm.nonce, NONCE);
	memcpy(whole + 32 + NONCE, command ? tpm.nonce : tpm.caller, NONCE);
	whole[32 + 2 * NONCE] = tpm.attributes;
	HMAC(EVP_sha256(), auth, sizeof(auth), whole, sizeof(whole), mac, NULL);
}

/*
 * Of a command on the index: 18 bytes, the size, the session, nonce, attributes, HMAC, parameters.
 */
static bool is_authorized(const uint8_t *command, size_t size)
{
	uint8_t text[4 + 68 + 36], mac[32];

	require(command[22] == SESSION >> 24 && command[60] == 0);
	require(size == BEFORE + (get(command + 6) == CC_READ ? 4 : 36));
	require(get(command + 10) == INDEX && get(command + 14) == INDEX);
	require(get(command + 18) == 73);
	memcpy(tpm.caller, command + 28, NONCE);
	tpm.attributes = command[60];
	memcpy(text, command + 6, 4);
	name_of(text + 4);
	name_of(text + 38);
	memcpy(text + 72, command + BEFORE, size - BEFORE);
	authenticate(text, 72 + size - BEFORE, true, mac);
	return tpm.open && get(command + 22) == SESSION &&
	    memcmp(mac, command + 63, sizeof(mac)) == 0;
}

/* The area behind `parameters` bytes, which are behind header and size. */
static size_t authorize(const uint8_t *command, uint8_t *response, size_t parameters)
{
	uint8_t text[8 + BYTES], *area = response + HEAD + parameters;

	put(response + 10, parameters, 4);
	put(text, 0, 4);
	memcpy(text + 4, command + 6, 4);
	memcpy(text + 8, response + HEAD, parameters);
	put(area, NONCE, 2);
	memcpy(area + 2, tpm.nonce, NONCE);
	area[34] = tpm.attributes;
	put(area + 35, 32, 2);
	authenticate(text, 8 + parameters, false, area + 37);
	memcpy(tpm.parameters, response + HEAD, parameters);
	tpm.count = parameters;
	tpm.authorized = true;
	return finish(response, HEAD + parameters + AREA, 0);
}

static size_t write_it(const uint8_t *command, uint8_t *response)
{
	require(get(command + BEFORE) >> 16 == ANCHOR_BYTES);
	require(get(command + BEFORE + ANCHOR_BYTES) << 16 == 0);
	memcpy(tpm.value, command + BEFORE + 2, ANCHOR_BYTES);
	tpm.written = true;
	return authorize(command, response, 0);
}

static size_t read_it(const uint8_t *command, uint8_t *response)
{
	require(get(command + BEFORE) == ANCHOR_BYTES << 16);
	put(response + HEAD, ANCHOR_BYTES, 2);
	memcpy(response + HEAD + 2, tpm.value, ANCHOR_BYTES);
	return authorize(command, response, 2 + ANCHOR_BYTES);
}

/* By the owner, whose password is empty. */
static size_t look(const uint8_t *command, size_t size, uint8_t *response)
{
	require(size == 35 && get(command + 14) == INDEX);
	require(memcmp(command + 31, "\0\x20\0\0", 4) == 0);
	if (!tpm.defined || !tpm.written)
		return refuse(response, tpm.defined ? 0x14a : 0x28b);
	tpm.authorized = true;
	put(response + 10, 2 + ANCHOR_BYTES, 4);
	put(response + HEAD, ANCHOR_BYTES, 2);
	memcpy(response + HEAD + 2, tpm.value, ANCHOR_BYTES);
	memcpy(response + HEAD + 2 + ANCHOR_BYTES, "\0\0\1\0\0", 5);
	return finish(response, HEAD + 2 + ANCHOR_BYTES + 5, 0);
}

static size_t carry_out(const uint8_t *command, size_t size, uint8_t *response)
{
	bool reads = get(command + 6) == CC_READ;

	if (reads && get(command + 10) == OWNER)
		return look(command, size, response);
	require(reads || get(command + 6) == CC_WRITE);
	if (!is_authorized(command, size)) {
		require(tpm.hostile);
		return refuse(response, 0x9a2);
	}
	if (reads && !tpm.written)
		return refuse(response, 0x14a);
	memset(tpm.nonce, tpm.nonce[0] + 1, NONCE);
	tpm.open = false;
	return reads ? read_it(command, response) : write_it(command, response);
}

static size_t define(const uint8_t *command, uint8_t *response)
{
	uint8_t area[14] = { 0 };

	if (tpm.defined)
		return refuse(response, 0x14c);
	tpm.defined = true;
	require(memcmp(command + 29, auth, sizeof(auth)) == 0);
	require(memcmp(command + 63, area, public_area(area)) == 0);
	put(response + 10, 0, 4);
	memcpy(response + 14, "\0\0\1\0\0", 5);
	tpm.authorized = true;
	return finish(response, 19, 0);
}

static size_t undefine(const uint8_t *command, uint8_t *response)
{
	require(get(command + 14) == INDEX);
	if (!tpm.defined)
		return refuse(response, 0x28b);
	tpm.defined = tpm.written = false;
	tpm.authorized = true;
	put(response + 10, 0, 4);
	memcpy(response + 14, "\0\0\1\0\0", 5);
	return finish(response, 19, 0);
}

static size_t answer(const uint8_t *command, size_t size, uint8_t *response)
{
	tpm.authorized = false;
	switch (get(command + 6)) {
	case CC_READ_PUBLIC:
		if (!tpm.defined)
			return refuse(response, 0x18b);
		put(response + 10, public_area(response + 12), 2);
		put(response + 26, 34, 2);
		name_of(response + 28);
		return finish(response, 62, 0);
	case CC_DEFINE:
		return define(command, response);
	case CC_SHUTDOWN:
		require(size == 12 && command[10] == 0 && command[11] == 0);
		return finish(response, 10, 0);
	case CC_UNDEFINE:
		return undefine(command, response);
	case CC_START:
		tpm.open = true;
		put(response + 10, SESSION, 4);
		put(response + 14, NONCE, 2);
		memset(tpm.nonce, 0xa0, NONCE);
		memcpy(response + 16, tpm.nonce, NONCE);
		return finish(response, 16 + NONCE, 0);
	case CC_FLUSH:
		/* HMAC or policy: where the TPM is said to be full of them all are ended. */
		require(command[10] == 2 || (command[10] == 3 && tpm.hostile));
		tpm.open &= get(command + 10) != SESSION;
		return finish(response, 10, 0);
	default:
		return carry_out(command, size, response);
	}
}

/* ---- What becomes of the answer ---- */

static uint8_t byte(void)
{
	if (tpm.left == 0)
		return 0;
	tpm.left--;
	return *tpm.data++;
}

static void change(uint8_t *response, size_t size)
{
	for (unsigned n = byte() % 16; n; n--) {
		size_t at = byte() % size;

		response[at] ^= byte();
	}
}

/* One who has it makes the answer anew, with so many bytes of what became of its parameters. */
static size_t made_anew(const uint8_t *command, uint8_t *response, size_t size, size_t parameters)
{
	if (!tpm.authorized || get(command + 10) == OWNER)
		return size;
	tpm.knows = true;
	tpm.odd |= get(command + 6) == CC_WRITE && parameters != 0;
	return authorize(command, response, parameters);
}

static size_t lengthen(const uint8_t *command, uint8_t *response, size_t size)
{
	unsigned more = byte();

	tpm.longer |= more && (get(command + 6) == CC_START || tpm.authorized);
	return finish(response, size + more, get(response + 6));
}

static size_t instead(uint8_t *response, size_t size)
{
	for (size_t i = 0; i < size; i++)
		response[i] = byte();
	return size;
}

static size_t changed(unsigned what, const uint8_t *command, uint8_t *response, size_t size)
{
	switch (what) {
	case 1:
		change(response, size);
		return size;
	case 2:
		return instead(response, byte());
	case 3:
		what = byte();
		return refuse(response, what << 8 | byte());
	case 4:
		size = byte() % size;
		put(response + 2, size, 4);
		return size;
	case 5:
		change(response, size);
		return made_anew(command, response, size, size - HEAD - AREA);
	case 6:
		return made_anew(command, response, size, byte());
	case 7:
		return 0;
	case 9:
		return lengthen(command, response, size);
	default:
		return size;
	}
}

static size_t old_answer(unsigned number, uint8_t *response)
{
	if (number >= OLD)
		return 0;
	memcpy(response, tpm.old[number].bytes, tpm.old[number].size);
	return tpm.old[number].size;
}

static void keep(unsigned number, const uint8_t *response, size_t size)
{
	if (number >= OLD)
		return;
	require(size <= sizeof(tpm.now[number].bytes));
	memcpy(tpm.now[number].bytes, response, size);
	tpm.now[number].size = size;
}

size_t ptpm_command(struct ptpm *ptpm, const uint8_t *command, size_t size, uint8_t *response,
    size_t room)
{
	uint8_t made[BYTES + 300] = { 0 };
	unsigned what = byte() % KINDS, number = tpm.commands++;
	size_t length;

	require(size == get(command + 2) && size >= 10);
	tpm.hostile |= what != 0;
	if (what == AGAIN) {
		length = old_answer(number, made);
	} else {
		length = answer(command, size, made);
		keep(number, made, length);
		length = changed(what, command, made, length);
	}
	length = length < room ? length : room;
	memcpy(response, made, length);
	return length;
}

/* ---- What is asked for ---- */

static bool is_zero(const uint8_t value[ANCHOR_BYTES])
{
	static const uint8_t zeros[ANCHOR_BYTES];

	return memcmp(value, zeros, sizeof(zeros)) == 0;
}

static enum anchor_result ask_read(struct ptpm *ptpm)
{
	uint8_t value[ANCHOR_BYTES] = { 1 };
	enum anchor_result result = anchor_read(ptpm, auth, value);

	if (result != ANCHOR_OK)
		require(is_zero(value));
	else if (!tpm.knows)
		require(memcmp(value, tpm.value, sizeof(value)) == 0);
	else
		require(tpm.count == 2 + ANCHOR_BYTES &&
		    get(tpm.parameters) >> 16 == ANCHOR_BYTES &&
		    memcmp(value, tpm.parameters + 2, sizeof(value)) == 0);
	return result;
}

/* Who has the authorization can still not say that it was carried out: here that is always so. */
static enum anchor_result ask_write(struct ptpm *ptpm)
{
	uint8_t value[ANCHOR_BYTES], before[ANCHOR_BYTES];
	enum anchor_result result;
	bool done, sent;

	memcpy(before, tpm.value, sizeof(before));
	memset(value, before[0] + 1, sizeof(value));
	result = anchor_write(ptpm, auth, value, &sent);
	done = memcmp(tpm.value, value, sizeof(value)) == 0;
	require(done || memcmp(tpm.value, before, sizeof(before)) == 0);
	require(result != ANCHOR_OK || (done && tpm.written && !tpm.odd));
	require(sent || (result != ANCHOR_OK && !done));
	return result;
}

/* Who answers may say what they like: it is the value, or there is none. */
static enum anchor_result ask_look(struct ptpm *ptpm)
{
	uint8_t value[ANCHOR_BYTES];
	enum anchor_result result = anchor_look(ptpm, value);
	uint8_t none[ANCHOR_BYTES] = { 0 };

	require(tpm.hostile || result != ANCHOR_OK || memcmp(value, tpm.value, sizeof(value)) == 0);
	require(result == ANCHOR_OK || memcmp(value, none, sizeof(none)) == 0);
	return result;
}

static void ask(unsigned what)
{
	struct ptpm ptpm = { .reason = "none" };
	bool was = tpm.defined, written = tpm.written;
	enum anchor_result right = was ? ANCHOR_OK : ANCHOR_ABSENT, result;

	tpm.knows = tpm.odd = tpm.longer = false;
	tpm.commands = 0;
	if (what == 0) {
		right = was && !written ? ANCHOR_UNWRITTEN : right;
		result = ask_read(&ptpm);
	} else if (what == 1) {
		result = ask_write(&ptpm);
	} else if (what == 2) {
		right = was ? ANCHOR_PRESENT : ANCHOR_OK;
		result = anchor_define(&ptpm, auth);
	} else if (what == 4) {
		right = ANCHOR_OK;
		result = anchor_shutdown(&ptpm);
	} else if (what == 5) {
		right = was && !written ? ANCHOR_UNWRITTEN : right;
		result = ask_look(&ptpm);
	} else {
		right = was ? ANCHOR_OK : ANCHOR_ABSENT;
		result = anchor_undefine(&ptpm);
	}
	require(result < ANCHOR_RESULTS && anchor_sentence(result));
	require(result != ANCHOR_OK || !tpm.longer || what >= 2);
	/* A session of which no answer came is ended. */
	require(tpm.hostile ||
	    (result == right && !tpm.open && tpm.commands <= 3u + (right == ANCHOR_UNWRITTEN)));
	memcpy(tpm.old, tpm.now, sizeof(tpm.old));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned what;

	if (size == 0)
		return 0;
	what = (data[0] & 3) + ((data[0] & 0x23) == 0x22) + ((data[0] & 0x63) == 0x62) +
	    ((data[0] & 0xe3) == 0xe2);
	memset(&tpm, 0, sizeof(tpm));
	tpm.data = data + 1;
	tpm.left = size - 1;
	tpm.defined = data[0] & 4;
	tpm.written = (data[0] & 12) == 12;
	memset(tpm.value, tpm.written ? 0x11 : 0xff, sizeof(tpm.value));
	next_random = 0;
	if ((data[0] & 3) == 3) {
		require(anchor_sentence(data[0] >> 2));
		return 0;
	}
	ask(what);
	if (data[0] & 16) {
		tpm.value[0] ^= 0x80;
		ask(what);
	}
	return 0;
}
