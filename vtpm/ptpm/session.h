/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An HMAC session for one command to an NV index, neither salted nor bound (part 1, 19.6): its key
 * is the index's authorization. Command and response are authenticated by it, with fresh nonces of
 * both sides.
 */
#ifndef VTPM_PTPM_SESSION_H
#define VTPM_PTPM_SESSION_H

#include "guest/trustlets/rt/sha256.h"
#include "vtpm/ptpm/message.h"

#define SESSION_NONCE_BYTES 32u
#define SESSION_NAME_BYTES  (2u + SHA256_BYTES) /* algorithm, digest of the public area */

struct session {
	struct ptpm *tpm;
	uint32_t index;
	uint8_t name[SESSION_NAME_BYTES]; /* of the index, as it is */
	const uint8_t *auth;		  /* ANCHOR_AUTH_BYTES, of the index */
	uint32_t handle;		  /* 0: it is not open */
	uint8_t ours[SESSION_NONCE_BYTES], theirs[SESSION_NONCE_BYTES];
	struct message message;
};

/* Opens it; `tpm`, `index`, `auth` are set. */
enum anchor_result session_start(struct session *session);

/* Of an index that authorizes itself. */
struct session_command {
	uint32_t code;
	const uint8_t *parameters;
	size_t size;
};

/*
 * ANCHOR_OK: it was carried out, by who knows the authorization, on the index of this name, and
 * its parameters can be got from the message.
 */
enum anchor_result session_run(struct session *session, const struct session_command *command);

/* Whatever there is of it. `code` and `reason` of struct ptpm stay. */
void session_end(struct session *session);

#endif
