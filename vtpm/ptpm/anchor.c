/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The anchor in the platform's TPM (anchor.h).
 */
#include "vtpm/ptpm/anchor.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/session.h"

#define CC_UNDEFINE_SPACE 0x122u
#define CC_DEFINE_SPACE	  0x12au
#define CC_WRITE	  0x137u
#define CC_SHUTDOWN	  0x145u
#define CC_READ		  0x14eu
#define CC_READ_PUBLIC	  0x169u
#define SU_CLEAR	  0x0000u
#define RH_OWNER	  0x40000001u
#define RS_PASSWORD	  0x40000009u
#define ALG_SHA256	  0x000bu

/*
 * TPMA_NV, part 2, 13.4; of no special type. The owner may read it, to see what there is, and not
 * write. No lockout: others' wrong guesses must not keep this machine from its state, and nobody
 * guesses 32 bytes. Not orderly: what is written must outlast a power cut.
 */
#define NV_AUTHWRITE  (1u << 2)
#define NV_OWNERREAD  (1u << 17)
#define NV_AUTHREAD   (1u << 18)
#define NV_NO_DA      (1u << 25)
#define NV_WRITTEN    (1u << 29) /* the TPM's to set */
#define NV_ATTRIBUTES (NV_AUTHWRITE | NV_OWNERREAD | NV_AUTHREAD | NV_NO_DA)

/* TPMS_NV_PUBLIC: index, algorithm of names, attributes, no policy, size of the data */
#define PUBLIC_BYTES (4u + 2u + 4u + 2u + 2u)

const char *anchor_sentence(enum anchor_result result)
{
	static const char *const sentences[ANCHOR_RESULTS] = {
#define ANCHOR_RESULT(name, sentence) [ANCHOR_##name] = sentence,
#include "vtpm/ptpm/anchor.def"
#undef ANCHOR_RESULT
	};

	return result < ANCHOR_RESULTS ? sentences[result] : "is unknown";
}

/* ---- What it is ---- */

static void put(uint8_t *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void make_public(bool written, uint8_t public[PUBLIC_BYTES])
{
	put(public, ANCHOR_INDEX, 4);
	put(public + 4, ALG_SHA256, 2);
	put(public + 6, NV_ATTRIBUTES | (written ? NV_WRITTEN : 0), 4);
	put(public + 10, 0, 2);
	put(public + 12, ANCHOR_BYTES, 2);
}

static void name_it(struct session *s, bool written)
{
	uint8_t public[PUBLIC_BYTES];
	struct sha256 hash;

	make_public(written, public);
	put(s->name, ALG_SHA256, 2);
	sha256_start(&hash);
	sha256_add(&hash, public, sizeof(public));
	sha256_end(&hash, s->name + 2);
}

static bool is_public(const uint8_t *says, bool written)
{
	uint8_t public[PUBLIC_BYTES];

	make_public(written, public);
	return memcmp(says, public, sizeof(public)) == 0;
}

/*
 * Nothing authenticates what is said here. It chooses between two names, and commands with the
 * wrong one are refused, by a TPM, or answered without the authorization, by who is none.
 */
static enum anchor_result look(struct session *s, bool *written)
{
	struct message *m = &s->message;
	enum anchor_result result;
	const uint8_t *public;
	uint32_t size;

	message_begin(m, s->tpm, MESSAGE_NO_SESSIONS, CC_READ_PUBLIC);
	message_put(m, ANCHOR_INDEX, 4);
	result = message_send(m);
	if (result != ANCHOR_OK)
		return result;
	size = message_get(m, 2);
	public = message_get_bytes(m, size);
	if (!public)
		return ANCHOR_MALFORMED;
	if (size != PUBLIC_BYTES)
		return ANCHOR_FOREIGN;
	*written = is_public(public, true);
	if (!*written && !is_public(public, false))
		return ANCHOR_FOREIGN;
	name_it(s, *written);
	return ANCHOR_OK;
}

/* ---- Its value ---- */

static enum anchor_result ask_value(struct session *s, uint8_t value[ANCHOR_BYTES])
{
	static const uint8_t parameters[] = { 0, ANCHOR_BYTES, 0, 0 }; /* size, offset */
	struct session_command read = { CC_READ, parameters, sizeof(parameters) };
	enum anchor_result result = session_run(s, &read);
	const uint8_t *bytes;
	uint32_t size;

	if (result != ANCHOR_OK)
		return result;
	size = message_get(&s->message, 2);
	bytes = message_get_bytes(&s->message, ANCHOR_BYTES);
	if (!bytes || size != ANCHOR_BYTES || s->message.at != s->message.end)
		return ANCHOR_MALFORMED;
	memcpy(value, bytes, ANCHOR_BYTES);
	return ANCHOR_OK;
}

static enum anchor_result put_value(struct session *s, const uint8_t value[ANCHOR_BYTES])
{
	uint8_t parameters[2 + ANCHOR_BYTES + 2] = { 0, ANCHOR_BYTES }; /* data, offset */
	struct session_command write = { CC_WRITE, parameters, sizeof(parameters) };
	enum anchor_result result;

	memcpy(parameters + 2, value, ANCHOR_BYTES);
	result = session_run(s, &write);
	if (result == ANCHOR_OK && s->message.at != s->message.end)
		return ANCHOR_MALFORMED;
	return result;
}

/* Behind this there is a session whose answers nobody can make up. */
static enum anchor_result begin(struct session *s, bool *written)
{
	enum anchor_result result = look(s, written);

	return result == ANCHOR_OK ? session_start(s) : result;
}

enum anchor_result anchor_read(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES],
    uint8_t value[ANCHOR_BYTES])
{
	struct session session = { .tpm = tpm, .index = ANCHOR_INDEX, .auth = auth };
	bool written = true;
	enum anchor_result result = begin(&session, &written);

	memset(value, 0, ANCHOR_BYTES);
	if (result == ANCHOR_OK)
		result = ask_value(&session, value);
	session_end(&session);
	return result == ANCHOR_REFUSED && !written ? ANCHOR_STALE : result;
}

enum anchor_result anchor_write(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES],
    const uint8_t value[ANCHOR_BYTES], bool *sent)
{
	struct session session = { .tpm = tpm, .index = ANCHOR_INDEX, .auth = auth };
	bool written;
	enum anchor_result result = begin(&session, &written);

	*sent = result == ANCHOR_OK;
	if (*sent)
		result = put_value(&session, value);
	session_end(&session);
	return result;
}

/* ---- By the owner, with an empty password ---- */

static void authorize(struct message *m)
{
	message_put(m, 9, 4);
	message_put(m, RS_PASSWORD, 4);
	message_put(m, 0, 2);
	message_put(m, 0, 1);
	message_put(m, 0, 2);
}

static enum anchor_result send_as_owner(struct message *m)
{
	enum anchor_result result = message_send(m);

	return result == ANCHOR_REFUSED ? ANCHOR_OWNED : result;
}

static enum anchor_result as_owner(struct session *s)
{
	enum anchor_result result = send_as_owner(&s->message);

	session_end(s);
	return result;
}

enum anchor_result anchor_look(struct ptpm *tpm, uint8_t value[ANCHOR_BYTES])
{
	struct message message, *m = &message;
	enum anchor_result result;
	const uint8_t *bytes;
	uint32_t size;

	memset(value, 0, ANCHOR_BYTES);
	message_begin(m, tpm, MESSAGE_SESSIONS, CC_READ);
	message_put(m, RH_OWNER, 4);
	message_put(m, ANCHOR_INDEX, 4);
	authorize(m);
	message_put(m, ANCHOR_BYTES, 2);
	message_put(m, 0, 2); /* offset */
	result = send_as_owner(m);
	if (result != ANCHOR_OK)
		return result;
	(void)message_get(m, 4); /* size of what follows, and then an authorization of no content */
	size = message_get(m, 2);
	bytes = message_get_bytes(m, ANCHOR_BYTES);
	if (!bytes || size != ANCHOR_BYTES)
		return ANCHOR_MALFORMED;
	memcpy(value, bytes, ANCHOR_BYTES);
	return ANCHOR_OK;
}

enum anchor_result anchor_define(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES])
{
	struct session session = { .tpm = tpm, .index = ANCHOR_INDEX, .auth = auth };
	struct message *m = &session.message;
	uint8_t public[PUBLIC_BYTES];

	make_public(false, public);
	message_begin(m, tpm, MESSAGE_SESSIONS, CC_DEFINE_SPACE);
	message_put(m, RH_OWNER, 4);
	authorize(m);
	message_put_sized(m, auth, ANCHOR_AUTH_BYTES);
	message_put_sized(m, public, sizeof(public));
	return as_owner(&session);
}

enum anchor_result anchor_undefine(struct ptpm *tpm)
{
	struct session session = { .tpm = tpm, .index = ANCHOR_INDEX };
	struct message *m = &session.message;

	message_begin(m, tpm, MESSAGE_SESSIONS, CC_UNDEFINE_SPACE);
	message_put(m, RH_OWNER, 4);
	message_put(m, ANCHOR_INDEX, 4);
	authorize(m);
	return as_owner(&session);
}

enum anchor_result anchor_shutdown(struct ptpm *tpm)
{
	struct message message;

	message_begin(&message, tpm, MESSAGE_NO_SESSIONS, CC_SHUTDOWN);
	message_put(&message, SU_CLEAR, 2);
	return message_send(&message);
}
