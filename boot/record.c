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
#include "boot/record_valid.h"
#include "boot/x86.h"

/*
 * Where the frame is looked for, best first: just below a power of two, out of the way of kernels
 * (which are loaded from 1 and 16 MiB on), low enough to exist on any machine, and not where
 * firmware keeps its own early memory.
 */
static const UINT64 places[] = { 0x0ffff000, 0x1ffff000, 0x07fff000, 0x03fff000, 0x3ffff000 };

#define CMOS_INDEX    0x70u
#define CMOS_DATA     0x71u
#define CMOS_NMI_OFF  0x80u
#define CMOS_STATUS_D 0x0du
#define MARK_BYTES    8u
#define LIST_MAX      256u
#define PLACES	      (sizeof(places) / sizeof(places[0]))

static void cmos_at(UINT8 i)
{
	port_write8(CMOS_INDEX, (UINT8)(CMOS_NMI_OFF | (PANIC_CMOS + i)));
}

/* Takes the mark that a panic has left in CMOS RAM. FALSE: none; the bytes are left as they are. */
static BOOLEAN take_mark(UINT8 mark[MARK_BYTES])
{
	BOOLEAN tagged;

	for (UINT8 i = 0; i < MARK_BYTES; i++) {
		cmos_at(i);
		mark[i] = port_read8(CMOS_DATA);
	}
	tagged = mark[0] == PANIC_CMOS_TAG0 && mark[1] == PANIC_CMOS_TAG1;
	for (UINT8 i = 0; tagged && i < MARK_BYTES; i++) {
		cmos_at(i);
		port_write8(CMOS_DATA, 0);
	}
	/* NMIs on again; the index register cannot be read back everywhere. */
	port_write8(CMOS_INDEX, CMOS_STATUS_D);
	return tagged;
}

static BOOLEAN same_mark(const UINT8 *digest, const UINT8 mark[MARK_BYTES])
{
	for (UINT8 i = 2; i < MARK_BYTES; i++)
		if (digest[i] != mark[i])
			return FALSE;
	return TRUE;
}

static void show(struct panic_record *record, BOOLEAN last)
{
	say("%s run of the monitor ended with a panic:", last ? "the last" : "an earlier");
	show_text(record->text, record->length);
	memset(record, 0, sizeof(*record));
}

void record_show(void)
{
	struct bootinfo_range list[LIST_MAX];
	struct ranges usable = { list, 0, LIST_MAX };
	UINT8 mark[MARK_BYTES];
	BOOLEAN lost = take_mark(mark);

	memory_usable(&usable); /* if it has more ranges, those that fit are looked at */
	for (UINTN i = 0; i < PLACES; i++) {
		struct panic_record *record = (struct panic_record *)places[i];
		BOOLEAN last;

		if (!ranges_hold(&usable, places[i], 1) || !record_valid(record))
			continue;
		last = lost && same_mark(record->digest, mark);
		show(record, last);
		lost = lost && !last;
	}
	if (lost)
		say("the last run of the monitor ended with a panic (mark %016lx), but its record "
		    "is lost",
		    get64(mark));
}

UINT64 record_reserve(void)
{
	for (UINTN i = 0; i < PLACES; i++)
		if (!EFI_ERROR(memory_reserve_at(places[i])))
			return places[i];
	return 0;
}
