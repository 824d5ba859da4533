/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The end of a broken monitor (I7). panic() and CHECK are declared in arch/upcall.h.
 *
 * The record (struct panic_record of abi/bootinfo.h) goes to the frame that the loader reserved for
 * it, where a warm reset leaves it alone, and the first eight bytes of its digest to
 * arch_keep_digest(), which outlives a wipe of memory. The next start shows the record if its
 * digest fits, and says that there was one if only the eight bytes are left. It holds the reason,
 * the totals of audited events and the newest log lines: no memory contents, so no secret.
 */
#ifndef MONITOR_PANIC_H
#define MONITOR_PANIC_H

#include <stdbool.h>

/* What panic() does after its record: reset the machine, or stop it as it is. */
void panic_init(bool reset);

#endif
