/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The HMAC session (session.h).
 */
#include "vtpm/ptpm/session.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"

#define CC_FLUSH_CONTEXT  0x165u
#define CC_START_SESSION  0x176u
#define RH_NULL		  0x40000007u
#define ALG_NULL	  0x0010u
#define ALG_SHA256	  0x000bu
#define TYPE_HMAC	  0u
#define HANDLE_TYPE(h)	  ((h) >> 24)
#define HANDLE_HMAC	  2u
#define HANDLE_POLICY	  3u
#define SESSIONS_MAX	  8u /* that a TPM has loaded at once, and more */
#define RC_SESSION_MEMORY 0x903u
#define ATTRIBUTES	  0u /* the TPM ends the session with its one command */

/* handle, nonce, attributes, HMAC */
#define AUTH_AREA_BYTES (4u + 2u + SESSION_NONCE_BYTES + 1u + 2u + SHA256_BYTES)

/* Nobody but this partition has any: those whose end was lost on the way. */
static void flush(struct session *s, uint32_t handle)
{
	message_begin(&s->message, s->tpm, MESSAGE_NO_SESSIONS, CC_FLUSH_CONTEXT);
	message_put(&s->message, handle, 4);
	(void)message_send(&s->message);
}

static void flush_all(struct session *s)
{
	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		flush(s, HANDLE_HMAC << 24 | i);
		flush(s, HANDLE_POLICY << 24 | i);
	}
}

static enum anchor_result open_one(struct session *s)
{
	struct message *m = &s->message;
	enum anchor_result result;
	const uint8_t *nonce;
	uint32_t handle, size;

	trustlet_random(s->ours, sizeof(s->ours));
	message_begin(m, s->tpm, MESSAGE_NO_SESSIONS, CC_START_SESSION);
	message_put(m, RH_NULL, 4);
	message_put(m, RH_NULL, 4);
	message_put_sized(m, s->ours, sizeof(s->ours));
	message_put(m, 0, 2); /* no salt */
	message_put(m, TYPE_HMAC, 1);
	message_put(m, ALG_NULL, 2);
	message_put(m, ALG_SHA256, 2);
	result = message_send(m);
	if (result != ANCHOR_OK)
		return result;
	handle = message_get(m, 4);
	size = message_get(m, 2);
	nonce = message_get_bytes(m, SESSION_NONCE_BYTES);
	if (!nonce || size != SESSION_NONCE_BYTES || m->at != m->end ||
	    HANDLE_TYPE(handle) != HANDLE_HMAC)
		return ANCHOR_MALFORMED;
	memcpy(s->theirs, nonce, sizeof(s->theirs));
	s->handle = handle;
	return ANCHOR_OK;
}

enum anchor_result session_start(struct session *s)
{
	enum anchor_result result = open_one(s);

	if (result != ANCHOR_ERROR || s->tpm->code != RC_SESSION_MEMORY)
		return result;
	flush_all(s);
	return open_one(s);
}

/* ---- HMACs ---- */

static void add_number(struct sha256 *hash, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };

	sha256_add(hash, bytes, sizeof(bytes));
}

/* Both handles of the command are the index. */
static void command_digest(const struct session *s, const struct session_command *c,
    uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	add_number(&hash, c->code);
	sha256_add(&hash, s->name, sizeof(s->name));
	sha256_add(&hash, s->name, sizeof(s->name));
	sha256_add(&hash, c->parameters, c->size);
	sha256_end(&hash, digest);
}

static void response_digest(uint32_t code, const uint8_t *parameters, size_t size,
    uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	add_number(&hash, 0); /* success */
	add_number(&hash, code);
	sha256_add(&hash, parameters, size);
	sha256_end(&hash, digest);
}

/* The nonce of who makes it comes first. */
static void authenticate(const struct session *s, bool is_ours, uint8_t digest[SHA256_BYTES])
{
	const uint8_t attributes = ATTRIBUTES;
	struct hmac mac;

	hmac_start(&mac, s->auth, ANCHOR_AUTH_BYTES);
	hmac_add(&mac, digest, SHA256_BYTES);
	hmac_add(&mac, is_ours ? s->ours : s->theirs, SESSION_NONCE_BYTES);
	hmac_add(&mac, is_ours ? s->theirs : s->ours, SESSION_NONCE_BYTES);
	hmac_add(&mac, &attributes, sizeof(attributes));
	hmac_end(&mac, digest);
}

/* ---- Commands ---- */

static void put_command(struct session *s, const struct session_command *c)
{
	struct message *m = &s->message;
	uint8_t mac[SHA256_BYTES];

	trustlet_random(s->ours, sizeof(s->ours));
	command_digest(s, c, mac);
	authenticate(s, true, mac);
	message_begin(m, s->tpm, MESSAGE_SESSIONS, c->code);
	message_put(m, s->index, 4);
	message_put(m, s->index, 4);
	message_put(m, AUTH_AREA_BYTES, 4);
	message_put(m, s->handle, 4);
	message_put_sized(m, s->ours, sizeof(s->ours));
	message_put(m, ATTRIBUTES, 1);
	message_put_sized(m, mac, sizeof(mac));
	message_put_bytes(m, c->parameters, c->size);
}

/* Behind the parameters: nonce, attributes and HMAC, and nothing else. */
static enum anchor_result check(struct session *s, const struct session_command *c,
    const uint8_t *parameters, size_t size)
{
	struct message *m = &s->message;
	uint8_t right[SHA256_BYTES];
	uint32_t nonce_size = message_get(m, 2);
	const uint8_t *nonce = message_get_bytes(m, SESSION_NONCE_BYTES);
	uint32_t says = message_get(m, 1), mac_size = message_get(m, 2);
	const uint8_t *mac = message_get_bytes(m, SHA256_BYTES);

	if (!nonce || !mac || nonce_size != SESSION_NONCE_BYTES || mac_size != SHA256_BYTES ||
	    m->at != m->end)
		return ANCHOR_MALFORMED;
	memcpy(s->theirs, nonce, sizeof(s->theirs));
	response_digest(c->code, parameters, size, right);
	authenticate(s, false, right);
	if (says != ATTRIBUTES || !trustlet_equal(mac, right, sizeof(right)))
		return ANCHOR_FORGED;
	return ANCHOR_OK;
}

enum anchor_result session_run(struct session *s, const struct session_command *c)
{
	struct message *m = &s->message;
	enum anchor_result result;
	const uint8_t *parameters;
	size_t size, from;

	put_command(s, c);
	result = message_send(m);
	if (result != ANCHOR_OK)
		return result;
	size = message_get(m, 4);
	from = m->at;
	parameters = message_get_bytes(m, size);
	if (!parameters)
		return ANCHOR_MALFORMED;
	result = check(s, c, parameters, size);
	if (result != ANCHOR_OK)
		return result;
	s->handle = 0;
	m->at = from;
	m->end = from + size;
	return ANCHOR_OK;
}

void session_end(struct session *s)
{
	struct ptpm *tpm = s->tpm;
	const char *reason = tpm->reason;
	uint32_t code = tpm->code;

	if (s->handle != 0) {
		flush(s, s->handle);
		s->handle = 0;
		tpm->reason = reason;
		tpm->code = code;
	}
	trustlet_scrub(&s->message, sizeof(s->message));
}
