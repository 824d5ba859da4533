/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's memory.
 */
#include "guest/lib/memory.h"

#include "guest/lib/low_layout.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define ENTRIES	       512u
#define TABLES_WITH_2M 4u /* GiB mapped with 2 MiB pages; above them 1 GiB pages */
#define CPUID_1GB      (1u << 26)

static uint8_t *pool, *pool_end;
static const struct memory_range *map;
static size_t map_count;
static uint64_t *root;
static uint8_t *low;

void pages_init(void *memory, size_t pages)
{
	pool = memory;
	pool_end = pool + pages * PAGE;
}

void *pages_alloc(size_t pages)
{
	uint8_t *p = pool;

	if ((size_t)(pool_end - pool) < pages * PAGE)
		bail("out of memory: %lu pages", pages);
	pool += pages * PAGE;
	return p;
}

void memory_map_set(const struct memory_range *ranges, size_t count)
{
	map = ranges;
	map_count = count;
}

const struct memory_range *memory_map(size_t *count)
{
	*count = map_count;
	return map;
}

uint8_t *low_area(void)
{
	return low;
}

uint64_t memory_cr3(void)
{
	return (uint64_t)root;
}

static uint64_t *table_2m(uint64_t base)
{
	uint64_t *table = pages_alloc(1);

	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = (base + ((uint64_t)i << 21)) | PTE_P | PTE_W | PTE_PS;
	return table;
}

/* 512 GiB: PTE_U at the upper levels, so that the lowest one decides. */
static uint64_t *table_1g(void)
{
	uint64_t *table = pages_alloc(1);
	bool huge = cpuid(0x80000001, 0).edx & CPUID_1GB;

	for (unsigned i = 0; i < ENTRIES; i++) {
		if (i < TABLES_WITH_2M)
			table[i] = (uint64_t)table_2m((uint64_t)i << 30) | PTE_P | PTE_W | PTE_U;
		else if (huge)
			table[i] = (uint64_t)i << 30 | PTE_P | PTE_W | PTE_PS;
	}
	return table;
}

/* The first 2 MiB in 4 KiB pages, because the low area's are of two kinds. */
static void split_low(uint64_t *table)
{
	uint64_t *small = pages_alloc(1);

	for (unsigned i = 0; i < ENTRIES; i++)
		small[i] = (uint64_t)i << 12 | PTE_P | PTE_W;
	small[(uint64_t)(low + LOW_CODE_USER) >> 12] |= PTE_U;
	small[(uint64_t)(low + LOW_STACK_USER) >> 12] |= PTE_U;
	table[0] = (uint64_t)small | PTE_P | PTE_W | PTE_U;
}

uint64_t memory_build(uint64_t low_base)
{
	uint64_t *third;

	low = (uint8_t *)low_base;
	root = pages_alloc(1);
	third = table_1g();
	split_low((uint64_t *)(third[0] & PTE_ADDRESS));
	root[0] = (uint64_t)third | PTE_P | PTE_W | PTE_U;
	return (uint64_t)root;
}

uint64_t *memory_pte(uint64_t va)
{
	uint64_t *table = root;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[va >> shift & (ENTRIES - 1)];

		if (!(*entry & PTE_P))
			*entry = (uint64_t)pages_alloc(1) | PTE_P | PTE_W | PTE_U;
		if (shift < 39 && *entry & PTE_PS)
			bail("%lx is mapped by a large page", va);
		table = (uint64_t *)(*entry & PTE_ADDRESS);
	}
	return &table[va >> 12 & (ENTRIES - 1)];
}

void memory_map_page(uint64_t va, uint64_t pa, uint64_t flags)
{
	*(volatile uint64_t *)memory_pte(va) = pa | flags;
	invlpg(va);
}
