/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What commands of the TPM take, by the time-stamp counter, which counts instructions where this is
 * meant to run. The same source is linked with the vTPM's shim and with OpenSSL (side.h). One
 * program starts the next, as process 1: PROGRAM [NEXT]. The first one leaves the state of a new
 * TPM in a file, which the next one takes, so both have the same seeds.
 *
 * Lines, which tests/bench/vtpm_openssl.py reads:
 *
 *   compare SIDE clock TSC                               at the start and at the end
 *   compare SIDE took NAME FIRST LEAST MOST SUM ROUNDS   one command, in instructions
 *   compare SIDE gave NAME BYTES                         what must be the same on both sides
 *   compare SIDE done
 */
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "tests/bench/vtpm_compare/side.h"
#include "tests/bench/vtpm_compare/text.h"
#include "vtpm/host/files.h"
#include "vtpm/tpm.h"

#define HEADER		  10u
#define NO_SESSIONS	  0x8001u
#define SESSIONS	  0x8002u
#define CC_CREATE_PRIMARY 0x131u
#define CC_STARTUP	  0x144u
#define CC_CREATE	  0x153u
#define CC_QUOTE	  0x158u
#define CC_FLUSH	  0x165u
#define CC_VERIFY	  0x177u
#define CC_RANDOM	  0x17bu
#define CC_HASH		  0x17du
#define CC_PCR_READ	  0x17eu
#define CC_EXTEND	  0x182u
#define OWNER		  0x40000001u
#define NULL_HIERARCHY	  0x40000007u
#define PASSWORD	  0x40000009u
#define ALG_RSA		  0x01u
#define ALG_AES		  0x06u
#define ALG_SHA256	  0x0bu
#define ALG_NULL	  0x10u
#define ALG_RSASSA	  0x14u
#define ALG_ECDSA	  0x18u
#define ALG_ECC		  0x23u
#define ALG_CFB		  0x43u
#define CURVE_P256	  0x03u
#define RSA_BITS	  2048u
#define DIGEST		  32u
#define PCR		  10u
/* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted; sign or decrypt */
#define KEY_SIGNS  0x50472u
#define KEY_STORES 0x30472u

#define ROUNDS	     64u
#define FEW_ROUNDS   8u
#define RSA_KEYS     4u
#define STATE_FOLDER "/state"
#define STATE_FILE   "permanent"

static struct vtpm_bytes response;

/* A kind of key: its algorithm, and the `unique` in its template, by which primary keys differ. */
struct key {
	unsigned algorithm, attributes, unique;
};

static struct {
	uint64_t first, least, most, sum;
	unsigned rounds;
} took;

/* ---- Commands ---- */

static void begin(struct text *to, unsigned tag, unsigned code)
{
	to->length = 0;
	put(to, tag, 2);
	put(to, 0, 4);
	put(to, code, 4);
}

static void put_password(struct text *to)
{
	put(to, 9, 4);
	put(to, PASSWORD, 4);
	put(to, 0, 5); /* nonce, attributes, the password: empty */
}

/* Returns what it took; the response is good. */
static uint64_t send(struct text *command, const char *name)
{
	struct text size = { .length = 0 };
	const uint8_t *code;
	uint64_t start, ticks;

	put(&size, command->length, 4);
	memcpy(command->bytes + 2, size.bytes, 4);
	start = __rdtsc();
	if (vtpm_command(0, (struct vtpm_bytes){ command->bytes, command->length }, &response) !=
	    VTPM_OK)
		fail("%s: no response", name);
	ticks = __rdtsc() - start;
	if (response.length < HEADER)
		fail("%s: a response of %zu bytes", name, response.length);
	code = response.bytes + 6;
	if (memcmp(code, "\0\0\0", 4) != 0)
		fail("%s: response code %x", name, (unsigned)take(&code, 4));
	return ticks;
}

static void send_measured(struct text *command, const char *name)
{
	uint64_t ticks = send(command, name);

	if (took.rounds++ == 0)
		took.first = took.least = ticks;
	took.least = ticks < took.least ? ticks : took.least;
	took.most = ticks > took.most ? ticks : took.most;
	took.sum += ticks;
}

static void say_took(const char *name)
{
	say("compare %s took %s %lu %lu %lu %lu %u", side_name(), name, took.first, took.least,
	    took.most, took.sum, took.rounds);
	memset(&took, 0, sizeof(took));
}

static void measure(struct text *command, const char *name, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		send_measured(command, name);
	say_took(name);
}

/* Bytes that both sides have to agree in. */
static void say_gave(const char *name, const uint8_t *bytes, size_t count)
{
	char hex[2 * DIGEST + 1] = "";
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < count && i < DIGEST; i++) {
		hex[2 * i] = digit[bytes[i] >> 4];
		hex[2 * i + 1] = digit[bytes[i] & 15];
	}
	say("compare %s gave %s %s", side_name(), name, hex);
}

/* ---- Digests and numbers ---- */

static void compare_random(void)
{
	struct text c;

	begin(&c, NO_SESSIONS, CC_RANDOM);
	put(&c, DIGEST, 2);
	measure(&c, "random", ROUNDS);
	if (response.length != HEADER + 2 + DIGEST)
		fail("random: a response of %zu bytes", response.length);
}

static void compare_extend(void)
{
	struct text c;

	begin(&c, SESSIONS, CC_EXTEND);
	put(&c, PCR, 4);
	put_password(&c);
	put(&c, 1, 4);
	put(&c, ALG_SHA256, 2);
	for (unsigned i = 0; i < DIGEST; i++)
		put(&c, i, 1);
	measure(&c, "extend", ROUNDS);
	begin(&c, NO_SESSIONS, CC_PCR_READ);
	put(&c, 1, 4);
	put(&c, ALG_SHA256, 2);
	put(&c, 3, 1);
	put(&c, 0x000400, 3); /* PCR 10 */
	send(&c, "PCR_Read");
	say_gave("extend", response.bytes + response.length - DIGEST, DIGEST);
}

static void put_hash(struct text *c, const uint8_t *bytes, size_t count)
{
	size_t at;

	begin(c, NO_SESSIONS, CC_HASH);
	at = open_size(c);
	put_bytes(c, bytes, count);
	close_size(c, at);
	put(c, ALG_SHA256, 2);
	put(c, NULL_HIERARCHY, 4);
}

static void compare_hash(void)
{
	uint8_t data[1024];
	struct text c;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	put_hash(&c, data, sizeof(data));
	measure(&c, "hash", ROUNDS);
	say_gave("hash", response.bytes + HEADER + 2, DIGEST);
}

/* ---- Keys ---- */

static void put_parameters(struct text *c, const struct key *key)
{
	if (key->attributes == KEY_STORES) {
		put(c, ALG_AES, 2);
		put(c, 128, 2);
		put(c, ALG_CFB, 2);
		put(c, ALG_NULL, 2);
	} else {
		put(c, ALG_NULL, 2);
		put(c, key->algorithm == ALG_RSA ? ALG_RSASSA : ALG_ECDSA, 2);
		put(c, ALG_SHA256, 2);
	}
	if (key->algorithm == ALG_RSA) {
		put(c, RSA_BITS, 2);
		put(c, 0, 4); /* the exponent is 65537 */
		return;
	}
	put(c, CURVE_P256, 2);
	put(c, ALG_NULL, 2);
}

static void put_create(struct text *c, unsigned code, uint32_t parent, const struct key *key)
{
	size_t at;

	begin(c, SESSIONS, code);
	put(c, parent, 4);
	put_password(c);
	at = open_size(c);
	put(c, 0, 4); /* no password, no data */
	close_size(c, at);
	at = open_size(c);
	put(c, key->algorithm, 2);
	put(c, ALG_SHA256, 2);
	put(c, key->attributes, 4);
	put(c, 0, 2); /* no policy */
	put_parameters(c, key);
	put(c, key->unique ? 1 : 0, 2);
	put(c, key->unique, key->unique ? 1 : 0);
	if (key->algorithm == ALG_ECC)
		put(c, 0, 2);
	close_size(c, at);
	put(c, 0, 2); /* no outside information */
	put(c, 0, 4); /* of no PCR */
}

static uint32_t handle_given(void)
{
	const uint8_t *at = response.bytes + HEADER;

	return (uint32_t)take(&at, 4);
}

static void flush(uint32_t handle)
{
	struct text c;

	begin(&c, NO_SESSIONS, CC_FLUSH);
	put(&c, handle, 4);
	send(&c, "FlushContext");
}

/* The name of the object, a digest of its public part, comes before the session's end. */
static const uint8_t *name_given(void)
{
	return response.bytes + response.length - 5 - DIGEST;
}

/* Primary keys, each `rounds` times: the same as the other side makes. */
static void compare_primary(const char *name, unsigned algorithm, unsigned keys, unsigned rounds)
{
	char tagged[32];
	struct text c;

	memset(tagged, 0, sizeof(tagged));
	strcpy(tagged, name);
	for (unsigned i = 0; i < keys * rounds; i++) {
		struct key key = { algorithm, KEY_SIGNS, i / rounds };

		put_create(&c, CC_CREATE_PRIMARY, OWNER, &key);
		send_measured(&c, name);
		if (i % rounds == 0) {
			tagged[strlen(name)] = (char)('a' + key.unique);
			say_gave(tagged, name_given(), DIGEST);
		}
		flush(handle_given());
	}
	say_took(name);
}

static uint32_t make_primary(struct key key)
{
	struct text c;

	put_create(&c, CC_CREATE_PRIMARY, OWNER, &key);
	send(&c, "CreatePrimary");
	return handle_given();
}

static void compare_create(const char *name, unsigned algorithm, unsigned rounds)
{
	uint32_t parent = make_primary((struct key){ ALG_ECC, KEY_STORES, 0 });
	struct text c;

	put_create(&c, CC_CREATE, parent, &(struct key){ algorithm, KEY_SIGNS, 0 });
	measure(&c, name, rounds);
	flush(parent);
}

/* ---- Quotes ---- */

/* The signature of the quote that was given is the key's. */
static void verify(uint32_t key, const char *name)
{
	uint8_t quote[TEXT_MAX];
	const uint8_t *at = quote + HEADER + 4, *signature;
	size_t length = response.length - 5; /* the session's end */
	uint64_t bytes;
	struct text c;

	if (length > sizeof(quote))
		fail("%s: a response of %zu bytes", name, length);
	memcpy(quote, response.bytes, length);
	bytes = take(&at, 2);
	signature = at + bytes;
	put_hash(&c, at, bytes);
	send(&c, "Hash");
	begin(&c, NO_SESSIONS, CC_VERIFY);
	put(&c, key, 4);
	put_bytes(&c, response.bytes + HEADER, 2 + DIGEST);
	put_bytes(&c, signature, (size_t)(quote + length - signature));
	send(&c, name);
}

static void compare_quote(const char *name, unsigned algorithm, unsigned rounds)
{
	uint32_t key = make_primary((struct key){ algorithm, KEY_SIGNS, 0 });
	struct text c;

	begin(&c, SESSIONS, CC_QUOTE);
	put(&c, key, 4);
	put_password(&c);
	put(&c, DIGEST, 2);
	for (unsigned i = 0; i < DIGEST; i++)
		put(&c, i, 1);
	put(&c, ALG_NULL, 2); /* the key's scheme */
	put(&c, 1, 4);
	put(&c, ALG_SHA256, 2);
	put(&c, 3, 1);
	put(&c, 0xff0000, 3); /* PCRs 0 to 7 */
	measure(&c, name, rounds);
	verify(key, name);
	flush(key);
}

/* ---- Start and end ---- */

static void start(struct vtpm_bytes state)
{
	struct text c;

	if (vtpm_start(state, (struct vtpm_bytes){ NULL, 0 }) != VTPM_OK)
		fail("the TPM does not start");
	begin(&c, NO_SESSIONS, CC_STARTUP);
	put(&c, 0, 2);
	send(&c, "Startup");
}

static void start_with_state(void)
{
	struct vtpm_bytes state = file_read(STATE_FOLDER, STATE_FILE);

	if (!state.bytes) {
		start(state);
		(void)vtpm_permanent(&state);
		file_write(STATE_FOLDER, STATE_FILE, state, false);
		vtpm_stop();
		state = file_read(STATE_FOLDER, STATE_FILE);
	}
	start(state);
}

static void compare(void)
{
	compare_random();
	compare_extend();
	compare_hash();
	compare_primary("primary_ecc", ALG_ECC, 1, ROUNDS);
	compare_create("create_ecc", ALG_ECC, ROUNDS);
	compare_quote("quote_ecc", ALG_ECC, ROUNDS);
	compare_quote("quote_rsa", ALG_RSA, FEW_ROUNDS);
	compare_primary("primary_rsa", ALG_RSA, RSA_KEYS, 1);
	compare_create("create_rsa", ALG_RSA, FEW_ROUNDS);
}

int main(int argc, char *argv[])
{
	side_start();
	say("compare %s clock %llu", side_name(), __rdtsc());
	start_with_state();
	compare();
	say("compare %s clock %llu", side_name(), __rdtsc());
	say("compare %s done", side_name());
	if (argc > 1)
		execl(argv[1], argv[1], (char *)NULL);
	return argc > 1;
}
