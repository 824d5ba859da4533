/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands and responses (message.h). Numbers are those of part 2.
 */
#include "vtpm/ptpm/message.h"

#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/ptpm/wait.h"

#define SIZE_AT	   2u
#define SIZE_BYTES 4u

/* 5 s in all: a self test takes some, and the limit on writes of NV memory too. */
#define TRIES	 100u
#define PAUSE_MS 50u

/* 6.6.3. With bit 7 a code has six bits, and what else there is says what it is about. */
#define RC_FORMAT_1	    0x080u
#define RC_CODE_1	    0x0bfu
#define RC_HANDLE	    0x08bu
#define RC_AUTH_FAIL	    0x08eu
#define RC_BAD_AUTH	    0x0a2u
#define RC_NV_UNINITIALIZED 0x14au
#define RC_NV_SPACE	    0x14bu
#define RC_NV_DEFINED	    0x14cu
#define RC_YIELDED	    0x908u
#define RC_TESTING	    0x90au
#define RC_NV_RATE	    0x920u
#define RC_LOCKOUT	    0x921u
#define RC_RETRY	    0x922u

void message_put_bytes(struct message *m, const void *bytes, size_t size)
{
	if (size > sizeof(m->command) - m->size)
		trustlet_panic("ptpm: a command that is too long");
	if (size)
		memcpy(m->command + m->size, bytes, size);
	m->size += size;
}

void message_put(struct message *m, uint32_t value, unsigned bytes)
{
	uint8_t out[sizeof(value)];

	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	message_put_bytes(m, out, bytes);
}

void message_put_sized(struct message *m, const void *bytes, size_t size)
{
	message_put(m, (uint32_t)size, 2);
	message_put_bytes(m, bytes, size);
}

void message_begin(struct message *m, struct ptpm *tpm, uint32_t tag, uint32_t code)
{
	m->tpm = tpm;
	m->tag = tag;
	m->size = m->at = m->end = 0;
	m->bad = false;
	message_put(m, tag, 2);
	message_put(m, 0, SIZE_BYTES);
	message_put(m, code, 4);
}

const uint8_t *message_get_bytes(struct message *m, size_t size)
{
	const uint8_t *bytes = m->response + m->at;

	if (m->bad || size > m->end - m->at) {
		m->bad = true;
		return NULL;
	}
	m->at += size;
	return bytes;
}

uint32_t message_get(struct message *m, unsigned bytes)
{
	const uint8_t *from = message_get_bytes(m, bytes);
	uint32_t value = 0;

	for (unsigned i = 0; from && i < bytes; i++)
		value = value << 8 | from[i];
	return value;
}

static enum anchor_result meaning(uint32_t code)
{
	switch (code & RC_FORMAT_1 ? code & RC_CODE_1 : code) {
	case 0:
		return ANCHOR_OK;
	case RC_HANDLE:
		return ANCHOR_ABSENT;
	case RC_AUTH_FAIL:
	case RC_BAD_AUTH:
		return ANCHOR_REFUSED;
	case RC_NV_UNINITIALIZED:
		return ANCHOR_UNWRITTEN;
	case RC_NV_SPACE:
		return ANCHOR_NO_ROOM;
	case RC_NV_DEFINED:
		return ANCHOR_PRESENT;
	case RC_LOCKOUT:
		return ANCHOR_LOCKED;
	case RC_YIELDED:
	case RC_TESTING:
	case RC_NV_RATE:
	case RC_RETRY:
		return ANCHOR_BUSY;
	default:
		return ANCHOR_ERROR;
	}
}

/* An error has no more than a header, and the tag of one without sessions. */
static enum anchor_result judge(struct message *m, size_t length)
{
	uint32_t tag, size, code;

	m->at = 0;
	m->end = length;
	m->bad = false;
	tag = message_get(m, 2);
	size = message_get(m, SIZE_BYTES);
	code = message_get(m, 4);
	if (m->bad || size != length || tag != (code ? MESSAGE_NO_SESSIONS : m->tag))
		return ANCHOR_MALFORMED;
	m->tpm->code = code;
	return meaning(code);
}

enum anchor_result message_send(struct message *m)
{
	enum anchor_result result = ANCHOR_BUSY;

	for (unsigned i = 0; i < SIZE_BYTES; i++)
		m->command[SIZE_AT + i] = (uint8_t)(m->size >> 8 * (SIZE_BYTES - 1 - i));
	for (unsigned i = 0; i < TRIES && result == ANCHOR_BUSY; i++) {
		size_t length;

		if (i > 0)
			ptpm_pause(PAUSE_MS);
		length = ptpm_command(m->tpm, m->command, m->size, m->response,
		    sizeof(m->response));
		if (length == 0 || length > sizeof(m->response))
			return ANCHOR_NO_ANSWER;
		result = judge(m, length);
	}
	return result;
}
