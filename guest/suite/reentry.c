/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calls made while another is pending (T41): an interrupt suspends a request, and its handler runs
 * before the caller has seen as much as the token. There it makes every other call, goes on with
 * the request itself, gives it up, or ends the partition.
 */
#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/offering.h"
#include "guest/suite/partition.h"
#include "guest/suite/suite.h"
#include "guest/suite/timer.h"
#include "monitor/abi/result.h"

#define SOON	     60000u
#define TRIES	     200u
#define ROUNDS	     2000u /* of heap_work: many times SOON */
#define SEED	     11u
#define SHARED_WORD  0x5ca1ab1e5ca1ab1eull
#define NOT_DONE     (~0ull)
#define OTHER_ROUNDS 1500u

static struct offering own;
static uint64_t *list, *shared;

/* What is pending, and what its handler does. */
static struct {
	void (*inside)(uint64_t token);
	uint64_t partition;
	bool done;
} pending;

static void on_timer(struct trap_frame *frame)
{
	void (*inside)(uint64_t token) = pending.inside;

	apic_eoi();
	/* Behind the call, its results in the registers: elsewhere it came too early. */
	if (!inside || frame->rax != REDOUBT_OK || frame->rcx != REDOUBT_SUSPENDED ||
	    (frame->rdx & 0xff) != pending.partition)
		return;
	pending.inside = NULL;
	inside(frame->rdx);
	pending.done = true;
}

static uint64_t resume(uint64_t token, struct redoubt_partition_call *answer)
{
	struct redoubt_partition_resume r = { 0 };
	uint64_t status;

	do {
		status = redoubt_partition_resume(token, &r);
		token = r.first;
	} while (status == REDOUBT_OK && r.state == REDOUBT_SUSPENDED);
	*answer = (struct redoubt_partition_call){ r.state, r.first, r.second, r.third };
	return status;
}

static struct redoubt_partition_call ask_pending(uint64_t partition, void (*inside)(uint64_t token),
    uint64_t rounds)
{
	struct redoubt_partition_call r = { 0 };

	pending.partition = partition;
	pending.inside = inside;
	pending.done = false;
	timer_in((uint32_t)(SOON * tick_scale()));
	irq_on();
	redoubt_partition_call(partition | (uint64_t)PROBE_heap_work << 32, rounds, SEED, 0, &r);
	irq_off();
	return r;
}

/*
 * A request during which `inside` runs, then the caller's own try to go on: its status. The
 * interrupt may come before the request does: then once more.
 */
static uint64_t with_pending(void (*inside)(uint64_t token), struct redoubt_partition_call *answer)
{
	struct redoubt_partition_call r = { 0 };

	for (unsigned i = 0; i < TRIES; i++) {
		r = ask_pending(own.partition, inside, ROUNDS);
		if (pending.done)
			return resume(r.first, answer);
		if (r.state == REDOUBT_SUSPENDED)
			resume(r.first, answer);
	}
	bail("no request was ever suspended");
}

static uint64_t heap_work(void)
{
	struct answer answer = partition_ask(own.partition, PROBE_heap_work, ROUNDS, SEED, 0);

	return answer.rax == REDOUBT_OK ? answer.words[0] : NOT_DONE;
}

/* ---- What the handler does ---- */

static struct {
	uint64_t statuses[8];
	uint64_t words[2];
	unsigned wrong;
	uint64_t wrong_id;
} seen;

/* Each call of the table, with nothing in its registers or with the partition's number. */
static void every_call(void)
{
	for (uint64_t id = 0; id < REDOUBT_CALL_COUNT; id++) {
		for (unsigned about = 0; about < 2; about++) {
			struct call_regs r = { id, about ? own.partition : 0, 0, 0, 0 };

			if (about && id == REDOUBT_CALL_partition_end)
				continue;
			call_monitor(&r);
			if (!call_may_return(id, &r)) {
				seen.wrong++;
				seen.wrong_id = id;
			}
			if (id == REDOUBT_CALL_partition_create && r.rax == REDOUBT_OK)
				redoubt_partition_end(r.rcx);
		}
	}
}

static uint64_t share(uint64_t frame, uint64_t page)
{
	uint64_t target = own.partition | (uint64_t)REDOUBT_GIVE_SHARED << 32;

	list[0] = frame;
	return redoubt_partition_give(target, (uint64_t)list, 1, page);
}

static void calls_inside(uint64_t token)
{
	struct redoubt_partition_info info = { 0 };
	struct redoubt_partition_call r = { 0 };

	every_call();
	seen.statuses[0] = partition_ask(own.partition, PROBE_random, 0, 0, 0).rax;
	seen.statuses[1] = redoubt_partition_call(SAMPLE | (uint64_t)SAMPLE_add << 32, 2, 3, 0, &r);
	seen.words[0] = r.first;
	seen.statuses[2] = redoubt_partition_restart(own.partition);
	seen.statuses[3] = redoubt_partition_info(own.partition, REDOUBT_INFO_SUMMARY, &info);
	seen.words[1] = (uint32_t)info.word0;
	seen.statuses[4] = share((uint64_t)shared, 0);
	seen.statuses[5] = share((uint64_t)own.data, 1);
	seen.statuses[6] = redoubt_partition_cancel(token ^ 0x400);
}

static void resume_inside(uint64_t token)
{
	struct redoubt_partition_call answer;

	seen.statuses[0] = resume(token, &answer);
	seen.words[0] = answer.first;
	seen.statuses[1] = resume(token, &answer);
}

static void cancel_inside(uint64_t token)
{
	seen.statuses[0] = redoubt_partition_cancel(token);
	seen.statuses[1] = redoubt_partition_cancel(token);
}

static void end_inside(uint64_t token)
{
	struct redoubt_partition_call answer;

	seen.statuses[0] = offering_end(&own);
	seen.words[0] = offering_is_back(&own);
	seen.statuses[1] = resume(token, &answer);
	seen.statuses[2] = redoubt_partition_cancel(token);
	seen.statuses[3] = redoubt_partition_end(own.partition);
}

/* The other probe is asked, and suspended as well. */
static void both_inside(uint64_t token)
{
	struct redoubt_partition_call r = { 0 }, answer = { 0 };

	seen.statuses[0] = 0;
	for (unsigned i = 0; i < TRIES && !seen.statuses[0]; i++) {
		r = ask_pending(PROBE, cancel_inside, OTHER_ROUNDS);
		seen.statuses[0] = pending.done;
		if (!pending.done && r.state == REDOUBT_SUSPENDED)
			resume(r.first, &answer);
	}
	seen.statuses[2] = r.first != token && (r.first & 0xff) == PROBE;
	seen.statuses[3] = resume(r.first, &answer);
}

/* ---- What is said of it ---- */

static void calls(uint64_t wanted)
{
	struct redoubt_partition_call answer = { 0 };
	uint64_t status = with_pending(calls_inside, &answer);

	tap(!seen.wrong, "T41 every call while a request is pending: a status of the call's");
	if (seen.wrong)
		tap_note("call %lx", seen.wrong_id);
	tap(seen.statuses[0] == REDOUBT_BUSY, "T41 another request to the same partition is BUSY");
	tap(seen.statuses[1] == REDOUBT_OK && seen.words[0] == 5,
	    "T41 one to another partition is answered");
	tap(seen.statuses[2] == REDOUBT_STATE, "T41 it cannot be started anew");
	tap(seen.statuses[3] == REDOUBT_OK && seen.words[1] == REDOUBT_PARTITION_READY,
	    "T41 it is told to be ready");
	tap(seen.statuses[4] == REDOUBT_OK, "T41 memory is shared with it");
	tap(redoubt_status_of(seen.statuses[5]) == REDOUBT_RANGE,
	    "T41 its own memory is not given once more");
	tap(seen.statuses[6] == REDOUBT_STATE, "T41 another token is none");
	tap(status == REDOUBT_OK && answer.state == 0 && answer.first == wanted,
	    "T41 the request goes on as if nothing had been");
}

static void resumed_twice(uint64_t wanted)
{
	struct redoubt_partition_call answer = { 0 };
	uint64_t status = with_pending(resume_inside, &answer);

	tap(seen.statuses[0] == REDOUBT_OK && seen.words[0] == wanted,
	    "T41 the handler goes on with the request to its end");
	tap(seen.statuses[1] == REDOUBT_STATE && status == REDOUBT_STATE,
	    "T41 a request that was resumed is not resumed again");
	tap(heap_work() == wanted, "T41 the partition serves as before");
}

static void cancelled(uint64_t wanted)
{
	struct redoubt_partition_call answer = { 0 };
	uint64_t status = with_pending(cancel_inside, &answer);

	tap(seen.statuses[0] == REDOUBT_OK && seen.statuses[1] == REDOUBT_STATE,
	    "T41 the handler cancels the request, once");
	tap(status == REDOUBT_STATE, "T41 a request that was cancelled is not resumed");
	tap(heap_work() == wanted, "T41 the next request gets the answer that is its own");
}

static void two(uint64_t wanted)
{
	struct redoubt_partition_call answer = { 0 };
	uint64_t status = with_pending(both_inside, &answer);

	tap(seen.statuses[2] && seen.statuses[3] == REDOUBT_STATE,
	    "T41 requests to two partitions are pending, one is cancelled");
	tap(status == REDOUBT_OK && answer.first == wanted, "T41 the other one is not touched");
}

static void ended(void)
{
	struct redoubt_partition_call answer = { 0 };
	uint64_t status = with_pending(end_inside, &answer);

	tap(seen.statuses[0] == REDOUBT_OK && seen.words[0],
	    "T41 the partition is ended in its midst, and all it had comes back zeroed");
	tap(seen.statuses[1] == REDOUBT_STATE && seen.statuses[2] == REDOUBT_STATE &&
		seen.statuses[3] == REDOUBT_STATE && status == REDOUBT_STATE,
	    "T41 its request cannot be resumed or cancelled, nor it be ended again");
	tap(*shared == SHARED_WORD, "T41 what was shared is as it was");
	*shared = 0;
	tap(*(volatile uint64_t *)shared == 0, "T41 and the guest's to write");
}

void suite_reentry(void)
{
	uint64_t wanted;

	list = pages_alloc(1);
	shared = pages_alloc(1);
	*shared = SHARED_WORD;
	offering_launch(&own, offered_probe, offered_probe_end);
	heap_work(); /* the heap's own tables are made once */
	wanted = heap_work();
	tap(wanted != NOT_DONE && wanted == heap_work(), "reentry: the same work has one answer");
	trap_set_handler(VECTOR_TIMER, on_timer);
	calls(wanted);
	resumed_twice(wanted);
	cancelled(wanted);
	two(wanted);
	ended();
	timer_in(0);
	take_interrupts();
	trap_set_handler(VECTOR_TIMER, NULL);
}
