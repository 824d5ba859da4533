/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The heap: small memory comes from pages of slots of one size, large memory is runs of pages. What
 * is known of a page stands in a table of its own, so that an overflow does not reach it. The last
 * eight bytes of each slot or run hold a canary made of its address and a secret. Free memory is
 * zero, and handed out only if it still is.
 *
 * free() ends the trustlet if the pointer is not the start of memory in use or the canary has
 * changed; malloc() does if free memory has. An overflow is noticed once it leaves its slot.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"

#define PAGE		   4096u
#define CANARY		   sizeof(uint64_t)
#define SMALLEST	   5u /* log2 of the smallest slot: 32 bytes */
#define CLASSES		   7u /* up to 2048 bytes */
#define SLOTS_MAX	   (PAGE >> SMALLEST)
#define BITS		   64u
#define CLASS_SLOTS(class) (PAGE >> (SMALLEST + (class)))
#define CLASS_BYTES(class) ((size_t)1 << (SMALLEST + (class)))

enum kind { FREE, SLOTS, RUN, RUN_REST };

struct page {
	uint8_t kind, class;
	uint16_t used;			  /* slots */
	uint32_t pages;			  /* of a run */
	uint64_t taken[SLOTS_MAX / BITS]; /* bit i: slot i is in use */
};

static struct {
	struct page *page; /* the table; then, page-aligned: */
	uint8_t *memory;
	size_t pages, used, peak;
	uint64_t secret;
} heap;

void heap_start(void *memory, size_t bytes, uint64_t secret)
{
	size_t all = bytes / PAGE;
	size_t table = (all * sizeof(struct page) + PAGE - 1) / PAGE;

	if (table > all)
		table = all;
	memset(memory, 0, table * PAGE);
	heap.page = memory;
	heap.memory = (uint8_t *)memory + table * PAGE;
	heap.pages = all - table;
	heap.used = heap.peak = 0;
	heap.secret = secret;
}

static uint64_t canary_of(const uint8_t *start)
{
	return heap.secret ^ (uint64_t)start * 0x9e3779b97f4a7c15ull;
}

static void canary_set(uint8_t *start, size_t size)
{
	uint64_t canary = canary_of(start);

	memcpy(start + size - CANARY, &canary, CANARY);
}

static void check_canary(const uint8_t *start, size_t size)
{
	uint64_t canary;

	memcpy(&canary, start + size - CANARY, CANARY);
	if (canary != canary_of(start))
		trustlet_panic("heap: written behind memory of %zu bytes", size - CANARY);
}

/* Takes free memory into use. */
static void *handed_out(uint8_t *start, size_t size)
{
	const uint64_t *words = (const void *)start;
	uint64_t any = 0;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		any |= words[i];
	if (any)
		trustlet_panic("heap: written to after free");
	canary_set(start, size);
	return start;
}

struct heap_use trustlet_heap_use(void)
{
	return (struct heap_use){ heap.pages, heap.used, heap.peak };
}

static void count_used(size_t pages)
{
	heap.used += pages;
	if (heap.used > heap.peak)
		heap.peak = heap.used;
}

/* The first of `count` free pages in a row, or heap.pages. */
static size_t find_free(size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < heap.pages; i++) {
		found = heap.page[i].kind == FREE ? found + 1 : 0;
		if (found == count)
			return i + 1 - count;
	}
	return heap.pages;
}

static void *run_alloc(size_t size)
{
	size_t count = (size + PAGE - 1) / PAGE;
	size_t first = find_free(count);

	if (first == heap.pages)
		return NULL;
	for (size_t i = first + 1; i < first + count; i++)
		heap.page[i].kind = RUN_REST;
	heap.page[first] = (struct page){ .kind = RUN, .pages = (uint32_t)count };
	count_used(count);
	return handed_out(heap.memory + first * PAGE, count * PAGE);
}

static unsigned class_of(size_t size)
{
	unsigned class = 0;

	while (CLASS_BYTES(class) < size)
		class ++;
	return class;
}

/* A page with a free slot of the class, or NULL. */
static struct page *slot_page(unsigned class)
{
	size_t i;

	for (i = 0; i < heap.pages; i++) {
		struct page *page = &heap.page[i];

		if (page->kind == SLOTS && page->class == class && page->used < CLASS_SLOTS(class))
			return page;
	}
	i = find_free(1);
	if (i == heap.pages)
		return NULL;
	heap.page[i] = (struct page){ .kind = SLOTS, .class = (uint8_t) class };
	count_used(1);
	return &heap.page[i];
}

static void *slot_alloc(unsigned class)
{
	struct page *page = slot_page(class);
	unsigned slot = 0;

	if (!page)
		return NULL;
	while (page->taken[slot / BITS] >> slot % BITS & 1)
		slot++;
	page->taken[slot / BITS] |= 1ull << slot % BITS;
	page->used++;
	return handed_out(heap.memory + (size_t)(page - heap.page) * PAGE +
		slot * CLASS_BYTES(class),
	    CLASS_BYTES(class));
}

void *malloc(size_t bytes)
{
	size_t size = bytes + CANARY;

	if (size < bytes || size > heap.pages * PAGE)
		return NULL;
	if (size > CLASS_BYTES(CLASSES - 1))
		return run_alloc(size);
	return slot_alloc(class_of(size));
}

void *calloc(size_t count, size_t bytes)
{
	size_t all;

	return __builtin_mul_overflow(count, bytes, &all) ? NULL : malloc(all);
}

/* Memory in use that starts at `memory`: its page; ends the trustlet if there is none. */
static struct page *page_of(const void *memory)
{
	size_t offset = (uintptr_t)memory - (uintptr_t)heap.memory;
	struct page *page = &heap.page[offset / PAGE];
	size_t slot;

	if (offset / PAGE >= heap.pages)
		trustlet_panic("heap: not of the heap");
	slot = offset % PAGE >> (SMALLEST + page->class);
	if (page->kind == RUN && offset % PAGE == 0)
		return page;
	if (page->kind != SLOTS || offset % CLASS_BYTES(page->class) != 0 ||
	    !(page->taken[slot / BITS] >> slot % BITS & 1))
		trustlet_panic("heap: not memory in use");
	return page;
}

static size_t size_of(const struct page *page)
{
	return page->kind == RUN ? (size_t)page->pages * PAGE : CLASS_BYTES(page->class);
}

void free(void *memory)
{
	size_t size, slot;
	struct page *page;

	if (!memory)
		return;
	page = page_of(memory);
	size = size_of(page);
	check_canary(memory, size);
	trustlet_scrub(memory, size);
	if (page->kind == RUN) {
		memset(page, 0, size / PAGE * sizeof(*page));
		heap.used -= size / PAGE;
		return;
	}
	slot = (uintptr_t)memory % PAGE / size;
	page->taken[slot / BITS] &= ~(1ull << slot % BITS);
	if (--page->used == 0) {
		*page = (struct page){ .kind = FREE };
		heap.used--;
	}
}

void *realloc(void *memory, size_t bytes)
{
	size_t room;
	void *new;

	if (!memory)
		return malloc(bytes);
	room = size_of(page_of(memory)) - CANARY;
	check_canary(memory, room + CANARY);
	if (bytes <= room && bytes >= room / 4)
		return memory;
	new = malloc(bytes);
	if (!new)
		return NULL;
	memcpy(new, memory, bytes < room ? bytes : room);
	free(memory);
	return new;
}

_Noreturn void abort(void)
{
	trustlet_panic("abort");
}
