/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * GUID partition tables (gpt.h).
 */
#include "boot/gpt.h"

#include <string.h>

#include "boot/bytes.h"

#define SIGNATURE   "EFI PART"
#define REVISION    0x00010000u
#define POLYNOMIAL  0xedb88320u
#define TYPE_BYTES  16u /* of an entry; zero: it is not in use */
#define ENTRY_MIN   128u
#define FIRST_TABLE 2u /* a block behind the header's */

/* UEFI 2.10, table 5.5. */
#define REVISION_AT    8u
#define SIZE_AT	       12u
#define CRC_AT	       16u
#define RESERVED_AT    20u
#define MY_BLOCK_AT    24u
#define TABLE_BLOCK_AT 72u
#define ENTRIES_AT     80u
#define ENTRY_BYTES_AT 84u
#define TABLE_CRC_AT   88u

/* CRC-32 of ISO 3309, as BS->CalculateCrc32() has it; what comes before it is `crc`. */
static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	}
	return crc;
}

/* The field itself counts as zero. */
static bool header_good(const uint8_t *header, uint32_t size)
{
	const uint8_t none[4] = { 0 };
	uint32_t crc = crc_add(~0u, header, CRC_AT);

	crc = crc_add(crc, none, sizeof(none));
	crc = crc_add(crc, header + RESERVED_AT, size - RESERVED_AT);
	return ~crc == get32(header + CRC_AT);
}

/* 128 times a power of two, and no more of them than have room. */
static bool entries_good(const struct gpt *gpt)
{
	uint32_t bytes = gpt->entry_bytes;

	return bytes >= ENTRY_MIN && bytes <= GPT_TABLE_MAX && (bytes & (bytes - 1)) == 0 &&
	    gpt->entries > 0 && gpt->entries <= GPT_TABLE_MAX / bytes;
}

static bool on_disk(const struct gpt *gpt, size_t block, uint64_t last_block)
{
	uint64_t blocks = (gpt_table_bytes(gpt) + block - 1) / block;

	return gpt->table_block >= FIRST_TABLE && gpt->table_block <= last_block &&
	    blocks <= last_block - gpt->table_block + 1;
}

const char *gpt_read(struct gpt *gpt, struct blob block, uint64_t last_block)
{
	const uint8_t *header = block.data;
	uint32_t size = get32(header + SIZE_AT);

	*gpt = (struct gpt){ .header = header,
		.table_block = get64(header + TABLE_BLOCK_AT),
		.entries = get32(header + ENTRIES_AT),
		.entry_bytes = get32(header + ENTRY_BYTES_AT) };
	if (!bytes_equal(header, SIGNATURE, sizeof(SIGNATURE) - 1))
		return "it has no header";
	if (get32(header + REVISION_AT) != REVISION || size < GPT_HEADER || size > block.size ||
	    get32(header + RESERVED_AT) != 0)
		return "its header is of an unknown form";
	if (!header_good(header, size))
		return "its header's CRC is wrong";
	if (get64(header + MY_BLOCK_AT) != GPT_BLOCK)
		return "its header belongs elsewhere";
	if (!entries_good(gpt))
		return "its entries are of an unknown size, or too many";
	return on_disk(gpt, block.size, last_block) ? NULL : "its entries are not on the disk";
}

bool gpt_table_good(const struct gpt *gpt, const uint8_t *table)
{
	return ~crc_add(~0u, table, gpt_table_bytes(gpt)) == get32(gpt->header + TABLE_CRC_AT);
}

static bool in_use(const uint8_t *entry)
{
	const uint8_t none[TYPE_BYTES] = { 0 };

	return !bytes_equal(entry, none, sizeof(none));
}

size_t gpt_event(const struct gpt *gpt, const uint8_t *table, uint8_t *event)
{
	uint8_t *to = event + GPT_HEADER + 8;
	uint64_t used = 0;

	memcpy(event, gpt->header, GPT_HEADER);
	for (uint32_t i = 0; i < gpt->entries; i++, table += gpt->entry_bytes) {
		if (!in_use(table))
			continue;
		memcpy(to, table, gpt->entry_bytes);
		to += gpt->entry_bytes;
		used++;
	}
	put64(event + GPT_HEADER, used);
	return (size_t)(to - event);
}
