/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Page ownership (page_owner.h). The table is one array; each range of memory knows where its part
 * begins.
 */
#include "monitor/page_owner.h"

#include <stdatomic.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/guest_mem.h"

#define LOCKED	    (1u << 0)
#define STATE_SHIFT 1u
#define STATE_MASK  (7u << STATE_SHIFT)
#define REF_SHIFT   16u
#define REF_ONE	    (1u << REF_SHIFT)

struct range {
	uint64_t base;
	uint64_t end;
	uint64_t first; /* index of its first descriptor */
};

/* Written during MONITOR_INIT only. */
static struct {
	struct frame *frames;
	uint64_t frame_count;
	uint32_t range_count;
	struct range ranges[BOOTINFO_MAX_RANGES];
} table;

static enum frame_state state_of(uint32_t word)
{
	return (enum frame_state)((word & STATE_MASK) >> STATE_SHIFT);
}

/* Index of the first range that ends behind `at`; range_count if none does. */
static uint32_t range_behind(uint64_t at)
{
	uint32_t low = 0;
	uint32_t high = table.range_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table.ranges[middle].end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct frame *descriptor(uint64_t at)
{
	uint32_t i = range_behind(at);
	const struct range *range = &table.ranges[i];

	if (i == table.range_count || at < range->base)
		return NULL;
	return &table.frames[range->first + ((at - range->base) >> FRAME_SHIFT)];
}

bool page_owner_any(uint64_t base, uint64_t end)
{
	uint32_t i = range_behind(base);

	return i < table.range_count && table.ranges[i].base < end;
}

uint64_t page_owner_frames(void)
{
	return table.frame_count;
}

uint64_t page_owner_top(void)
{
	return table.ranges[table.range_count - 1].end;
}

static void copy_ranges(const struct bootinfo *info)
{
	const void *at = (const uint8_t *)info + info->range_offset;
	const struct bootinfo_range *from = at;

	table.frame_count = 0;
	table.range_count = info->range_count;
	for (uint32_t i = 0; i < info->range_count; i++) {
		table.ranges[i] = (struct range){ from[i].base,
			from[i].base + (from[i].pages << FRAME_SHIFT), table.frame_count };
		table.frame_count += from[i].pages;
	}
}

/* Frames from `base` on are the monitor's for good. */
static void claim(uint64_t base, uint64_t pages)
{
	for (uint64_t at = base; at < base + (pages << FRAME_SHIFT); at += FRAME_SIZE) {
		struct frame *frame = descriptor(at);

		CHECK(frame != NULL);
		atomic_store_explicit(&frame->word, FRAME_MONITOR << STATE_SHIFT | REF_ONE,
		    memory_order_relaxed);
	}
}

bool page_owner_init(const struct bootinfo *info)
{
	uint64_t bytes;

	copy_ranges(info);
	bytes = table.frame_count * sizeof(struct frame);
	table.frames = region_alloc((bytes + FRAME_SIZE - 1) / FRAME_SIZE);
	if (!table.frames)
		return false;
	claim(info->region_base, info->region_pages);
	if (info->record_base != 0)
		claim(info->record_base, 1);
	return true;
}

struct frame *frame_lock(spa_t spa, enum frame_state expected)
{
	struct frame *frame = descriptor(spa.v);

	if (!frame)
		return NULL;
	while (atomic_fetch_or_explicit(&frame->word, LOCKED, memory_order_acquire) & LOCKED)
		cpu_pause();
	if (state_of(atomic_load_explicit(&frame->word, memory_order_relaxed)) == expected)
		return frame;
	frame_unlock(frame);
	return NULL;
}

void frame_unlock(struct frame *frame)
{
	CHECK(atomic_load_explicit(&frame->word, memory_order_relaxed) & LOCKED);
	atomic_fetch_and_explicit(&frame->word, ~LOCKED, memory_order_release);
}

enum frame_state frame_state(spa_t spa)
{
	struct frame *frame = descriptor(spa.v);

	return frame ? state_of(atomic_load_explicit(&frame->word, memory_order_acquire))
		     : FRAME_ABSENT;
}

uint32_t frame_refs(const struct frame *frame)
{
	return atomic_load_explicit(&frame->word, memory_order_relaxed) >> REF_SHIFT;
}

bool frame_get(struct frame *frame)
{
	if (frame_refs(frame) == FRAME_REFS_MAX)
		return false;
	atomic_fetch_add_explicit(&frame->word, REF_ONE, memory_order_relaxed);
	return true;
}

void frame_put(struct frame *frame)
{
	CHECK(frame_refs(frame) > 0);
	atomic_fetch_sub_explicit(&frame->word, REF_ONE, memory_order_relaxed);
}

static spa_t nth(spa_t spa, uint64_t i)
{
	return (spa_t){ spa.v + i * FRAME_SIZE };
}

bool frames_lock(spa_t spa, uint64_t pages, enum frame_state expected)
{
	uint64_t locked = 0;

	if (spa.v % FRAME_SIZE != 0)
		return false;
	for (; locked < pages; locked++) {
		struct frame *frame = frame_lock(nth(spa, locked), expected);

		if (!frame)
			break;
		if (frame_refs(frame) != 0) {
			frame_unlock(frame);
			break;
		}
	}
	if (locked == pages)
		return true;
	frames_unlock(spa, locked);
	return false;
}

void frames_unlock(spa_t spa, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		frame_unlock(descriptor(nth(spa, i).v));
}

void frames_pass(spa_t spa, uint64_t pages, enum frame_state to)
{
	for (uint64_t i = 0; i < pages; i++) {
		struct frame *frame = descriptor(nth(spa, i).v);
		uint32_t word = atomic_load_explicit(&frame->word, memory_order_relaxed);

		CHECK((word & LOCKED) && frame_refs(frame) == 0);
		CHECK(to != FRAME_ABSENT && to != state_of(word));
		guest_scrub(nth(spa, i));
		atomic_store_explicit(&frame->word, LOCKED | (uint32_t)to << STATE_SHIFT,
		    memory_order_relaxed);
	}
}
