/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Invalidations on all CPUs while the guest uses NMIs and the interrupt command register for itself
 * (T75): each CPU makes the monitor flush, sends NMIs to its neighbour with the register half
 * written across an exit, and takes its own. None may be added, no half-written register may be
 * disturbed, and none lost, but for one thing that hardware does (README.md, caveats): an NMI that
 * meets a kick of the monitor's that still waits at the same CPU merges with it. Such a one is sent
 * again, once, and counted; more than one in MERGES_MAX is a failure. (One that a busy host held up
 * for so long counts the same.)
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/test_calls.h"

#define ROUNDS_DEFAULT	  300u
#define FLUSHES_A_ROUND	  3u
#define ICR_NOBODY	  0x3e000000u
#define NMI_PATIENCE	  200000000ull
#define SETTLE		  100000ull
#define MERGES_MAX	  10u
#define STALE_TICKS	  2000000u
#define TEST_READ_EXECUTE 13u /* S2_ bits of arch/stage2.h, as test_protect takes them */
#define TEST_ALL	  15u

struct result {
	uint64_t lost, added, disturbed, sent, merged;
};

static struct result results[64];
static uint64_t rounds;
static volatile uint64_t finished;

/*
 * Makes the monitor flush all CPUs: by a test call, or, in a release, by moving an MTRR over RAM.
 */
static void flush(unsigned round)
{
	uint64_t mask = ((1ull << (cpuid(0x80000008, 0).eax & 0xff)) - 1) & ~0x1fffffull;

	if (call_test_build()) {
		redoubt_test_flush(FLUSHES_A_ROUND);
		return;
	}
	wrmsr(MSR_MTRR_MASK0, round & 1 ? mask | 1 << 11 : 0);
}

/* The upper half names nobody: a message of the monitor's through the register would show. */
static bool icr_kept(unsigned round)
{
	bool kept;

	apic_write(APIC_ICR_HIGH, ICR_NOBODY);
	cpuid(0, 0);
	call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
	kept = apic_read(APIC_ICR_HIGH) == ICR_NOBODY;
	flush(round);
	kept &= apic_read(APIC_ICR_HIGH) == ICR_NOBODY;
	for (unsigned i = 0; i < 50; i++)
		cpu_pause();
	return kept && apic_read(APIC_ICR_HIGH) == ICR_NOBODY;
}

static bool taken(const struct cpu *cpu, uint64_t wanted)
{
	uint64_t start = rdtsc();

	while (cpu->nmis < wanted && !passed(start, NMI_PATIENCE))
		cpu_pause();
	return cpu->nmis >= wanted;
}

/* Waits for the NMI that makes it `wanted`; sends it again if none comes. Returns how many. */
static uint64_t await(const struct cpu *target, uint64_t wanted, struct result *r)
{
	if (taken(target, wanted)) {
		r->added += target->nmis > wanted;
		return target->nmis;
	}
	r->merged++;
	apic_send(target->apic_id, ICR_NMI | ICR_ASSERT);
	r->lost += !taken(target, wanted);
	delay(SETTLE);
	return target->nmis;
}

static void job(void *arg)
{
	unsigned self = cpu_self()->index;
	const struct cpu *target = cpu_at((self + 1) % cpu_total());
	struct result *r = &results[self];
	uint64_t nmis = target->nmis;

	for (unsigned i = 0; i < rounds; i++) {
		r->disturbed += !icr_kept(2 * i + 1);
		apic_write(APIC_ICR_HIGH, target->apic_id << 24);
		apic_write(APIC_ICR_LOW, ICR_NMI | ICR_ASSERT);
		flush(2 * i);
		r->sent++;
		nmis = await(target, nmis + 1, r);
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

static bool all_finished(void)
{
	uint64_t start = rdtsc();

	while (finished < cpu_total() && !passed(start, 20 * SMP_PATIENCE))
		cpu_pause();
	return finished == cpu_total();
}

/* ---- What a flush is for: after it nobody writes where writing is no longer allowed ---- */

static volatile uint64_t *watched, stop_writing, refusals;

static void do_count(void *arg)
{
	(*watched)++;
}

static void writer(void *arg)
{
	while (!stop_writing)
		refusals += trap_try(do_count, NULL, NULL) != TRAP_NONE;
}

static bool changes(const volatile uint64_t *value, uint64_t from)
{
	uint64_t start = rdtsc();

	while (*value == from && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return *value != from;
}

/*
 * A page that another CPU keeps writing is made read-only; from the moment the call returns nothing
 * lands.
 */
static void stale_translation(void)
{
	uint64_t seen;

	watched = pages_alloc(1);
	smp_begin(1, writer, NULL);
	wait_flag(watched);
	redoubt_test_protect((uint64_t)watched, 1, TEST_READ_EXECUTE);
	seen = *watched;
	wait_flag(&refusals);
	delay(STALE_TICKS);
	tap(*watched == seen && refusals,
	    "T75 no CPU writes a page after the flush that made it read-only");
	redoubt_test_protect((uint64_t)watched, 1, TEST_ALL);
	tap(changes(watched, seen), "storm: it can be written again afterwards");
	stop_writing = 1;
	smp_wait(1);
}

void suite_storm(void)
{
	uint64_t mask = rdmsr(MSR_MTRR_MASK0), base = rdmsr(MSR_MTRR_BASE0);
	uint64_t block = (uint64_t)pages_alloc(1024);
	unsigned n = cpu_total();

	rounds = option_number("ROUNDS", ROUNDS_DEFAULT);
	wrmsr(MSR_MTRR_MASK0, 0);
	wrmsr(MSR_MTRR_BASE0, (block + 0x1fffff) & ~0x1fffffull);
	for (unsigned i = 1; i < n; i++)
		smp_begin(i, job, NULL);
	job(NULL);
	tap(all_finished(), "T75 %u CPUs end %lu rounds of flushes and NMIs", n, rounds);
	for (unsigned i = 0; i < n; i++) {
		tap(!results[i].lost && !results[i].added &&
			results[i].merged * MERGES_MAX <= results[i].sent,
		    "T75 CPU %u: %lu NMIs sent, each taken once by the next CPU (%lu merged)", i,
		    results[i].sent, results[i].merged);
		tap(!results[i].disturbed, "T75 CPU %u: its half-written ICR was never disturbed",
		    i);
	}
	wrmsr(MSR_MTRR_MASK0, 0);
	wrmsr(MSR_MTRR_BASE0, base);
	wrmsr(MSR_MTRR_MASK0, mask);
	if (call_test_build())
		stale_translation();
}
