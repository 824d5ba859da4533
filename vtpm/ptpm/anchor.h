/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The anchor: an NV index of 32 bytes in the platform's TPM, the owner's, that only this machine's
 * partition writes. TPM 2.0 Library 1.59, part 3, 31.
 *
 * Who knows its authorization, 32 bytes, reads and writes it. Both are commands of an HMAC session
 * (part 1, 19.6), and the value that is returned came in an answer that was authenticated by those
 * bytes, for this question, from the index with this name and these attributes. So neither another
 * TPM nor a party on the bus can make up a value, or repeat an older one. They can withhold it:
 * results other than ANCHOR_OK prove nothing, ANCHOR_ABSENT, ANCHOR_UNWRITTEN and ANCHOR_STALE
 * least of all, and who needs the value must do without what depends on it, not without the value.
 *
 * anchor_define() sends the authorization in the clear: a party on the bus at that time knows it.
 *
 * The owner can delete the index, and define one of that handle with another authorization
 * (ANCHOR_REFUSED).
 */
#ifndef VTPM_PTPM_ANCHOR_H
#define VTPM_PTPM_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "vtpm/ptpm/ptpm.h"

/*
 * Among those that the TCG leaves to owners (Registry of Reserved TPM 2.0 Handles, 2.2: 01800000 to
 * 01bfffff); the digits are no one's, "RD" in ASCII.
 */
#define ANCHOR_INDEX 0x01805244u

#define ANCHOR_AUTH_BYTES 32u
#define ANCHOR_BYTES	  32u

enum anchor_result {
#define ANCHOR_RESULT(name, sentence) ANCHOR_##name,
#include "vtpm/ptpm/anchor.def"
#undef ANCHOR_RESULT
	ANCHOR_RESULTS,
};

/*
 * A clause for the log, "the anchor" goes before. Of ANCHOR_ERROR `code` of struct ptpm tells more,
 * of ANCHOR_NO_ANSWER `reason`.
 */
const char *anchor_sentence(enum anchor_result result);

/* Defines it, with an empty password of the owner. PRESENT, OWNED, NO_ROOM: nothing was changed. */
enum anchor_result anchor_define(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES]);

/* Deletes it, likewise, whoever defined it. Never PRESENT, NO_ROOM. */
enum anchor_result anchor_undefine(struct ptpm *tpm);

/* TPM2_Shutdown(CLEAR): the machine goes off, or starts anew. Any other command takes it back. */
enum anchor_result anchor_shutdown(struct ptpm *tpm);

/* The value is zero unless it is OK. Never PRESENT, OWNED, NO_ROOM. */
enum anchor_result anchor_read(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES],
    uint8_t value[ANCHOR_BYTES]);

/*
 * What it has, whoever defined it: by the owner, with an empty password. Nothing authenticates
 * that. The value is zero unless it is OK. Never PRESENT, NO_ROOM, STALE.
 */
enum anchor_result anchor_look(struct ptpm *tpm, uint8_t value[ANCHOR_BYTES]);

/*
 * OK: it has the value, also over a power cut. Otherwise it has this one or what it had, or gets
 * this one later: who kept the command from the TPM can bring it until the TPM restarts, behind
 * another write too. `sent` is false as long as there is no such command. Never PRESENT, OWNED,
 * NO_ROOM, UNWRITTEN, STALE.
 */
enum anchor_result anchor_write(struct ptpm *tpm, const uint8_t auth[ANCHOR_AUTH_BYTES],
    const uint8_t value[ANCHOR_BYTES], bool *sent);

#endif
