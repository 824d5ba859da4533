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

#define CMOS_INDEX	 0x70u
#define CMOS_DATA	 0x71u
#define CMOS_NMI_OFF	 0x80u
#define PANIC_CMOS_BYTES 8u
#define LIST_MAX	 256u
#define PLACES		 (sizeof(places) / sizeof(places[0]))

/* Reads the mark that a panic leaves in CMOS RAM, and leaves none. */
static UINT64 take_mark(void)
{
	UINT8 index = port_read8(CMOS_INDEX), mark[PANIC_CMOS_BYTES];

	for (UINT8 i = 0; i < PANIC_CMOS_BYTES; i++) {
		port_write8(CMOS_INDEX, (UINT8)(CMOS_NMI_OFF | (PANIC_CMOS + i)));
		mark[i] = port_read8(CMOS_DATA);
		if (mark[i])
			port_write8(CMOS_DATA, 0);
	}
	port_write8(CMOS_INDEX, index);
	return get64(mark);
}

static void show(struct panic_record *record, UINT64 mark)
{
	if (get64(record->digest) == mark)
		say("the last run of the monitor ended with a panic:");
	else
		say("an earlier run of the monitor ended with a panic:");
	show_text(record->text, record->length);
	memset(record, 0, sizeof(*record));
}

void record_show(void)
{
	struct bootinfo_range list[LIST_MAX];
	struct ranges usable = { list, 0, LIST_MAX };
	UINT64 mark = take_mark();
	BOOLEAN lost = mark != 0 && mark != ~0ull;

	memory_usable(&usable); /* if it has more ranges, those that fit are looked at */
	for (UINTN i = 0; i < PLACES; i++) {
		struct panic_record *record = (struct panic_record *)places[i];

		if (!ranges_hold(&usable, places[i], 1) || !record_valid(record))
			continue;
		if (get64(record->digest) == mark)
			lost = FALSE;
		show(record, mark);
	}
	if (lost)
		say("the last run of the monitor may have ended with a panic (mark %016lx), but "
		    "its "
		    "record is lost",
		    mark);
}

UINT64 record_reserve(void)
{
	for (UINTN i = 0; i < PLACES; i++)
		if (!EFI_ERROR(memory_reserve_at(places[i])))
			return places[i];
	return 0;
}
