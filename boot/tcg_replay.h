/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's log of what it has measured, read and replayed: crypto agile (TCG PC Client Platform
 * Firmware Profile 1.05, 10.2), any algorithms, SHA-256 among them. What is there is firmware's
 * word, and no more: every length is bounded. No call to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_TCG_REPLAY_H
#define BOOT_TCG_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/tcg_log.h"

#define REPLAY_PCRS	  16u /* that nothing resets; a log of others is malformed */
#define REPLAY_ALGORITHMS 8u

struct tcg_reader {
	struct blob rest; /* what was not read yet, from an event's first byte on */
	unsigned algorithms;
	struct {
		uint16_t id, size;
	} algorithm[REPLAY_ALGORITHMS];
};

/*
 * Begins to read a log: its first event, which says what the log's form is. false: malformed, or
 * without SHA-256.
 */
bool tcg_read_start(struct tcg_reader *reader, struct blob log);

/*
 * Cuts the next event off, with its digest of SHA-256; that of an EV_NO_ACTION, which no register
 * knows of, is zero. Its data stay where they are. false: malformed, or there is none.
 */
bool tcg_read(struct tcg_reader *reader, struct tcg_event *event);

/*
 * How many bytes a log has whose last event begins at `last` (0: it has but the first), in memory
 * of at most `memory.size`. 0: malformed, which includes that no event begins there.
 */
size_t tcg_log_bytes(struct blob memory, size_t last);

/* How many bytes `count` events of that log's form have. false: malformed. */
bool tcg_events_bytes(const struct tcg_reader *form, struct blob memory, uint64_t count,
    size_t *bytes);

/*
 * How many bytes of `more`, events logged since somebody looked at the log, are at the end of
 * `log`, too: as many as can be. Both are well formed.
 */
size_t tcg_log_overlap(struct blob log, struct blob more);

/* Whether an event tells the locality that the TPM was started from: PCR 0 begins with it. */
bool tcg_tells_locality(const struct tcg_event *event, uint8_t *locality);

/* What the log says of the registers. false: malformed. */
bool tcg_replay(struct blob log, uint8_t pcr[REPLAY_PCRS][SHA256_BYTES]);

#endif
