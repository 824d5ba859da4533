/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/gpt.c: tables written down here as UEFI 2.10, 5.3 has them, and what is wrong with others.
 */
#include "boot/gpt.h"

#include "tests/unit/unit.h"

#define BLOCK	    512u
#define LAST	    1000u /* block of the disk */
#define USUAL_BYTES 128u

struct header {
	char signature[8];
	uint32_t revision, bytes, crc, reserved;
	uint64_t here, there, first, last;
	uint8_t disk[16];
	uint64_t table_block;
	uint32_t entries, entry_bytes, table_crc;
} __attribute__((packed));

_Static_assert(sizeof(struct header) == GPT_HEADER, "as UEFI has it");

static union {
	struct header header;
	uint8_t bytes[2 * BLOCK];
} block;

static uint8_t table[GPT_TABLE_MAX], event[GPT_EVENT_MAX];

/* Bit by bit from the front, each byte's lowest first, as the polynomial's long division. */
static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
	uint32_t crc = ~0u, turned = 0;

	for (size_t i = 0; i < 8 * size; i++) {
		uint32_t bit = bytes[i / 8] >> i % 8 & 1u;

		crc = crc << 1 ^ ((crc >> 31 ^ bit) ? 0x04c11db7u : 0u);
	}
	for (unsigned i = 0; i < 32; i++)
		turned |= (crc >> i & 1u) << (31 - i);
	return ~turned;
}

static void seal(void)
{
	size_t size = block.header.bytes;

	block.header.crc = 0;
	if (size >= GPT_HEADER && size <= sizeof(block))
		block.header.crc = crc32_of(block.bytes, size);
}

/* Entries 0, 2 and the last are in use; each byte of one tells which it is. */
static void start(uint32_t entries, uint32_t entry_bytes)
{
	size_t size = (size_t)entries * entry_bytes;

	memset(&block, 0, sizeof(block));
	memset(table, 0, sizeof(table));
	for (uint32_t i = 0; i < entries; i++)
		if (i == 0 || i == 2 || i + 1 == entries)
			memset(table + (size_t)i * entry_bytes, (int)i + 1, entry_bytes);
	block.header = (struct header){ .revision = 0x10000,
		.bytes = GPT_HEADER,
		.here = 1,
		.there = LAST,
		.first = 34,
		.last = LAST - 34,
		.disk = { 1, 2, 3 },
		.table_block = 2,
		.entries = entries,
		.entry_bytes = entry_bytes,
		.table_crc = crc32_of(table, size) };
	memcpy(block.header.signature, "EFI PART", 8);
	seal();
}

static const char *complaint_on(size_t block_size, uint64_t last_block)
{
	struct gpt gpt;

	return gpt_read(&gpt, (struct blob){ block.bytes, block_size }, last_block);
}

static const char *complaint(void)
{
	return complaint_on(BLOCK, LAST);
}

/* With the CRC put right. */
static void refused(const char *why)
{
	seal();
	assert_non_null(complaint());
	assert_non_null(strstr(complaint(), why));
}

static struct gpt read_good(void)
{
	struct gpt gpt;

	assert_null(gpt_read(&gpt, (struct blob){ block.bytes, BLOCK }, LAST));
	assert_true(gpt_table_good(&gpt, table));
	return gpt;
}

static uint64_t number_at(const uint8_t *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static void crc_is_the_usual_one(void **state)
{
	assert_int_equal(crc32_of((const uint8_t *)"123456789", 9), 0xcbf43926u);
}

static void event_is_header_count_and_used_entries(void **state)
{
	static const uint8_t used[] = { 1, 3, 128 };
	struct gpt gpt;
	size_t size;

	start(128, USUAL_BYTES);
	gpt = read_good();
	assert_int_equal(gpt_table_bytes(&gpt), 16384);
	memset(event, 0xee, sizeof(event));
	size = gpt_event(&gpt, table, event);
	assert_int_equal(size, GPT_HEADER + 8 + 3 * USUAL_BYTES);
	assert_memory_equal(event, block.bytes, GPT_HEADER);
	assert_int_equal(number_at(event + GPT_HEADER), 3);
	for (size_t i = GPT_HEADER + 8; i < size; i++)
		assert_int_equal(event[i], used[(i - GPT_HEADER - 8) / USUAL_BYTES]);
	assert_int_equal(event[size], 0xee);
}

static void event_of_an_empty_table(void **state)
{
	struct gpt gpt;

	start(4, USUAL_BYTES);
	memset(table, 0, sizeof(table));
	memset(table + 16, 0xff, USUAL_BYTES - 16); /* what has no type is not in use */
	block.header.table_crc = crc32_of(table, 4 * USUAL_BYTES);
	seal();
	gpt = read_good();
	assert_int_equal(gpt_event(&gpt, table, event), GPT_HEADER + 8);
	assert_int_equal(number_at(event + GPT_HEADER), 0);
	table[15] = 1; /* one byte of a type is one */
	assert_int_equal(gpt_event(&gpt, table, event), GPT_HEADER + 8 + USUAL_BYTES);
}

static void largest_table_and_entries(void **state)
{
	struct gpt gpt;

	start(GPT_TABLE_MAX / USUAL_BYTES, USUAL_BYTES);
	memset(table, 1, sizeof(table));
	block.header.table_crc = crc32_of(table, sizeof(table));
	seal();
	gpt = read_good();
	assert_int_equal(gpt_event(&gpt, table, event), GPT_EVENT_MAX);
	start(1, GPT_TABLE_MAX);
	gpt = read_good();
	assert_int_equal(gpt_event(&gpt, table, event), GPT_EVENT_MAX);
	start(3, 256);
	gpt = read_good();
	assert_int_equal(gpt_event(&gpt, table, event), GPT_HEADER + 8 + 2 * 256);
}

/* The CRC covers the header, itself and all else of it. */
static void every_bit_of_the_header_counts(void **state)
{
	start(4, USUAL_BYTES);
	for (unsigned bit = 0; bit < 8 * GPT_HEADER; bit++) {
		block.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_non_null(complaint());
		block.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_null(complaint());
	block.bytes[GPT_HEADER] ^= 1; /* not the header's */
	assert_null(complaint());
}

static void every_bit_of_the_table_counts(void **state)
{
	struct gpt gpt;

	start(4, USUAL_BYTES);
	gpt = read_good();
	for (unsigned bit = 0; bit < 8 * 4 * USUAL_BYTES; bit++) {
		table[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(gpt_table_good(&gpt, table));
		table[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	table[4 * USUAL_BYTES] ^= 1; /* not the table's */
	assert_true(gpt_table_good(&gpt, table));
}

static void longer_header(void **state)
{
	start(4, USUAL_BYTES);
	block.header.bytes = BLOCK;
	memset(block.bytes + GPT_HEADER, 7, BLOCK);
	seal();
	assert_null(complaint());
	block.bytes[BLOCK - 1] ^= 1;
	assert_non_null(complaint());
	block.header.bytes = BLOCK + 1;
	refused("form");
	assert_null(complaint_on(2 * (size_t)BLOCK, LAST));
	block.header.bytes = GPT_HEADER - 1;
	refused("form");
	block.header.bytes = ~0u;
	refused("form");
	block.header.bytes = 0;
	refused("form");
}

static void wrong_headers(void **state)
{
	start(4, USUAL_BYTES);
	block.header.signature[7] = 'X';
	refused("no header");
	start(4, USUAL_BYTES);
	block.header.revision = 0x20000;
	refused("form");
	start(4, USUAL_BYTES);
	block.header.reserved = 1;
	refused("form");
	start(4, USUAL_BYTES);
	block.header.here = LAST; /* the copy at the disk's end */
	refused("elsewhere");
	memset(&block, 0, sizeof(block));
	assert_string_equal(complaint(), "it has no header");
}

static void wrong_entries(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 64, 127, 129, 192, 384, 2 * GPT_TABLE_MAX, 1u << 31,
		~0u };
	static const uint32_t counts[] = { 0, GPT_TABLE_MAX / USUAL_BYTES + 1, 1u << 25, ~0u };

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		start(1, USUAL_BYTES);
		block.header.entry_bytes = sizes[i];
		refused("entries");
	}
	for (unsigned i = 0; i < COUNT(counts); i++) {
		start(1, USUAL_BYTES);
		block.header.entries = counts[i];
		refused("entries");
	}
}

/* Five entries of 128 bytes take two blocks of 512. */
static void table_is_on_the_disk(void **state)
{
	static const uint64_t wrong[] = { 0, 1, LAST, LAST + 1, UINT64_MAX - 1, UINT64_MAX };

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		start(5, USUAL_BYTES);
		block.header.table_block = wrong[i];
		refused("not on the disk");
	}
	start(5, USUAL_BYTES);
	block.header.table_block = LAST - 1;
	seal();
	assert_null(complaint());
	start(4, USUAL_BYTES);
	block.header.table_block = LAST;
	seal();
	assert_null(complaint());
	assert_non_null(complaint_on(BLOCK, LAST - 1));
	assert_non_null(complaint_on(BLOCK, 0));
	start(4, USUAL_BYTES);
	assert_null(complaint_on(BLOCK, UINT64_MAX));
	block.header.table_block = UINT64_MAX;
	seal();
	assert_null(complaint_on(BLOCK, UINT64_MAX));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(crc_is_the_usual_one),
	cmocka_unit_test(event_is_header_count_and_used_entries),
	cmocka_unit_test(event_of_an_empty_table),
	cmocka_unit_test(largest_table_and_entries),
	cmocka_unit_test(every_bit_of_the_header_counts),
	cmocka_unit_test(every_bit_of_the_table_counts),
	cmocka_unit_test(longer_header),
	cmocka_unit_test(wrong_headers),
	cmocka_unit_test(wrong_entries),
	cmocka_unit_test(table_is_on_the_disk),
};

UNIT_MAIN(tests)
