/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A disk's GUID partition table (UEFI 2.10, 5.3), and what of it is measured: UEFI_GPT_DATA (TCG
 * PC Client Platform Firmware Profile 1.05, 10.2). What is on the disk is anybody's word: every
 * size is bounded. No call to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_GPT_H
#define BOOT_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/image.h"

#define GPT_BLOCK     1u  /* where the header is; there it says so */
#define GPT_HEADER    92u /* bytes of it that are measured */
#define GPT_BLOCK_MIN 512u
#define GPT_BLOCK_MAX (64u << 10)
#define GPT_TABLE_MAX (64u << 10) /* bytes; usual are 16 KiB */
#define GPT_EVENT_MAX (GPT_HEADER + 8 + GPT_TABLE_MAX)

struct gpt {
	const uint8_t *header;
	uint64_t table_block; /* where its entries begin */
	uint32_t entries, entry_bytes;
};

/*
 * Reads the header in block 1 of a disk; the block's size is the disk's, GPT_BLOCK_MIN to
 * GPT_BLOCK_MAX. NULL, or what is wrong. With NULL the entries have at most GPT_TABLE_MAX bytes,
 * and the whole blocks that they are in are the disk's.
 */
const char *gpt_read(struct gpt *gpt, struct blob block, uint64_t last_block);

static inline size_t gpt_table_bytes(const struct gpt *gpt)
{
	return (size_t)gpt->entries * gpt->entry_bytes;
}

/* Whether these entries, gpt_table_bytes() of them, are those that the header means. */
bool gpt_table_good(const struct gpt *gpt, const uint8_t *table);

/*
 * Writes the event: the header, how many entries are in use, and those. Room for
 * GPT_EVENT_MAX there must be; tells how many bytes it has.
 */
size_t gpt_event(const struct gpt *gpt, const uint8_t *table, uint8_t *event);

#endif
