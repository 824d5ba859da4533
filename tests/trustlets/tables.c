/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage's nested tables, and what it reads of the trustlet's own.
 */
#include "monitor/abi/image.h"
#include "tests/trustlets/stage.h"

#define P	1ull
#define W	2ull
#define U	4ull
#define PS	0x80ull
#define NX	(1ull << 63)
#define ADDRESS 0x000ffffffffff000ull
#define ENTRIES 512u
#define POOL	64u

static _Alignas(4096) uint64_t pool[POOL][ENTRIES];
static _Alignas(4096) uint8_t shared[4096];
static unsigned used;

static uint64_t *table_new(void)
{
	if (used == POOL)
		stage_end();
	for (unsigned i = 0; i < ENTRIES; i++)
		pool[used][i] = 0;
	return pool[used++];
}

static void map(uint64_t *root, uint64_t gpa, const void *frame, uint64_t rights)
{
	uint64_t *table = root;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[gpa >> shift & (ENTRIES - 1)];

		if (!(*entry & P))
			*entry = (uint64_t)table_new() | P | W | U;
		table = (uint64_t *)(*entry & ADDRESS);
	}
	table[gpa >> 12 & (ENTRIES - 1)] = (uint64_t)frame | P | U | rights;
}

uint64_t *shared_page(void)
{
	return (uint64_t *)shared;
}

/* One page is shared, with a word that test scripts know. */
uint64_t nested_build(void)
{
	uint64_t *root;

	used = 0;
	root = table_new();
	for (uint64_t i = 0; i < partition.image_pages; i++)
		map(root, TRUSTLET_IMAGE_BASE + i * PAGE, partition.image + i * PAGE,
		    i >= 1 && i <= partition.text_pages ? 0 : NX);
	for (uint64_t i = 0; i < partition.pages; i++)
		map(root, TRUSTLET_DATA_BASE + i * PAGE, partition.memory + i * PAGE, W | NX);
	*(uint64_t *)shared = 0x5ead;
	map(root, TRUSTLET_SHARED_BASE, shared, W | NX);
	return (uint64_t)root;
}

/* ---- The trustlet's tables ---- */

struct range {
	uint64_t start, end, rights;
};

static void tell_range(const struct range *range)
{
	if (range->end)
		tell("map %x %x %s%s\n", range->start, range->end, range->rights & W ? "w" : "-",
		    range->rights & NX ? "-" : "x");
}

/* Adds [va, va + bytes) to the range, telling the old one if it does not go on. */
static void extend(struct range *range, uint64_t va, uint64_t bytes, uint64_t rights)
{
	if (range->end == va && range->rights == rights) {
		range->end += bytes;
		return;
	}
	tell_range(range);
	*range = (struct range){ va, va + bytes, rights };
}

/* Rights add up along the walk: W wherever all levels have it, NX if one has. */
static void walk(uint64_t gpa, unsigned shift, uint64_t va, struct range *range, uint64_t above)
{
	const uint64_t *table = partition_at(gpa, PAGE, true);

	if (!table) {
		tell("map table outside private memory: %x\n", gpa);
		return;
	}
	for (uint64_t i = 0; i < ENTRIES; i++) {
		uint64_t entry = table[i], here = va | i << shift;
		uint64_t rights = (above & entry & W) | ((above | entry) & NX);

		if (!(entry & P))
			continue;
		if (shift > 12 && !(entry & PS)) {
			walk(entry & ADDRESS, shift - 9, here, range, rights);
			continue;
		}
		if ((entry & ADDRESS) != here)
			tell("map not one to one: %x to %x\n", here, entry & ADDRESS);
		extend(range, here, 1ull << shift, rights);
	}
}

void tell_map(uint64_t cr3)
{
	struct range range = { 0 };

	walk(cr3 & ADDRESS, 39, 0, &range, W);
	tell_range(&range);
}
