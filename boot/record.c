/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The record of a panic.
 */
#include "boot/record.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/memory.h"
#include "boot/ranges.h"
#include "boot/sha256.h"

/*
 * Where the frame is looked for, best first: just below a power of two, out of the way of kernels
 * (which are loaded from 1 and 16 MiB on), low enough to exist on any machine, and not where
 * firmware keeps its own early memory.
 */
static const UINT64 places[] = { 0x0ffff000, 0x1ffff000, 0x07fff000, 0x03fff000, 0x3ffff000 };

#define LIST_MAX 256u
#define PLACES (sizeof(places) / sizeof(places[0]))

BOOLEAN record_valid(const struct panic_record *record)
{
	UINT8 digest[SHA256_BYTES];
	struct sha256 hash;

	if (record->magic != PANIC_RECORD_MAGIC || record->length > PANIC_TEXT_BYTES)
		return FALSE;
	sha256_start(&hash);
	sha256_add(&hash, &record->length, sizeof(record->length));
	sha256_add(&hash, record->text, record->length);
	sha256_end(&hash, digest);
	return bytes_equal(digest, record->digest, sizeof(digest));
}

static void show(struct panic_record *record)
{
	say("the last run of the monitor ended with a panic:");
	show_text(record->text, record->length);
	memset(record, 0, sizeof(*record));
}

void record_show(void)
{
	struct bootinfo_range list[LIST_MAX];
	struct ranges usable = { list, 0, LIST_MAX };

	memory_usable(&usable); /* if it has more ranges, those that fit are looked at */
	for (UINTN i = 0; i < PLACES; i++) {
		struct panic_record *record = (struct panic_record *)places[i];

		if (ranges_hold(&usable, places[i], 1) && record_valid(record))
			show(record);
	}
}

UINT64 record_reserve(void)
{
	for (UINTN i = 0; i < PLACES; i++)
		if (!EFI_ERROR(memory_reserve_at(places[i])))
			return places[i];
	return 0;
}
