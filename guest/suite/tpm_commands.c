/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Valid commands, in an order in which each finds what it needs, and how they are sent. TPM 2.0
 * Library, part 3.
 */
#include "guest/lib/call.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/suite/suite.h"
#include "guest/suite/tpm.h"

#define FILL	    0x3cu
#define PCR_DIGEST  30u /* in the response of PCR_Read */
#define PARTITIONS  8u
#define RANDOM_DATA 12u

/* An authorization area: the empty password. */
#define PASSWORD  "\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00"
#define OWNER	  "\x40\x00\x00\x01"
#define NOBODY	  "\x40\x00\x00\x07"
#define PCR_16	  "\x00\x00\x00\x10"
#define SELECT_16 "\x00\x00\x00\x01\x00\x0b\x03\x00\x00\x01"
#define OBJECT	  "\x80\x00\x00\x00"
#define SESSION	  "\x03\x00\x00\x00"
#define INDEX	  "\x01\x80\x00\x01"
#define EIGHT_A5  "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5"
#define DIGEST_A5 EIGHT_A5 EIGHT_A5 EIGHT_A5 EIGHT_A5

/* A key that signs on P-256; one that stores, RSA-2048. */
#define ECC_KEY                                                                                    \
	"\x00\x18\x00\x23\x00\x0b\x00\x04\x00\x72\x00\x00\x00\x10\x00\x18\x00\x0b\x00\x03\x00"     \
	"\x10\x00\x00\x00\x00"
#define RSA_KEY                                                                                    \
	"\x00\x1a\x00\x01\x00\x0b\x00\x03\x00\x72\x00\x00\x00\x06\x00\x80\x00\x43\x00\x10\x08"     \
	"\x00\x00\x00\x00\x00\x00\x00"
#define PRIMARY(key) OWNER PASSWORD "\x00\x04\x00\x00\x00\x00" key "\x00\x00\x00\x00\x00\x00"

#define BODY(text) (text), sizeof(text) - 1

const struct tpm_command tpm_commands[] = {
	{ "Startup", TAG_PLAIN, CC_STARTUP, BODY("\x00\x00") },
	{ "SelfTest", TAG_PLAIN, 0x143, BODY("\x00") },
	{ "GetTestResult", TAG_PLAIN, 0x17c, BODY("") },
	{ "GetRandom", TAG_PLAIN, CC_GET_RANDOM, BODY("\x00\x08") },
	{ "GetCapability", TAG_PLAIN, 0x17a,
	    BODY("\x00\x00\x00\x06\x00\x00\x01\x00\x00\x00\x00\x08") },
	{ "PCR_Read", TAG_PLAIN, CC_PCR_READ, BODY(SELECT_16) },
	{ "PCR_Extend", TAG_SESSIONS, CC_PCR_EXTEND,
	    BODY(PCR_16 PASSWORD "\x00\x00\x00\x01\x00\x0b" DIGEST_A5) },
	{ "PCR_Reset", TAG_SESSIONS, CC_PCR_RESET, BODY(PCR_16 PASSWORD) },
	{ "Hash", TAG_PLAIN, 0x17d, BODY("\x00\x10" EIGHT_A5 EIGHT_A5 "\x00\x0b" NOBODY) },
	{ "StartAuthSession", TAG_PLAIN, 0x176,
	    BODY(NOBODY NOBODY "\x00\x10" EIGHT_A5 EIGHT_A5 "\x00\x00\x01\x00\x10\x00\x0b") },
	{ "PolicyPCR", TAG_PLAIN, 0x17f, BODY(SESSION "\x00\x00" SELECT_16) },
	{ "PolicyGetDigest", TAG_PLAIN, 0x189, BODY(SESSION) },
	{ "FlushContext of a session", TAG_PLAIN, CC_FLUSH, BODY(SESSION) },
	{ "CreatePrimary ECC", TAG_SESSIONS, CC_CREATE_PRIMARY, BODY(PRIMARY(ECC_KEY)) },
	{ "ReadPublic", TAG_PLAIN, 0x173, BODY(OBJECT) },
	{ "Quote", TAG_SESSIONS, 0x158,
	    BODY(OBJECT PASSWORD "\x00\x04\x01\x02\x03\x04\x00\x10" SELECT_16) },
	{ "ContextSave", TAG_PLAIN, 0x162, BODY(OBJECT) },
	{ "FlushContext", TAG_PLAIN, CC_FLUSH, BODY(OBJECT) },
	{ "NV_DefineSpace", TAG_SESSIONS, 0x12a,
	    BODY(OWNER PASSWORD "\x00\x00\x00\x0e" INDEX
				"\x00\x0b\x02\x06\x00\x06\x00\x00\x00\x20") },
	{ "NV_Write", TAG_SESSIONS, 0x137,
	    BODY(INDEX INDEX PASSWORD "\x00\x08" EIGHT_A5 "\x00\x00") },
	{ "NV_Read", TAG_SESSIONS, 0x14e, BODY(INDEX INDEX PASSWORD "\x00\x08\x00\x00") },
	{ "NV_ReadPublic", TAG_PLAIN, 0x169, BODY(INDEX) },
	{ "NV_UndefineSpace", TAG_SESSIONS, 0x122, BODY(OWNER INDEX PASSWORD) },
	{ "ReadClock", TAG_PLAIN, 0x181, BODY("") },
	{ "StirRandom", TAG_PLAIN, 0x146, BODY("\x00\x08" EIGHT_A5) },
	{ "TestParms", TAG_PLAIN, 0x18a, BODY("\x00\x08\x00\x10") },
	{ "DictionaryAttackLockReset", TAG_SESSIONS, 0x139, BODY("\x40\x00\x00\x0a" PASSWORD) },
	{ "HashSequenceStart", TAG_PLAIN, 0x186, BODY("\x00\x00\x00\x0b") },
	{ "FlushContext of a sequence", TAG_PLAIN, CC_FLUSH, BODY(OBJECT) },
	/* Last, as it takes longest. */
	{ "CreatePrimary RSA", TAG_SESSIONS, CC_CREATE_PRIMARY, BODY(PRIMARY(RSA_KEY)) },
};

const unsigned tpm_command_count = sizeof(tpm_commands) / sizeof(tpm_commands[0]);

/* SHA-256 of 32 zero bytes and the digest: part 1, 17.2. By another implementation of it. */
const uint8_t tpm_extended_a5[32] = { 0x7f, 0x69, 0xdb, 0x97, 0x63, 0xef, 0x5d, 0x48, 0x4e, 0x9a,
	0xc3, 0x7b, 0x19, 0x91, 0x12, 0x81, 0xea, 0x59, 0x49, 0x1f, 0x10, 0x3a, 0x70, 0xbb, 0x4c,
	0xc8, 0x53, 0x7d, 0x78, 0xb5, 0x82, 0x46 };
const uint8_t tpm_extended_a5_5a[32] = { 0x40, 0x96, 0xc6, 0x79, 0x92, 0xc1, 0xe4, 0xb8, 0xa9, 0x20,
	0x93, 0x2f, 0x64, 0x89, 0x51, 0x58, 0x4b, 0xcc, 0x3a, 0xf3, 0x2a, 0x87, 0x7c, 0xf0, 0x24,
	0x4e, 0xa5, 0xe6, 0xb5, 0x15, 0xb1, 0x52 };

const struct tpm_command *tpm_find(const char *name)
{
	for (unsigned i = 0; i < tpm_command_count; i++)
		if (text_equal(tpm_commands[i].name, name))
			return &tpm_commands[i];
	bail("no command %s", name);
}

static void put_number(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

uint32_t tpm_compose(const struct tpm_command *command, uint8_t *bytes)
{
	put_number(bytes, command->tag, 2);
	put_number(bytes + 2, HEADER + command->bytes, 4);
	put_number(bytes + 6, command->code, 4);
	memcpy(bytes + HEADER, command->body, command->bytes);
	return HEADER + command->bytes;
}

/* ---- The buffer ---- */

static uint8_t put[PAGE]; /* what it holds by the guest's doing */

uint32_t tpm_number(unsigned at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | tpm_buffer()[at + i];
	return value;
}

void tpm_put(const uint8_t *bytes, uint32_t length)
{
	memset(put, FILL, sizeof(put));
	memcpy(put, bytes, length);
	for (unsigned i = 0; i < PAGE; i++)
		tpm_buffer()[i] = put[i];
}

static bool kept_from(uint32_t at)
{
	while (at < PAGE && tpm_buffer()[at] == put[at])
		at++;
	return at >= PAGE;
}

struct tpm_answer tpm_look(void)
{
	struct tpm_answer a = { tpm_number(0, 2), tpm_number(2, 4), tpm_number(6, 4), false };
	bool good = a.code == 0 && (a.tag == TAG_PLAIN || a.tag == TAG_SESSIONS);
	bool refused = a.code != 0 && a.size == HEADER &&
	    (a.tag == TAG_PLAIN || (a.tag == TAG_REFUSED && a.code == RC_BAD_TAG));

	a.whole = (good || refused) && a.size >= HEADER && a.size <= PAGE && kept_from(a.size);
	return a;
}

struct tpm_answer tpm_send(const uint8_t *bytes, uint32_t length)
{
	if (tpm_get(0, CTRL_STS) != 0)
		tpm_take();
	tpm_set(0, CTRL_REQ, REQ_READY);
	tpm_put(bytes, length);
	tpm_set(0, CTRL_START, 1);
	tpm_say_kept();
	return tpm_look();
}

struct tpm_answer tpm_do(const struct tpm_command *command)
{
	uint8_t bytes[256];

	return tpm_send(bytes, tpm_compose(command, bytes));
}

struct tpm_answer tpm_do_named(const char *name)
{
	return tpm_do(tpm_find(name));
}

void tpm_take(void)
{
	for (unsigned i = 0; i < LOCALITIES; i++)
		tpm_set(i, LOC_CTRL, LOC_RELINQUISH);
	tpm_set(0, LOC_CTRL, LOC_REQUEST);
	tpm_set(0, CTRL_CANCEL, 0);
	tpm_set(0, CTRL_REQ, REQ_READY);
}

static bool random_words(uint32_t words[2])
{
	struct tpm_answer a = tpm_do_named("GetRandom");

	words[0] = tpm_number(RANDOM_DATA, 4);
	words[1] = tpm_number(RANDOM_DATA + 4, 4);
	return a.whole && a.code == 0 && a.size == RANDOM_DATA + 8;
}

bool tpm_alive(void)
{
	uint32_t first[2], second[2];

	tpm_take();
	return random_words(first) && random_words(second) &&
	    (first[0] != second[0] || first[1] != second[1]);
}

void tpm_pcr_reset(void)
{
	if (tpm_do_named("PCR_Reset").code != 0)
		bail("PCR 16 cannot be reset");
}

bool tpm_pcr_is(const uint8_t digest[32])
{
	struct tpm_answer a = tpm_do_named("PCR_Read");
	unsigned same = 0;

	while (same < DIGEST_BYTES && tpm_buffer()[PCR_DIGEST + same] == digest[same])
		same++;
	return a.whole && a.code == 0 && a.size == PCR_DIGEST + DIGEST_BYTES &&
	    same == DIGEST_BYTES;
}

uint64_t tpm_partition(void)
{
	for (uint64_t id = 1; id <= PARTITIONS; id++) {
		struct redoubt_partition_info r = { 0 };

		if (redoubt_partition_info(id, REDOUBT_INFO_ID, &r) == REDOUBT_OK &&
		    text_equal((const char *)&r, TPM_ID))
			return id;
	}
	bail("no partition is a TPM");
}
