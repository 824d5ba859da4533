/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A sorted list of memory ranges that do not overlap or touch, as the boot information block wants
 * it.
 */
#ifndef BOOT_RANGES_H
#define BOOT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/bootinfo.h"

struct ranges {
	struct bootinfo_range *range;
	size_t count;
	size_t max;
};

/*
 * Adds `pages` 4 KiB pages at `base`, merged with all they overlap or touch. false: the list is
 * full, or the range is empty, unaligned or beyond 2^52; the list is as before.
 */
bool ranges_add(struct ranges *ranges, uint64_t base, uint64_t pages);

/* Sum of all pages. */
uint64_t ranges_pages(const struct ranges *ranges);

/* First address behind the last range; 0 if there is none. */
uint64_t ranges_top(const struct ranges *ranges);

/* Whether all `pages` pages at `base` are in one range. */
bool ranges_hold(const struct ranges *ranges, uint64_t base, uint64_t pages);

/*
 * The first of `count` ranges, in any order, that has a page in common with `pages` pages at
 * `base`; NULL: none has.
 */
const struct bootinfo_range *ranges_meeting(const struct bootinfo_range *range, size_t count,
    uint64_t base, uint64_t pages);

#endif
