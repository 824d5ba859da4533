/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partitions that die while another CPU makes each call of the normal world's about them, and while
 * codeint judges them or is ended itself (death.h).
 */
#include "guest/suite/death.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/result.h"

#define SHORT_REQUESTS 13u /* of arch/include/arch/test_switch.h */
#define CRASHES	       6u
#define TRIES	       1000000u
#define SHARED_WORD    0x5ca1ab1e5ca1ab1eull
#define JUDGED	       8u
#define JUDGED_MAX     100u

/* ---- CPU 1 makes one call again and again ---- */

static struct {
	uint64_t id;
	volatile uint64_t stop, made, good, wrong;
	uint64_t *frame, *list, *shared;
	uint64_t wrong_status;
} caller;

/* Where the call is about a partition, about the victim. */
static struct call_regs good_call(uint64_t id)
{
	struct call_regs r = { .rax = id };

	switch (id) {
	case REDOUBT_CALL_log_read:
		r.rdx = (uint64_t)caller.frame;
		r.r8 = PAGE;
		break;
	case REDOUBT_CALL_audit_read:
		r.rdx = (uint64_t)caller.frame;
		r.r8 = 42;
		break;
	case REDOUBT_CALL_partition_call:
		r.rcx = victim.partition | (uint64_t)PROBE_random << 32;
		break;
	case REDOUBT_CALL_partition_give:
		r.rcx = victim.partition | (uint64_t)REDOUBT_GIVE_SHARED << 32;
		r.rdx = (uint64_t)caller.list;
		r.r8 = 1;
		break;
	case REDOUBT_CALL_partition_restart:
	case REDOUBT_CALL_partition_info:
		r.rcx = victim.partition;
		break;
	default:
		break;
	}
	return r;
}

/* One of its own to end; what the victim's end does to it is death.c's. */
static void make_one(struct call_regs *r)
{
	struct redoubt_partition_create made = { 0 };

	redoubt_partition_create(&made);
	r->rcx = made.partition;
}

/* What such a call has made is given up at once. */
static void give_up(uint64_t id, const struct call_regs *r)
{
	if (r->rax != REDOUBT_OK)
		return;
	if (id == REDOUBT_CALL_partition_create)
		redoubt_partition_end(r->rcx);
	if (id == REDOUBT_CALL_partition_call && r->rcx == REDOUBT_SUSPENDED)
		redoubt_partition_cancel(r->rdx);
}

static void call_on(void *arg)
{
	while (!caller.stop) {
		struct call_regs r = good_call(caller.id);

		/* Tokens of requests that CPU 0 makes: the turn in the bits above. */
		if (caller.id == REDOUBT_CALL_partition_resume ||
		    caller.id == REDOUBT_CALL_partition_cancel)
			r.rcx = victim.partition | 0x100 | (caller.made % 64) << 10;
		if (caller.id == REDOUBT_CALL_partition_end)
			make_one(&r);
		call_monitor(&r);
		if (!call_may_return(caller.id, &r)) {
			caller.wrong++;
			caller.wrong_status = r.rax;
		}
		caller.good += r.rax == REDOUBT_OK;
		give_up(caller.id, &r);
		caller.made++;
	}
}

/* One that dies again and again, until it is ended. */
static bool die_on(void)
{
	uint64_t status = REDOUBT_DEAD;
	unsigned deaths = 0;

	for (unsigned i = 0; i < TRIES && deaths < CRASHES; i++) {
		struct answer answer = partition_ask(victim.partition, PROBE_write, 8, 1, 0);

		/* Unless it was ended it can be started anew, by this CPU or the other. */
		deaths += answer.rax == REDOUBT_DEAD || answer.rax == REDOUBT_STATE;
		redoubt_partition_restart(victim.partition);
	}
	while (status != REDOUBT_OK && status != REDOUBT_STATE)
		status = redoubt_partition_end(victim.partition);
	return deaths == CRASHES && status == REDOUBT_OK;
}

static void beside(const char *name, uint64_t id)
{
	bool died, back;

	offering_launch(&victim, offered_probe, offered_probe_end);
	caller.id = id;
	caller.stop = caller.made = caller.good = caller.wrong = 0;
	*caller.shared = SHARED_WORD;
	smp_begin(1, call_on, NULL);
	wait_flag(&caller.made);
	died = die_on();
	caller.stop = 1;
	if (!smp_wait(1))
		bail("CPU 1 does not come back from %s", name);
	back = offering_is_back(&victim) && *caller.shared == SHARED_WORD;
	tap(!caller.wrong, "T35 %s while a partition dies: a status of the call's each time (%lu)",
	    name, caller.made);
	if (caller.wrong)
		tap_note("got %lx", caller.wrong_status);
	tap(died && back && death_maps_hold(),
	    "T15 %s while a partition dies: all maps hold, all comes back", name);
	tap_note("%lu of %lu were good", caller.good, caller.made);
}

void death_by_normal_calls(void)
{
	static const struct {
		const char *name;
		uint32_t id, rights;
	} calls[] = {
#define CALL(id, name, rights, args, rets, statuses, summary) { #name, id, rights },
#include "monitor/abi/calls.def"
#undef CALL
	};

	caller.frame = pages_alloc(1);
	caller.list = pages_alloc(1);
	caller.shared = pages_alloc(1);
	caller.list[0] = (uint64_t)caller.shared;
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].rights & RIGHT_NORMAL)
			beside(calls[i].name, calls[i].id);
}

/* ---- Judgement ---- */

static uint64_t launch_ticks(void)
{
	uint64_t start = rdtsc();

	offering_launch(&victim, offered_probe, offered_probe_end);
	start = rdtsc() - start;
	offering_end(&victim);
	return start / tick_scale();
}

static struct answer judge(void (*job)(void *arg), void *arg)
{
	struct answer answer;

	offering_prepare(&victim, offered_probe, offered_probe_end);
	if (!offering_make(&victim))
		bail("a partition is not made");
	smp_begin(1, job, arg);
	answer = partition_ask(CODEINT, CODEINT_launch, victim.partition, victim.bytes, 0);
	if (!smp_wait(1))
		bail("CPU 1 does not end its job");
	return answer;
}

static void end_while_judged(uint64_t ticks)
{
	unsigned good = 0, launched = 0;

	for (unsigned i = 0; i < JUDGED; i++) {
		struct killer killer = { .after = ticks * i / (JUDGED - 2) };
		struct answer answer = judge(death_kill, &killer);

		launched += answer.status == 0;
		good += answer.rax == REDOUBT_OK && killer.status == REDOUBT_OK &&
		    offering_is_back(&victim) && death_maps_hold();
	}
	tap(good == JUDGED,
	    "T15 a partition is ended while it is judged: all maps hold, all is zeroed");
	tap(launched < JUDGED, "T15 one that was ended is not launched");
	tap_note("%u of %u were launched before", launched, JUDGED);
}

/* What codeint launched as it died: the probe, which serves. */
static bool serves(void)
{
	struct redoubt_partition_info info = { 0 };

	return redoubt_partition_info(victim.partition, REDOUBT_INFO_SUMMARY, &info) ==
	    REDOUBT_OK &&
	    partition_ask(victim.partition, PROBE_random, 0, 0, 0).rax == REDOUBT_OK;
}

static void short_requests(bool on)
{
	struct redoubt_test_switch before;

	redoubt_test_switch(SHORT_REQUESTS, on, &before);
}

static void shorten(void *after)
{
	delay(*(const uint64_t *)after);
	short_requests(true);
}

/*
 * On VT-x the limit is a timer's, and one that is made short while codeint computes is seen at its
 * next call; on SVM it is seen at calls alone, if it was short before. Which call that is, is by
 * chance.
 */
static void end_the_judge(uint64_t ticks)
{
	unsigned rounds = 0, good = 0, reading = 0, launching = 0;

	while (rounds < JUDGED || (!launching && rounds < JUDGED_MAX)) {
		uint64_t after = death_random(ticks);
		struct answer answer;

		short_requests(rounds % 2 == 0);
		answer = judge(shorten, &after);
		short_requests(false);
		if (answer.rax == REDOUBT_DEAD) {
			*(serves() ? &launching : &reading) += 1;
			redoubt_partition_restart(CODEINT);
		}
		good += death_maps_hold() && offering_end(&victim) == REDOUBT_OK &&
		    offering_is_back(&victim);
		rounds++;
	}
	tap(good == rounds && launching,
	    "T15 codeint dies while it judges: all maps hold, all comes back zeroed");
	tap_note("%u rounds: %u times before partition_launch, %u at it", rounds, reading,
	    launching);
	offering_launch(&victim, offered_probe, offered_probe_end);
	tap(offering_end(&victim) == REDOUBT_OK, "death: codeint judges again");
}

void death_of_judged(void)
{
	uint64_t ticks = launch_ticks();

	end_while_judged(ticks);
	end_the_judge(ticks);
}
