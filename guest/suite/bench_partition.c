/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What partitions cost: requests, memory given and taken back, and how long an interrupt waits
 * while a partition spins.
 */
#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/suite/bench.h"
#include "guest/suite/partition.h"
#include "guest/suite/timer.h"
#include "monitor/abi/trustlet.h"

#define LARGE	(512ull * PAGE)
#define ROUNDS	400u
#define SOONEST 20u /* of an interrupt */
#define STEP	17u
#define NEAR	200u /* how well the timer's count and the TSC must agree, over FAR ticks */
#define FAR	100000u

/* The sample's echo: the smallest request there is. The probe's exchange of a page. */
#define ECHO	 "movabsq $0x200000002, %%rcx; movl $4, %%eax;"
#define EXCHANGE "movabsq $0xf00000001, %%rcx; movl $0x80000000, %%edx; movl $4, %%eax;"
#define READ	 "movabsq $0x300000001, %%rcx; movl $0x80000000, %%edx; movl $4, %%eax;"
LOOP(empty_echo, ECHO)
LOOP(with_vmcall_echo, ECHO "vmcall;")
LOOP(with_vmmcall_echo, ECHO "vmmcall;")
LOOP(empty_exchange, EXCHANGE)
LOOP(with_vmcall_exchange, EXCHANGE "vmcall;")
LOOP(with_vmmcall_exchange, EXCHANGE "vmmcall;")
LOOP(empty_both, ECHO READ)
LOOP(with_vmcall_both, ECHO "vmcall;" READ "vmcall;")
LOOP(with_vmmcall_both, ECHO "vmmcall;" READ "vmmcall;")
_Static_assert(SAMPLE == 2 && SAMPLE_echo == 2 && REDOUBT_CALL_partition_call == 4, "as in ECHO");
_Static_assert(PROBE == 1 && PROBE_exchange == 15 && PROBE_read == 3 &&
	TRUSTLET_SHARED_BASE == 0x80000000u,
    "as in EXCHANGE and READ");

static uint64_t in_turn_vmcall(void)
{
	return with_vmcall_both() / 2;
}

static uint64_t in_turn_vmmcall(void)
{
	return with_vmmcall_both() / 2;
}

static uint64_t in_turn_empty(void)
{
	return empty_both() / 2;
}

/* A page for the probe and the normal world, at the start of the window. */
static void share_page(void)
{
	uint64_t *list = pages_alloc(1), *page = pages_alloc(1);
	struct answer answer;

	list[0] = (uint64_t)page;
	page[0] = 0x1234;
	if (redoubt_partition_give(PROBE | (uint64_t)REDOUBT_GIVE_SHARED << 32, (uint64_t)list, 1,
		0) != REDOUBT_OK)
		bail("nothing can be shared with the probe");
	answer = partition_ask(PROBE, PROBE_exchange, TRUSTLET_SHARED_BASE, 0, 0);
	tap(answer.words[0] == 0x1234 && page[0] == ~0x1234ull, "bench: the page is exchanged");
}

void bench_donation(unsigned frames, const char *give, const char *back)
{
	uint64_t *list = pages_alloc(1), given = ~0ull, returned = ~0ull;
	uint64_t pages = (uint64_t)pages_alloc(2 * LARGE / PAGE);

	/* A large page of its own, wherever this memory is. */
	pages = (pages + LARGE - 1) & ~(LARGE - 1);

	for (unsigned i = 0; i < frames; i++)
		list[i] = pages + i * PAGE;
	for (unsigned i = 0; i < 4; i++) {
		struct redoubt_partition_create made = { 0 };
		uint64_t start, took, status;

		redoubt_partition_create(&made);
		start = rdtsc();
		status = redoubt_partition_give(made.partition, (uint64_t)list, frames, 0);
		took = rdtsc() - start;
		given = took < given ? took : given;
		start = rdtsc();
		redoubt_partition_end(made.partition);
		took = rdtsc() - start;
		returned = took < returned ? took : returned;
		if (status != REDOUBT_OK || redoubt_partition_end(made.partition) != REDOUBT_OK)
			bail("donation: %lx", status);
	}
	tap_note("bench %s min %lu max %lu", give, given, given);
	tap_note("bench %s min %lu max %lu", back, returned, returned);
}

/* ---- Interrupts ---- */

static volatile uint64_t taken;

static void on_interrupt(struct trap_frame *frame)
{
	taken = rdtsc();
	apic_eoi();
}

/* The TSC's value when the timer's interrupt is due. */
static uint64_t due(void)
{
	uint64_t before = rdtsc();
	uint64_t left = apic_read(APIC_TIMER_NOW);

	return (before + rdtsc()) / 2 + left;
}

/* Whether the timer counts what the TSC counts. */
static bool timer_is_tsc(void)
{
	uint64_t first, second, start = rdtsc();

	timer_in(4 * FAR);
	first = due();
	while (rdtsc() - start < FAR)
		;
	second = due();
	timer_in(0);
	return second - first + NEAR < 2 * NEAR;
}

/*
 * From when an interrupt is pending to the first line of its handler: before the call, at each
 * place of the way into the probe, while the probe spins. The normal world can take it as soon as
 * its call has ended.
 */
static void latency(bool plain)
{
	struct redoubt_partition_call made = { 0 };
	uint64_t least = ~0ull, most = 0, token = 0;

	trap_set_handler(VECTOR_TIMER, on_interrupt);
	if (!tap(timer_is_tsc(), "bench: the timer counts as the TSC does"))
		return;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct redoubt_partition_resume more = { 0 };
		uint64_t at, took;

		taken = 0;
		timer_in(SOONEST + i * STEP);
		at = due();
		if (token == 0)
			redoubt_partition_call(PROBE | (uint64_t)PROBE_spin << 32, 0, 0, 0, &made);
		else
			redoubt_partition_resume(token, &more);
		take_interrupts();
		token = token == 0 ? made.first : more.first;
		if (taken == 0 || token == 0)
			bail("round %u: no interrupt (token %lx)", i, token);
		took = taken > at ? taken - at : 0;
		least = took < least ? took : least;
		most = took > most ? took : most;
	}
	redoubt_partition_cancel(token);
	tap_note("bench %s min %lu max %lu", plain ? "irq_latency" : "irq_latency_mitigated", least,
	    most);
}

void bench_partitions(bool plain, bool svm)
{
	struct redoubt_partition_info r = { 0 };

	if (redoubt_partition_info(SAMPLE, REDOUBT_INFO_SUMMARY, &r) != REDOUBT_OK)
		return;
	share_page();
	bench_measure(plain ? "secure_call_null" : "secure_call_null_mitigated",
	    svm ? with_vmmcall_echo : with_vmcall_echo, empty_echo);
	bench_measure(plain ? "secure_call_4k" : "secure_call_4k_mitigated",
	    svm ? with_vmmcall_exchange : with_vmcall_exchange, empty_exchange);
	bench_measure(plain ? "partition_switch" : "partition_switch_mitigated",
	    svm ? in_turn_vmmcall : in_turn_vmcall, in_turn_empty);
	bench_donation(BENCH_LIST, plain ? "donate_2m" : "donate_2m_mitigated",
	    plain ? "reclaim_2m" : "reclaim_2m_mitigated");
	latency(plain);
}
