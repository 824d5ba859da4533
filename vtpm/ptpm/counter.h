/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Counters in the platform's TPM: NV indices of the owner's that only ever count up, by one. TPM
 * 2.0 Library 1.59, part 3, 31.
 *
 * Who knows a counter's authorization, 32 random bytes, reads it and makes it count. Both are
 * commands of an HMAC session (part 1, 19.6), and the value that is returned came in an answer that
 * was authenticated by those bytes, for this question, from the index with this name and these
 * attributes. So neither another TPM nor a party on the bus can make up a value, or repeat an older
 * one. They can withhold it: results other than COUNTER_OK prove nothing, COUNTER_ABSENT
 * least of all, and who needs the value must do without what depends on it, not without the value.
 *
 * counter_define() sends the authorization in the clear: a party on the bus at that time knows it.
 *
 * The owner can delete a counter, and define one of that index with another authorization
 * (COUNTER_REFUSED). A TPM lets no counter begin below what any that was deleted had reached.
 */
#ifndef VTPM_PTPM_COUNTER_H
#define VTPM_PTPM_COUNTER_H

#include <stdint.h>

#include "vtpm/ptpm/ptpm.h"

/*
 * Among those that the TCG leaves to owners (Registry of Reserved TPM 2.0 Handles, 2.2: 01800000 to
 * 01bfffff); the digits are no one's, "RD" in ASCII.
 */
#define COUNTER_FIRST  0x01805244u
#define COUNTER_SECOND 0x01805245u

#define COUNTER_AUTH_BYTES 32u

enum counter_result {
#define COUNTER_RESULT(name, sentence) COUNTER_##name,
#include "vtpm/ptpm/counter.def"
#undef COUNTER_RESULT
	COUNTER_RESULTS,
};

/*
 * A clause for the log, "the counter" goes before. Of COUNTER_ERROR `code` of struct ptpm tells
 * more, of COUNTER_NO_ANSWER `reason`.
 */
const char *counter_sentence(enum counter_result result);

/*
 * Defines it, with an empty password of the owner, and has it count for the first time. Should that
 * alone fail the counter is there: COUNTER_PRESENT the next time, and COUNTER_UNWRITTEN from
 * counter_read(), which counter_increment() mends. PRESENT, OWNED, NO_ROOM: nothing was changed.
 */
enum counter_result counter_define(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES]);

/* `*value` is 0 unless it is OK. Never PRESENT, OWNED, NO_ROOM, MISCOUNTED. */
enum counter_result counter_read(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value);

/*
 * `*value` is what it reads afterwards; 0 unless it is OK, and then it may have counted or not.
 * MISCOUNTED: it was made to count by somebody else too who knows the authorization. Never PRESENT,
 * OWNED, NO_ROOM, UNWRITTEN.
 */
enum counter_result counter_increment(struct ptpm *tpm, uint32_t index,
    const uint8_t auth[COUNTER_AUTH_BYTES], uint64_t *value);

#endif
