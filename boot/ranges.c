/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Sorted, merged memory ranges.
 */
#include "boot/ranges.h"

#define PAGE_SHIFT    12u
#define ADDRESS_LIMIT (1ull << 52) /* no CPU has more physical address bits */

static uint64_t end_of(const struct bootinfo_range *range)
{
	return range->base + (range->pages << PAGE_SHIFT);
}

/* Moves the ranges from `from` on to `to`, and the count with them. */
static void move_tail(struct ranges *ranges, size_t from, size_t to)
{
	size_t tail = ranges->count - from;

	if (to < from)
		for (size_t i = 0; i < tail; i++)
			ranges->range[to + i] = ranges->range[from + i];
	else
		for (size_t i = tail; i-- > 0;)
			ranges->range[to + i] = ranges->range[from + i];
	ranges->count = to + tail;
}

bool ranges_add(struct ranges *ranges, uint64_t base, uint64_t pages)
{
	uint64_t end = base + (pages << PAGE_SHIFT);
	size_t first = 0, behind;

	if (base % (1u << PAGE_SHIFT) || base >= ADDRESS_LIMIT || pages == 0 ||
	    pages > (ADDRESS_LIMIT - base) >> PAGE_SHIFT)
		return false;
	while (first < ranges->count && end_of(&ranges->range[first]) < base)
		first++;
	for (behind = first; behind < ranges->count && ranges->range[behind].base <= end;
	     behind++) {
		if (ranges->range[behind].base < base)
			base = ranges->range[behind].base;
		if (end_of(&ranges->range[behind]) > end)
			end = end_of(&ranges->range[behind]);
	}
	if (behind == first && ranges->count == ranges->max)
		return false;
	move_tail(ranges, behind, first + 1);
	ranges->range[first] = (struct bootinfo_range){ base, (end - base) >> PAGE_SHIFT };
	return true;
}

uint64_t ranges_pages(const struct ranges *ranges)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < ranges->count; i++)
		pages += ranges->range[i].pages;
	return pages;
}

uint64_t ranges_top(const struct ranges *ranges)
{
	return ranges->count ? end_of(&ranges->range[ranges->count - 1]) : 0;
}

bool ranges_hold(const struct ranges *ranges, uint64_t base, uint64_t pages)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (base >= ranges->range[i].base && base < end_of(&ranges->range[i]))
			return pages <= (end_of(&ranges->range[i]) - base) >> PAGE_SHIFT;
	return false;
}

const struct bootinfo_range *ranges_meeting(const struct bootinfo_range *range, size_t count,
    uint64_t base, uint64_t pages)
{
	for (size_t i = 0; i < count; i++)
		if (base < end_of(&range[i]) && range[i].base < base + (pages << PAGE_SHIFT))
			return &range[i];
	return NULL;
}
