/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random calls (T35): whatever is in the registers, the monitor answers with a status that the call
 * can return, and writes nowhere but where a good call may.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/result.h"

#define CALLS_DEFAULT 100000u
#define GUARD_PAGES   4u
#define GUARD	      0xa5

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
};

/* A number of the kinds that break things: small, near a page, near the end, one bit, anything. */
static uint64_t argument(struct state *s)
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
	    (r->rdx & ~0xfffull) == (uint64_t)s->page)
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
	struct call_regs r = { call_id(s), argument(s), argument(s), argument(s), argument(s) };
	struct call_regs before = r;

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

void suite_call_random(void)
{
	struct state s = { .seed = option_number("SEED", rdtsc()) };
	uint64_t n = option_number("N", CALLS_DEFAULT), seed = s.seed;
	uint8_t *block = pages_alloc(2 * GUARD_PAGES + 1);

	memset(block, GUARD, (2 * GUARD_PAGES + 1) * PAGE);
	s.page = block + GUARD_PAGES * PAGE;
	tap_note("random calls: N=%lu SEED=%lu", n, seed);
	for (uint64_t made = 0; made < n;)
		made += one_call(&s);
	for (unsigned i = 0; i < 16; i++) {
		if (s.by_status[i])
			tap_note("status %u: %lu", i, s.by_status[i]);
	}
	tap(!s.wrong, "T35 %lu random calls (seed %lu): a status of the call's each time", n, seed);
	tap(guards_intact(&s), "T35 memory around the one frame that calls may write is unchanged");
	tap(s.by_status[REDOUBT_OK] > n / 128, "call-random: %lu calls were good",
	    s.by_status[REDOUBT_OK]);
}
