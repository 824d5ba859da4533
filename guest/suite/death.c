/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A partition dies at each call that it can make: by a fault of its own right behind the call, by
 * its time limit, and ended by another CPU while it makes the call again and again. After each
 * death all maps and frames are checked, and what comes back is zero (I1, T15). Test build, with
 * partitions.
 */
#include "guest/suite/death.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"
#include "guest/suite/timer.h"

#define SHORT_REQUESTS 13u /* of arch/include/arch/test_switch.h */
#define NOTHING_BROKEN (~0ull)
#define KILLS	       2u
#define TIMER_TICKS    20000u
#define KILL_WITHIN    400000u /* ticks */

struct offering victim;

static struct {
	uint64_t seed;
	uint64_t busy, suspended; /* of all kills: what they met */
} all;

unsigned death_rounds(void)
{
	return (unsigned)option_number("KILLS", KILLS);
}

uint64_t death_random(uint64_t below)
{
	return rand_next(&all.seed) % below;
}

bool death_maps_hold(void)
{
	struct redoubt_test_walk walk = { 0 };

	if (redoubt_test_walk(&walk) == REDOUBT_OK && walk.broken == NOTHING_BROKEN)
		return true;
	tap_note("test_walk: broken at %lx", walk.broken);
	return false;
}

static void short_requests(bool on)
{
	struct redoubt_test_switch before;

	if (redoubt_test_switch(SHORT_REQUESTS, on, &before) != REDOUBT_OK)
		bail("no switch for short requests");
}

static void launch(void)
{
	offering_launch(&victim, offered_probe, offered_probe_end);
}

/* A call that answers the request, or waits for the next: it takes another one to go on. */
static struct answer ask_on(uint64_t number, uint64_t id)
{
	struct answer answer = partition_ask(victim.partition, number, id, 0, 0);

	for (unsigned i = 0; answer.rax == REDOUBT_OK && i < 1000000; i++)
		answer = partition_ask(victim.partition, PROBE_random, 0, 0, 0);
	return answer;
}

/* ---- Deaths ---- */

static void own_fault(const char *name, uint64_t id)
{
	struct answer answer = ask_on(PROBE_call_crash, id);

	tap(answer.rax == REDOUBT_DEAD && death_maps_hold() &&
		redoubt_partition_restart(victim.partition) == REDOUBT_OK,
	    "T15 %s: a partition faults right behind it: all maps hold", name);
}

static void time_limit(const char *name, uint64_t id)
{
	struct answer answer;

	/* It is past its start, which would count. */
	partition_ask(victim.partition, PROBE_random, 0, 0, 0);
	short_requests(true);
	answer = ask_on(PROBE_call_on, id);
	short_requests(false);
	tap(answer.rax == REDOUBT_DEAD && death_maps_hold() &&
		redoubt_partition_restart(victim.partition) == REDOUBT_OK,
	    "T15 %s: a partition comes to its time limit at it: all maps hold", name);
}

static void comes_back(const char *name)
{
	bool serves = partition_ask(victim.partition, PROBE_random, 0, 0, 0).rax == REDOUBT_OK;

	tap(serves && offering_end(&victim) == REDOUBT_OK && offering_is_back(&victim) &&
		redoubt_partition_end(victim.partition) == REDOUBT_STATE && death_maps_hold(),
	    "T15 %s: it serves anew, and when it ends all it had comes back zeroed", name);
}

void death_kill(void *arg)
{
	struct killer *killer = arg;

	delay(killer->after);
	do {
		killer->status = redoubt_partition_end(victim.partition);
		killer->busy += killer->status == REDOUBT_BUSY;
	} while (killer->status == REDOUBT_BUSY);
}

/* Goes on asking until the partition is gone. */
static uint64_t ask_until_dead(uint64_t number, uint64_t id)
{
	struct answer answer;

	do {
		answer = partition_ask(victim.partition, number, id, 0, 0);
		all.suspended += answer.suspended;
		number = PROBE_call_on;
	} while (answer.rax == REDOUBT_OK || answer.rax == REDOUBT_BUSY);
	return answer.rax;
}

static void killed(const char *name, uint64_t id)
{
	unsigned good = 0, rounds = death_rounds();

	for (unsigned i = 0; i < rounds; i++) {
		struct killer killer = { .after = death_random(KILL_WITHIN) };
		uint64_t rax;

		launch();
		smp_begin(1, death_kill, &killer);
		rax = ask_until_dead(PROBE_call_on, id);
		if (!smp_wait(1))
			bail("%s: the partition does not end", name);
		all.busy += killer.busy;
		good += (rax == REDOUBT_STATE || rax == REDOUBT_DEAD) &&
		    killer.status == REDOUBT_OK && offering_is_back(&victim) && death_maps_hold();
	}
	tap(rounds && good == rounds,
	    "T15 %s: a partition is ended in its midst, %u times: all maps hold, all is zeroed",
	    name, rounds);
}

static void at_call(const char *name, uint64_t id)
{
	launch();
	own_fault(name, id);
	/* Who makes this one answers a request each time. */
	if (id != REDOUBT_CALL_next_request)
		time_limit(name, id);
	comes_back(name);
	timer_use();
	timer_every((uint32_t)(TIMER_TICKS * tick_scale()));
	killed(name, id);
	timer_done();
}

void suite_death(void)
{
	static const struct {
		const char *name;
		uint32_t id, rights;
	} calls[] = {
#define CALL(id, name, rights, args, rets, statuses, summary) { #name, id, rights },
#include "monitor/abi/calls.def"
#undef CALL
	};

	all.seed = option_number("SEED", 1);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].rights & (RIGHT_PARTITION | RIGHT_CODEINT))
			at_call(calls[i].name, calls[i].id);
	tap(all.busy && all.suspended,
	    "death: kills met partitions that ran (%lu), and suspended "
	    "them (%lu)",
	    all.busy, all.suspended);
	death_by_normal_calls();
	death_of_judged();
}
