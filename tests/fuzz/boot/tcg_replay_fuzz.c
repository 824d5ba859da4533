/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the reader of firmware's log. The input: 16 bits that say where the log's last event
 * begins, 16 bits with the length of the log's memory, that, and then the memory of final events,
 * a byte with their number in front. Each lies in memory of its own size.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/tcg_replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRONT 5u

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct blob copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (size)
		memcpy(copy, data, size);
	return (struct blob){ copy, size };
}

/* What is read again as a log of our own has the same events. */
static void write_again(struct blob log)
{
	const size_t room = 65536 + 50 * log.size;
	struct tcg_reader reader, written;
	struct tcg_event event, same;
	struct tcg_log mine;
	uint8_t *memory = malloc(room);

	tcg_log_start(&mine, memory, room);
	require(tcg_read_start(&reader, log));
	while (tcg_read(&reader, &event))
		require(tcg_log_add(&mine, &event));
	require(reader.rest.size == 0);
	require(tcg_read_start(&reader, log));
	require(tcg_read_start(&written, (struct blob){ memory, mine.used }));
	for (uint64_t i = 0; i < mine.events; i++) {
		require(tcg_read(&reader, &event) && tcg_read(&written, &same));
		require(event.pcr == same.pcr && event.type == same.type);
		require(memcmp(event.digest, same.digest, SHA256_BYTES) == 0);
		require(event.data.size == same.data.size);
	}
	require(written.rest.size == 0);
	free(memory);
}

/* As the loader does: how long both are, what is in both, one behind the other. */
static void try_log(struct blob memory, size_t last, struct blob more, uint8_t count)
{
	uint8_t pcr[REPLAY_PCRS][SHA256_BYTES];
	struct tcg_reader form;
	struct blob log = { memory.data, tcg_log_bytes(memory, last) };
	size_t twice, bytes;

	require(log.size <= memory.size && (!log.size || log.size > last));
	if (!log.size || !tcg_read_start(&form, log) ||
	    !tcg_events_bytes(&form, more, count, &bytes))
		return;
	require(bytes <= more.size && bytes >= count);
	more.size = bytes;
	twice = tcg_log_overlap(log, more);
	require(twice <= more.size && twice < log.size);
	require(memcmp(log.data + log.size - twice, more.data, twice) == 0);
	(void)tcg_replay(log, pcr);
	write_again(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t pcr[REPLAY_PCRS][SHA256_BYTES];
	size_t last, length;
	struct blob log, more;

	if (size < FRONT)
		return 0;
	last = (size_t)data[0] << 8 | data[1];
	length = (size_t)data[2] << 8 | data[3];
	if (length > size - FRONT)
		length = size - FRONT;
	log = copy_of(data + FRONT, length);
	more = copy_of(data + FRONT + length, size - FRONT - length);
	try_log(log, last, more, data[4]);
	(void)tcg_replay(log, pcr);
	free((void *)(uintptr_t)log.data);
	free((void *)(uintptr_t)more.data);
	return 0;
}
