/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A command of the platform's TPM and its response: bytes put together, and taken apart within
 * bounds. Numbers are big-endian. TPM 2.0 Library 1.59, part 1, 18.
 */
#ifndef VTPM_PTPM_MESSAGE_H
#define VTPM_PTPM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtpm/ptpm/anchor.h"

#define MESSAGE_BYTES 256u /* more than any command of ours, and any response to one */

#define MESSAGE_NO_SESSIONS 0x8001u
#define MESSAGE_SESSIONS    0x8002u

struct message {
	struct ptpm *tpm;
	uint32_t tag;
	uint8_t command[MESSAGE_BYTES];
	size_t size;
	uint8_t response[MESSAGE_BYTES];
	size_t at, end; /* what is left of the response */
	bool bad;	/* more was asked of the response than there is */
};

void message_begin(struct message *message, struct ptpm *tpm, uint32_t tag, uint32_t code);

/* What does not fit ends the partition: our commands are as long as they are. */
void message_put(struct message *message, uint32_t value, unsigned bytes);
void message_put_bytes(struct message *message, const void *bytes, size_t size);

/* With their size, of 16 bits, in front. */
void message_put_sized(struct message *message, const void *bytes, size_t size);

/*
 * Sends it, again for a while if the TPM says so. ANCHOR_OK: the response says that it was carried
 * out, has the command's tag, and what is behind its header can be got.
 */
enum anchor_result message_send(struct message *message);

/* At most 4 bytes. 0 and `bad`: there are not as many. */
uint32_t message_get(struct message *message, unsigned bytes);

/* The next bytes; NULL and `bad`: there are not as many. */
const uint8_t *message_get_bytes(struct message *message, size_t size);

#endif
