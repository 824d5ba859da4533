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

#define LOCKED	     (1u << 0)
#define STATE_SHIFT  1u
#define STATE_MASK   (7u << STATE_SHIFT)
#define HOLDER_SHIFT 8u

/* Written during MONITOR_INIT only. */
static struct {
	struct frame *frames;
	uint64_t frame_count;
	uint32_t range_count;
	const struct bootinfo_range *ranges;
	uint64_t first[BOOTINFO_MAX_RANGES]; /* index of a range's first descriptor */
} table;

static struct holding holding_of(uint32_t word)
{
	return (struct holding){ (enum frame_state)((word & STATE_MASK) >> STATE_SHIFT),
		word >> HOLDER_SHIFT };
}

static uint32_t word_of(struct holding holding)
{
	return (uint32_t)holding.state << STATE_SHIFT | holding.partition << HOLDER_SHIFT;
}

static struct frame *descriptor(uint64_t at)
{
	uint32_t low = 0;
	uint32_t high = table.range_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct bootinfo_range *range = &table.ranges[middle];

		if (at < range->base)
			high = middle;
		else if ((at - range->base) >> FRAME_SHIFT >= range->pages)
			low = middle + 1;
		else
			return &table.frames[table.first[middle] +
			    ((at - range->base) >> FRAME_SHIFT)];
	}
	return NULL;
}

uint64_t page_owner_frames(void)
{
	return table.frame_count;
}

static void take_ranges(const struct bootinfo *info)
{
	table.frame_count = 0;
	table.range_count = info->range_count;
	table.ranges = info->ranges;
	for (uint32_t i = 0; i < info->range_count; i++) {
		table.first[i] = table.frame_count;
		table.frame_count += info->ranges[i].pages;
	}
}

/* Frames from `base` on are the monitor's for good. */
static void claim(uint64_t base, uint64_t pages)
{
	for (uint64_t at = base; at < base + (pages << FRAME_SHIFT); at += FRAME_SIZE) {
		struct frame *frame = descriptor(at);

		CHECK(frame != NULL);
		atomic_store_explicit(&frame->word, word_of((struct holding){ FRAME_MONITOR, 0 }),
		    memory_order_relaxed);
	}
}

bool page_owner_init(const struct bootinfo *info)
{
	uint64_t bytes;

	take_ranges(info);
	bytes = table.frame_count * sizeof(struct frame);
	table.frames = region_alloc((bytes + FRAME_SIZE - 1) / FRAME_SIZE);
	if (!table.frames)
		return false;
	claim(info->region_base, info->region_pages);
	if (info->record_base != 0)
		claim(info->record_base, 1);
	return true;
}

void page_owner_scrub(void)
{
	for (uint32_t i = 0; i < table.range_count; i++) {
		spa_t at = { table.ranges[i].base };

		for (uint64_t left = table.ranges[i].pages; left > 0; left--, at.v += FRAME_SIZE)
			if (frame_state(at) == FRAME_PARTITION)
				guest_scrub(at);
	}
}

struct frame *frame_lock(spa_t spa, struct holding expected)
{
	struct frame *frame = descriptor(spa.v);

	if (!frame)
		return NULL;
	test_lock(LOCK_FRAME, spa.v, true);
	while (atomic_fetch_or_explicit(&frame->word, LOCKED, memory_order_acquire) & LOCKED)
		cpu_pause();
	if (atomic_load_explicit(&frame->word, memory_order_relaxed) ==
	    (word_of(expected) | LOCKED))
		return frame;
	frame_unlock(frame);
	return NULL;
}

void frame_unlock(struct frame *frame)
{
	CHECK(atomic_load_explicit(&frame->word, memory_order_relaxed) & LOCKED);
	test_lock(LOCK_FRAME, 0, false);
	atomic_fetch_and_explicit(&frame->word, ~LOCKED, memory_order_release);
}

struct holding frame_holding(spa_t spa)
{
	struct frame *frame = descriptor(spa.v);

	return frame ? holding_of(atomic_load_explicit(&frame->word, memory_order_acquire))
		     : (struct holding){ FRAME_ABSENT, 0 };
}

enum frame_state frame_state(spa_t spa)
{
	return frame_holding(spa).state;
}

bool frame_hidden(spa_t spa)
{
	enum frame_state state = frame_state(spa);

	return state == FRAME_MONITOR || state == FRAME_PARTITION || state == FRAME_LENT;
}

/* ---- Sets ---- */

spa_t frame_nth(const struct frame_set *set, uint64_t i)
{
	return (spa_t){ set->list ? set->list[i] : set->base + i * FRAME_SIZE };
}

bool frames_lock(const struct frame_set *set, struct holding expected)
{
	for (uint64_t i = 0; i < set->count; i++) {
		spa_t spa = frame_nth(set, i);

		if ((i != 0 && spa.v <= frame_nth(set, i - 1).v) || spa.v % FRAME_SIZE != 0 ||
		    !frame_lock(spa, expected)) {
			frames_unlock(&(struct frame_set){ set->list, set->base, i });
			return false;
		}
	}
	return true;
}

void frames_unlock(const struct frame_set *set)
{
	for (uint64_t i = 0; i < set->count; i++)
		frame_unlock(descriptor(frame_nth(set, i).v));
}

/* The transitions that exist; the others are 0. */
enum passing { NEVER, SCRUB, KEEP };
static const uint8_t passings[FRAME_ABSENT][FRAME_ABSENT] = {
	[FRAME_NORMAL] = { [FRAME_PARTITION] = SCRUB, [FRAME_LENT] = KEEP, [FRAME_SHARED] = KEEP },
	[FRAME_PARTITION] = { [FRAME_NORMAL] = SCRUB },
	[FRAME_LENT] = { [FRAME_NORMAL] = SCRUB },
	[FRAME_SHARED] = { [FRAME_NORMAL] = KEEP },
};

void frames_pass(const struct frame_set *set, struct holding to)
{
	CHECK(to.state < FRAME_ABSENT);
	for (uint64_t i = 0; i < set->count; i++) {
		struct frame *frame = descriptor(frame_nth(set, i).v);
		uint32_t word = atomic_load_explicit(&frame->word, memory_order_relaxed);
		enum passing passing = passings[holding_of(word).state][to.state];

		CHECK((word & LOCKED) && passing != NEVER);
		if (passing == SCRUB)
			guest_scrub(frame_nth(set, i));
		atomic_store_explicit(&frame->word, LOCKED | word_of(to), memory_order_relaxed);
	}
}
