/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: a partition table. The input: a byte that says whether the CRCs are put right and how
 * large blocks are, 64 bits with the disk's last block, a block, and then the entries; what the
 * input has too little of is zero. Each lies in memory of its own size.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/bytes.h"
#include "boot/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRONT	 9u
#define CRC_AT	 16u
#define TABLE_AT 88u

static void require(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t *take(const uint8_t **data, size_t *left, size_t size)
{
	uint8_t *copy = calloc(size, 1);
	size_t there = size < *left ? size : *left;

	memcpy(copy, *data, there);
	*data += there;
	*left -= there;
	return copy;
}

static void put_crc(uint8_t *to, const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < 8 * size; i++)
		crc = crc >> 1 ^ (((crc ^ bytes[i / 8] >> i % 8) & 1u) ? 0xedb88320u : 0u);
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(~crc >> 8 * i);
}

static void seal(uint8_t *block, size_t size)
{
	uint32_t bytes = get32(block + 12);

	memset(block + CRC_AT, 0, 4);
	put_crc(block + CRC_AT, block, bytes < size ? bytes : size);
}

/* An entry is there as it is in the table, and each that is in use. */
static void try_event(const struct gpt *gpt, const uint8_t *table)
{
	uint8_t *event = malloc(GPT_EVENT_MAX);
	size_t size = gpt_event(gpt, table, event), at = GPT_HEADER + 8;
	uint64_t used = 0;

	for (uint32_t i = 0; i < gpt->entries; i++, table += gpt->entry_bytes) {
		if (get64(table) == 0 && get64(table + 8) == 0)
			continue;
		require(at + gpt->entry_bytes <= size);
		require(memcmp(event + at, table, gpt->entry_bytes) == 0);
		at += gpt->entry_bytes;
		used++;
	}
	require(at == size && get64(event + GPT_HEADER) == used);
	require(memcmp(event, gpt->header, GPT_HEADER) == 0);
	free(event);
}

static void try_table(const struct gpt *gpt, uint8_t *block, uint8_t *table, bool right)
{
	if (right)
		put_crc(block + TABLE_AT, table, gpt_table_bytes(gpt));
	if (gpt_table_good(gpt, table))
		try_event(gpt, table);
	else
		require(!right);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t block_size, bytes;
	uint8_t *block, *table;
	uint64_t last_block;
	struct gpt gpt;
	bool right;

	if (size < FRONT)
		return 0;
	right = data[0] & 1;
	block_size = (size_t)GPT_BLOCK_MIN << (data[0] >> 1) % 3;
	last_block = get64(data + 1);
	data += FRONT;
	size -= FRONT;
	block = take(&data, &size, block_size);
	if (right)
		seal(block, block_size);
	if (!gpt_read(&gpt, (struct blob){ block, block_size }, last_block)) {
		bytes = gpt_table_bytes(&gpt);
		require(bytes > 0 && bytes <= GPT_TABLE_MAX && gpt.table_block > GPT_BLOCK);
		require(gpt.table_block <= last_block);
		require((bytes - 1) / block_size <= last_block - gpt.table_block);
		table = take(&data, &size, bytes);
		try_table(&gpt, block, table, right);
		free(table);
	}
	free(block);
	return 0;
}
