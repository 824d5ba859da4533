/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The log of what was measured (tcg_log.h).
 */
#include "boot/tcg_log.h"

#include <string.h>

#include "boot/bytes.h"

#define ALG_SHA256   0x000bu
#define SHA1_BYTES   20u
#define HEADER	     (4u + 4u + 4u + 2u + SHA256_BYTES + 4u)
#define FINAL_HEADER 16u /* version, number of events */
#define FINAL_COUNT  8u

/* TCG_EfiSpecIDEvent: profile 2.0 for clients, integers of 64 bits, one algorithm, no vendor. */
static const uint8_t spec_id[] = { 'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't',
	'0', '3', 0, 0, 0, 0, 0, 0, 2, 105, 2, 1, 0, 0, 0, ALG_SHA256, 0, SHA256_BYTES, 0, 0 };

static void put(struct tcg_log *log, const void *bytes, size_t size)
{
	if (size)
		memcpy(log->base + log->used, bytes, size);
	log->used += size;
}

static void put32(struct tcg_log *log, size_t value)
{
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
		(uint8_t)(value >> 24) };

	put(log, bytes, sizeof(bytes));
}

static void put16(struct tcg_log *log, unsigned value)
{
	const uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	put(log, bytes, sizeof(bytes));
}

void tcg_log_start(struct tcg_log *log, uint8_t *memory, size_t room)
{
	static const uint8_t no_digest[SHA1_BYTES];

	*log = (struct tcg_log){ .base = memory, .room = room };
	put32(log, 0);
	put32(log, EV_NO_ACTION);
	put(log, no_digest, sizeof(no_digest));
	put32(log, sizeof(spec_id));
	put(log, spec_id, sizeof(spec_id));
}

void tcg_log_start_final(struct tcg_log *log, uint8_t *memory, size_t room)
{
	*log =
	    (struct tcg_log){ .base = memory, .room = room, .used = FINAL_HEADER, .counts = true };
	put64(memory, 1);
	put64(memory + FINAL_COUNT, 0);
}

bool tcg_log_add(struct tcg_log *log, const struct tcg_event *event)
{
	if (log->truncated || log->room - log->used < HEADER ||
	    log->room - log->used - HEADER < event->data.size) {
		log->truncated = true;
		return false;
	}
	log->last = log->used;
	log->events++;
	put32(log, event->pcr);
	put32(log, event->type);
	put32(log, 1);
	put16(log, ALG_SHA256);
	put(log, event->digest, SHA256_BYTES);
	put32(log, event->data.size);
	put(log, event->data.data, event->data.size);
	if (log->counts)
		put64(log->base + FINAL_COUNT, log->events);
	return true;
}

void tcg_digest(struct tcg_event *event, struct blob of)
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, of.data, of.size);
	sha256_end(&hash, event->digest);
}
