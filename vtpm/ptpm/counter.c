/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Counters in the platform's TPM (counter.h).
 */
#include "vtpm/ptpm/counter.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/session.h"

#define CC_DEFINE_SPACE 0x12au
#define CC_INCREMENT	0x134u
#define CC_READ		0x14eu
#define CC_READ_PUBLIC	0x169u
#define RH_OWNER	0x40000001u
#define RS_PASSWORD	0x40000009u
#define ALG_SHA256	0x000bu
#define VALUE_BYTES	8u

/*
 * TPMA_NV, part 2, 13.4. The owner may read it, to see what there is, and not make it count. No
 * lockout: others' wrong guesses must not keep this machine from its state, and nobody guesses 32
 * bytes. Not orderly: what it has counted must outlast a power cut.
 */
#define NV_AUTHWRITE  (1u << 2)
#define NV_COUNTER    (1u << 4) /* its type, bits 7:4 */
#define NV_OWNERREAD  (1u << 17)
#define NV_AUTHREAD   (1u << 18)
#define NV_NO_DA      (1u << 25)
#define NV_WRITTEN    (1u << 29) /* it has counted; the TPM's to set */
#define NV_ATTRIBUTES (NV_AUTHWRITE | NV_COUNTER | NV_OWNERREAD | NV_AUTHREAD | NV_NO_DA)

/* TPMS_NV_PUBLIC: index, algorithm of names, attributes, no policy, size of the data */
#define PUBLIC_BYTES (4u + 2u + 4u + 2u + 2u)

const char *counter_sentence(enum counter_result result)
{
	static const char *const sentences[COUNTER_RESULTS] = {
#define COUNTER_RESULT(name, sentence) [COUNTER_##name] = sentence,
#include "vtpm/ptpm/counter.def"
#undef COUNTER_RESULT
	};

	return result < COUNTER_RESULTS ? sentences[result] : "is unknown";
}

/* ---- What it is ---- */

static void put(uint8_t *to, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void make_public(uint32_t index, bool written, uint8_t public[PUBLIC_BYTES])
{
	put(public, index, 4);
	put(public + 4, ALG_SHA256, 2);
	put(public + 6, NV_ATTRIBUTES | (written ? NV_WRITTEN : 0), 4);
	put(public + 10, 0, 2);
	put(public + 12, VALUE_BYTES, 2);
}

static void name_it(struct session *s, bool written)
{
	uint8_t public[PUBLIC_BYTES];
	struct sha256 hash;

	make_public(s->index, written, public);
	put(s->name, ALG_SHA256, 2);
	sha256_start(&hash);
	sha256_add(&hash, public, sizeof(public));
	sha256_end(&hash, s->name + 2);
}

static bool is_public(const struct session *s, const uint8_t *says, bool written)
{
	uint8_t public[PUBLIC_BYTES];

	make_public(s->index, written, public);
	return memcmp(says, public, sizeof(public)) == 0;
}

/*
 * Nothing authenticates what is said here. It chooses between two names, and commands with the
 * wrong one are refused, by a TPM, or answered without the authorization, by who is none.
 */
static enum counter_result look(struct session *s, bool *written)
{
	struct message *m = &s->message;
	enum counter_result result;
	const uint8_t *public;
	uint32_t size;

	message_begin(m, s->tpm, MESSAGE_NO_SESSIONS, CC_READ_PUBLIC);
	message_put(m, s->index, 4);
	result = message_send(m);
	if (result != COUNTER_OK)
		return result;
	size = message_get(m, 2);
	public = message_get_bytes(m, size);
	if (!public)
		return COUNTER_MALFORMED;
	if (size != PUBLIC_BYTES)
		return COUNTER_FOREIGN;
	*written = is_public(s, public, true);
	if (!*written && !is_public(s, public, false))
		return COUNTER_FOREIGN;
	name_it(s, *written);
	return COUNTER_OK;
}

/* ---- What it does ---- */

static enum counter_result ask_value(struct session *s, bool last, uint64_t *value)
{
	static const uint8_t parameters[] = { 0, VALUE_BYTES, 0, 0 }; /* size, offset */
	struct session_command read = { CC_READ, parameters, sizeof(parameters), last };
	enum counter_result result = session_run(s, &read);
	uint32_t size;

	if (result != COUNTER_OK)
		return result;
	size = message_get(&s->message, 2);
	*value = (uint64_t)message_get(&s->message, 4) << 32;
	*value |= message_get(&s->message, 4);
	if (s->message.bad || size != VALUE_BYTES || s->message.at != s->message.end)
		return COUNTER_MALFORMED;
	return COUNTER_OK;
}

static enum counter_result ask_count(struct session *s, bool last)
{
	struct session_command increment = { .code = CC_INCREMENT, .last = last };
	enum counter_result result = session_run(s, &increment);

	if (result == COUNTER_OK && s->message.at != s->message.end)
		return COUNTER_MALFORMED;
	return result;
}

static enum counter_result count(struct session *s, bool written, uint64_t *value)
{
	enum counter_result result = COUNTER_OK;
	uint64_t before = 0;

	if (written)
		result = ask_value(s, false, &before);
	if (result == COUNTER_OK)
		result = ask_count(s, false);
	if (result != COUNTER_OK)
		return result;
	name_it(s, true);
	result = ask_value(s, true, value);
	if (result == COUNTER_OK && written && *value != before + 1)
		return COUNTER_MISCOUNTED;
	return result;
}

/* An authorized command: there is an answer that nobody could make up. */
static enum counter_result use(struct session *s, bool counts, uint64_t *value)
{
	bool written;
	enum counter_result result = look(s, &written);

	if (result == COUNTER_OK && !written && !counts)
		result = COUNTER_UNWRITTEN;
	if (result == COUNTER_OK)
		result = session_start(s);
	if (result == COUNTER_OK)
		result = counts ? count(s, written, value) : ask_value(s, true, value);
	session_end(s);
	if (result != COUNTER_OK)
		*value = 0;
	return result;
}

enum counter_result counter_read(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value)
{
	struct session session = { .tpm = tpm, .index = index, .auth = auth };

	*value = 0;
	return use(&session, false, value);
}

enum counter_result counter_increment(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value)
{
	struct session session = { .tpm = tpm, .index = index, .auth = auth };

	*value = 0;
	return use(&session, true, value);
}

static enum counter_result define(struct session *s)
{
	struct message *m = &s->message;
	uint8_t public[PUBLIC_BYTES];
	enum counter_result result;

	make_public(s->index, false, public);
	message_begin(m, s->tpm, MESSAGE_SESSIONS, CC_DEFINE_SPACE);
	message_put(m, RH_OWNER, 4);
	message_put(m, 9, 4);
	message_put(m, RS_PASSWORD, 4);
	message_put(m, 0, 2);
	message_put(m, 0, 1);
	message_put(m, 0, 2); /* an empty password */
	message_put_sized(m, s->auth, COUNTER_AUTH_BYTES);
	message_put_sized(m, public, sizeof(public));
	result = message_send(m);
	session_end(s);
	return result == COUNTER_REFUSED ? COUNTER_OWNED : result;
}

enum counter_result counter_define(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES])
{
	struct session session = { .tpm = tpm, .index = index, .auth = auth };
	enum counter_result result = define(&session);
	uint64_t value;

	if (result != COUNTER_OK)
		return result;
	name_it(&session, false);
	result = session_start(&session);
	if (result == COUNTER_OK)
		result = count(&session, false, &value);
	session_end(&session);
	return result;
}
