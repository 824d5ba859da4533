/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random calls (T35): whatever is in the registers, the monitor answers with a status that the call
 * can return, and writes nowhere but where a good call may.
 */
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/result.h"

#define CALLS_DEFAULT  100000u
#define GUARD_PAGES    4u
#define GUARD	       0xa5
#define POOL_PAGES     64u
#define WALK_EVERY     1000u
#define PARTITIONS_MAX 16u /* no number above is a partition's */

#define S(name) (1u << REDOUBT_##name)
#define ALWAYS	(S(UNKNOWN_CALL) | S(DENIED) | S(INVALID))

/* The statuses of each row, from the call table itself. */
static const uint32_t statuses[REDOUBT_CALL_COUNT] = {
#define STATUSES_1(a)			  S(a)
#define STATUSES_2(a, b)		  S(a) | S(b)
#define STATUSES_3(a, b, c)		  S(a) | S(b) | S(c)
#define STATUSES_4(a, b, c, d)		  S(a) | S(b) | S(c) | S(d)
#define STATUSES_5(a, b, c, d, e)	  STATUSES_4(a, b, c, d) | S(e)
#define STATUSES_6(a, b, c, d, e, f)	  STATUSES_5(a, b, c, d, e) | S(f)
#define PICK(a, b, c, d, e, f, name, ...) name
#define STATUSES(...)                                                                              \
	PICK(__VA_ARGS__, STATUSES_6, STATUSES_5, STATUSES_4, STATUSES_3, STATUSES_2, STATUSES_1,  \
	    0)                                                                                     \
	(__VA_ARGS__)
#define CALL(id, name, rights, args, rets, list, summary) [id] = ALWAYS | list,
#include "monitor/abi/calls.def"
#undef CALL
};

/* How many arguments each row has. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)
static const uint8_t arguments[REDOUBT_CALL_COUNT] = {
#define CALL(id, name, rights, args, rets, list, summary) [id] = args,
#include "monitor/abi/calls.def"
#undef CALL
};

bool call_may_return(uint64_t id, const struct call_regs *r)
{
	unsigned status = redoubt_status_of(r->rax);
	uint32_t allowed = id < REDOUBT_CALL_COUNT ? statuses[id] : S(UNKNOWN_CALL);

	return status < 16 && allowed >> status & 1 && r->rax >> 24 == 0 &&
	    (status == REDOUBT_OK || !(r->rcx | r->rdx | r->r8 | r->r9));
}

struct state {
	uint64_t seed;
	uint64_t by_status[16];
	uint64_t wrong;
	/* between guard pages; the only frame of ours that calls are given on purpose */
	uint8_t *page;
	uint8_t *pool;	/* POOL_PAGES that partitions may be given, so we do not touch them */
	uint64_t *list; /* of pages of the pool, for partition_give */
	bool walks;	/* the monitor can walk its maps: the test build */
	uint64_t broken;
};

/* A number of the kinds that break things: small, near a page, near the end, one bit, anything. */
static uint64_t any_argument(struct state *s)
{
	uint64_t r = rand_next(&s->seed);

	if (r >> 40 & 1)
		return 0;
	switch (r >> 60) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
		return r & 0xff;
	case 4:
		return 4096 + (r & 15) - 8;
	case 5:
	case 6:
	case 7:
		return (uint64_t)s->page;
	case 8:
		return (uint64_t)s->page + (r & 0xfff);
	case 9:
		return ~0ull - (r & 0x1fff);
	case 10:
		return 1ull << (r & 63);
	case 11:
		return r & 0xfffffffff000;
	case 12: {
		unsigned count;
		const struct frames *f = monitor_frames(&count);

		return f[0].base + (r % f[0].pages) * PAGE;
	}
	default:
		return rand_next(&s->seed);
	}
}

/* Pages of the pool, ascending, from the list's start on; what is behind them is from before. */
static void draw_list(struct state *s)
{
	uint64_t chosen = rand_next(&s->seed) & rand_next(&s->seed);
	unsigned count = 0;

	for (unsigned i = 0; i < POOL_PAGES; i++)
		if (chosen >> i & 1)
			s->list[count++] = (uint64_t)s->pool + i * PAGE;
}

/* Such that a call may go well: a partition and a kind, a list, a few pages. */
static uint64_t good_argument(struct state *s, uint64_t id, unsigned at)
{
	uint64_t r = rand_next(&s->seed);

	if (id < REDOUBT_CALL_COUNT && at >= arguments[id])
		return 0;
	switch (at) {
	case 0:
		return r % (PARTITIONS_MAX + 1) | (r >> 62 & 1) * (r >> 32 & 3) << 32;
	case 1:
		if (r >> 60 & 1)
			draw_list(s);
		return (uint64_t)s->list;
	case 2:
		return r % 16;
	default:
		return r % 32;
	}
}

static uint64_t call_id(struct state *s)
{
	uint64_t r = rand_next(&s->seed);

	if (r >> 61)
		return r % REDOUBT_CALL_COUNT;
	return r >> 60 & 1 ? r & 0xfff : rand_next(&s->seed);
}

/*
 * Test calls break things on purpose: they are left out, and so is what would give the machine
 * away.
 */
static bool is_test_call(uint64_t id)
{
	return id >= 0x1000 && id < 0x2000;
}

/*
 * RANDOM memory may be hit by a good call: only frames of ours, or none that exist, are handed out.
 */
static bool hits_other_memory(const struct state *s, const struct call_regs *r)
{
	size_t count;
	const struct memory_range *map = memory_map(&count);

	if ((r->rax != REDOUBT_CALL_log_read && r->rax != REDOUBT_CALL_audit_read) ||
	    (r->rdx & ~0xfffull) == (uint64_t)s->page || r->rdx == (uint64_t)s->list)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (r->rdx >= map[i].base && r->rdx - map[i].base < map[i].pages * PAGE)
			return map[i].type != 0; /* EfiReservedMemoryType: the monitor's too */
	}
	return false;
}

/* false: the call drawn is one of those that are left out. */
static bool one_call(struct state *s)
{
	uint64_t id = call_id(s), good = rand_next(&s->seed) % 4;
	struct call_regs r, before;
	uint64_t args[CALL_REGS];

	/* All good, all of any kind, or some. */
	for (unsigned i = 0; i < CALL_REGS; i++)
		args[i] = good < 2 || (good == 2 && rand_next(&s->seed) >> 63)
		    ? good_argument(s, id, i)
		    : any_argument(s);
	before = r = (struct call_regs){ id, args[0], args[1], args[2], args[3] };

	if (is_test_call(r.rax) || hits_other_memory(s, &r))
		return false;
	call_monitor(&r);
	s->by_status[redoubt_status_of(r.rax) & 15]++;
	if (call_may_return(before.rax, &r))
		return true;
	if (s->wrong++ < 8)
		tap_note("call %lx (%lx %lx %lx %lx): %lx", before.rax, before.rcx, before.rdx,
		    before.r8, before.r9, r.rax);
	return true;
}

static bool guards_intact(const struct state *s)
{
	const uint8_t *first = s->page - GUARD_PAGES * PAGE, *last = s->page + PAGE;

	for (uint64_t i = 0; i < GUARD_PAGES * PAGE; i++) {
		if (first[i] != GUARD || last[i] != GUARD)
			return false;
	}
	return true;
}

/* All maps of the monitor's, where it can be asked. */
static void walk(struct state *s)
{
	struct redoubt_test_walk walk = { 0 };

	if (!s->walks)
		return;
	if (redoubt_test_walk(&walk) == REDOUBT_OK && walk.broken == ~0ull)
		return;
	if (s->broken++ < 8)
		tap_note("test_walk: broken at %lx", walk.broken);
}

/* Ends what the calls have made; a page that was not given back would end the run by a fault. */
static bool pool_comes_back(const struct state *s)
{
	for (uint64_t id = 1; id <= PARTITIONS_MAX; id++)
		while (redoubt_partition_end(id) == REDOUBT_BUSY)
			;
	memset(s->pool, GUARD, POOL_PAGES * PAGE);
	for (uint64_t i = 0; i < POOL_PAGES * PAGE; i++)
		if (s->pool[i] != GUARD)
			return false;
	return true;
}

void suite_call_random(void)
{
	struct state s = { .seed = option_number("SEED", rdtsc()) };
	uint64_t n = option_number("N", CALLS_DEFAULT), seed = s.seed;
	uint8_t *block = pages_alloc(2 * GUARD_PAGES + 1);

	memset(block, GUARD, (2 * GUARD_PAGES + 1) * PAGE);
	s.page = block + GUARD_PAGES * PAGE;
	s.pool = pages_alloc(POOL_PAGES);
	s.list = pages_alloc(1);
	s.walks = redoubt_test_walk(&(struct redoubt_test_walk){ 0 }) == REDOUBT_OK;
	tap_note("random calls: N=%lu SEED=%lu", n, seed);
	for (uint64_t made = 0; made < n;) {
		made += one_call(&s);
		if (made % WALK_EVERY == 0)
			walk(&s);
	}
	tap(pool_comes_back(&s), "call-random: memory that partitions had is ours again");
	walk(&s);
	if (s.walks)
		tap(!s.broken, "call-random: every %u calls and at the end all maps are whole",
		    WALK_EVERY);
	else
		tap_note("a release does not walk its maps");
	for (unsigned i = 0; i < 16; i++) {
		if (s.by_status[i])
			tap_note("status %u: %lu", i, s.by_status[i]);
	}
	tap(!s.wrong, "T35 %lu random calls (seed %lu): a status of the call's each time", n, seed);
	tap(guards_intact(&s), "T35 memory around the one frame that calls may write is unchanged");
	tap(s.by_status[REDOUBT_OK] > n / 32, "call-random: %lu calls were good",
	    s.by_status[REDOUBT_OK]);
}
