/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Large pages of the map around a partition's frames (T09): one frame, every other one, and all of
 * a region given; the map merged by the monitor and given other memory types by the guest
 * meanwhile. The frames stay hidden, their neighbours keep every right, and what comes back is one
 * page again.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/test_calls.h"

#define LARGE	     0x200000ull
#define PAGES_LARGE  512u
#define SHIFT_LARGE  21u
#define ONES	     (~0ull)
#define MARK	     0x600d600d600d600dull
#define RET	     0xc3u
#define INSIDE	     100u
#define MTRR_DEFAULT 0x2ffu
#define TYPE_UC	     0u
#define TYPE_WB	     6u

static uint64_t base, *list;

/* What is given: from `first` on, each `step`-th frame. */
struct choice {
	const char *what;
	unsigned first, step, count;
};

static bool is_given(const struct choice *c, unsigned i)
{
	return i >= c->first && (i - c->first) % c->step == 0 &&
	    (i - c->first) / c->step < c->count;
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = MARK;
}

static void do_fetch(void *address)
{
	((void (*)(void))address)();
}

/* The guest's own: read, written and executed. */
static bool is_own(uint64_t at)
{
	volatile uint64_t *word = (volatile uint64_t *)at;

	if (trap_try(do_write, (void *)at, NULL) != TRAP_NONE || *word != MARK)
		return false;
	*word = RET;
	return trap_try(do_fetch, (void *)at, NULL) == TRAP_NONE;
}

static bool is_hidden(uint64_t at)
{
	return *(volatile uint64_t *)at == ONES &&
	    trap_try(do_write, (void *)at, NULL) == VECTOR_GP &&
	    trap_try(do_fetch, (void *)at, NULL) == VECTOR_GP && *(volatile uint64_t *)at == ONES;
}

static bool holds(const struct choice *c)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < PAGES_LARGE; i++) {
		uint64_t at = base + i * PAGE;

		wrong += is_given(c, i) ? !is_hidden(at) : !is_own(at);
	}
	return !wrong;
}

static unsigned shift_of(uint64_t at)
{
	struct redoubt_test_lookup r = { 0 };

	return redoubt_test_lookup(at, &r) == REDOUBT_OK && r.prot ? (unsigned)r.shift : 0;
}

/* Another type where no register says one, and back: the map is typed anew, both times. */
static void retype(void)
{
	uint64_t before = rdmsr(MTRR_DEFAULT);
	uint64_t other = (before & 0xff) == TYPE_UC ? TYPE_WB : TYPE_UC;

	wrmsr(MTRR_DEFAULT, (before & ~0xffull) | other);
	(void)*(volatile uint64_t *)base;
	wrmsr(MTRR_DEFAULT, before);
}

static void merge(void)
{
	struct redoubt_test_merge r;

	if (redoubt_test_merge(base, PAGES_LARGE, &r) != REDOUBT_OK)
		bail("test_merge");
}

static void around(const struct choice *c)
{
	struct redoubt_partition_create made = { 0 };
	uint64_t status;

	for (unsigned i = 0; i < c->count; i++)
		list[i] = base + (c->first + i * c->step) * PAGE;
	redoubt_partition_create(&made);
	if (redoubt_partition_give(made.partition, (uint64_t)list, c->count, 0) != REDOUBT_OK)
		bail("partition_give");
	/* Once before anything is touched: there is a gap then, and the frame of ones later. */
	if (call_test_build())
		merge();
	tap(holds(c), "T09 %s given: hidden, and the others keep all rights", c->what);
	retype();
	tap(holds(c), "T09 %s given: so it is when memory types have changed", c->what);
	if (call_test_build()) {
		merge();
		tap(holds(c), "T09 %s given: so it is when the map was merged", c->what);
		tap(!shift_of(base + c->first * PAGE) || shift_of(base + c->first * PAGE) == 12,
		    "T09 %s given: no large page leads there", c->what);
	}
	do
		status = redoubt_partition_end(made.partition);
	while (status == REDOUBT_BUSY);
	tap(status == REDOUBT_OK && *(volatile uint64_t *)list[0] == 0 &&
		*(volatile uint64_t *)list[c->count - 1] == 0,
	    "T09 %s given back", c->what);
	if (call_test_build())
		tap(shift_of(base) == SHIFT_LARGE, "T09 %s given back: it is one page again",
		    c->what);
}

void suite_split(void)
{
	static const struct choice choices[] = {
		{ "one frame", INSIDE, 1, 1 },
		{ "the first frame", 0, 1, 1 },
		{ "the last frame", PAGES_LARGE - 1, 1, 1 },
		{ "every other frame", 1, 2, PAGES_LARGE / 2 },
		{ "all frames", 0, 1, PAGES_LARGE },
	};

	base = ((uint64_t)pages_alloc(2 * PAGES_LARGE) + LARGE - 1) & ~(LARGE - 1);
	list = pages_alloc(1);
	for (unsigned i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		around(&choices[i]);
}
