/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * NMIs: each one sent is taken once, wherever the target was, root mode included; none comes that
 * was not sent, and none nests (T27, T28).
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/mode.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define SELF_NMIS  1000u
#define CROSS_NMIS 2000u
#define SETTLE	   100000u
#define PAIRS	   500u
#define PAIR_GAP   60u
#define PATIENCE   20000000u /* the host may give a CPU no time for a while */
#define LOST_MAX   10u

static volatile uint64_t stop, depth, deepest, again;

static bool wait_nmis(const struct cpu *cpu, uint64_t wanted)
{
	uint64_t start = rdtsc();

	while (cpu->nmis < wanted && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return cpu->nmis == wanted;
}

static bool wait_short(const struct cpu *cpu, uint64_t wanted)
{
	uint64_t start = rdtsc();

	while (cpu->nmis < wanted && !passed(start, PATIENCE))
		cpu_pause();
	return cpu->nmis == wanted;
}

static void nmi_to(unsigned index)
{
	apic_send(cpu_at(index)->apic_id, ICR_NMI | ICR_ASSERT);
}

static void to_self(void)
{
	struct cpu *self = cpu_self();
	unsigned wrong = 0;

	for (unsigned i = 0; i < SELF_NMIS; i++) {
		uint64_t before = self->nmis;

		nmi_to(self->index);
		if (i & 1)
			cpuid(0, 0);
		wrong += !wait_nmis(self, before + 1);
	}
	delay(SETTLE);
	tap(!wrong, "nmi: %u to itself, each taken once", SELF_NMIS);
}

/* In the handler: another one is sent, and the monitor is entered; it must wait for the IRET. */
static void nested(struct cpu *cpu, struct trap_frame *frame)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (again) {
		again--;
		nmi_to(cpu->index);
		cpuid(0, 0);
		if (monitor_present())
			call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
		delay(1000);
	}
	depth--;
}

static void blocking(void)
{
	struct cpu *self = cpu_self();
	uint64_t before = self->nmis;

	again = 100;
	deepest = 0;
	self->on_nmi = nested;
	nmi_to(self->index);
	wait_nmis(self, before + 101);
	delay(SETTLE);
	self->on_nmi = NULL;
	tap(self->nmis == before + 101, "nmi: 100 sent from the handler, %lu taken",
	    self->nmis - before - 1);
	tap(deepest == 1, "nmi: a handler is never interrupted by another, exits in it or not");
}

static void spin_calls(void *arg)
{
	while (!stop)
		call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
}

static void spin_cpuid(void *arg)
{
	while (!stop)
		cpuid(0x40000000, 0);
}

static void spin_log(void *page)
{
	while (!stop)
		call_simple(REDOUBT_CALL_log_read, 0, (uint64_t)page, 4096, 0);
}

static void spin_denied(void *arg)
{
	uint64_t value;

	while (!stop)
		try_rdmsr(0x480, &value);
}

static void spin_halt(void *arg)
{
	while (!stop)
		__asm__ volatile("hlt" : : : "memory");
}

/*
 * Tells CPU 1 to stop, and wakes it if it halts. The NMI for that has been taken when this returns,
 * so that nobody counts it later.
 */
static bool end_job(void)
{
	const struct cpu *other = cpu_at(1);
	uint64_t before = other->nmis;

	stop = 1;
	nmi_to(1);
	return wait_nmis(other, before + 1) && smp_wait(1);
}

static void to_other(const char *what, void (*job)(void *arg), void *arg)
{
	struct cpu *other = cpu_at(1);
	unsigned wrong = 0;
	uint64_t before = other->nmis, taken;

	stop = 0;
	smp_begin(1, job, arg);
	for (unsigned i = 0; i < CROSS_NMIS && !wrong; i++) {
		nmi_to(1);
		if (!wait_nmis(other, before + i + 1)) {
			tap_note("behind %u sent %lu were taken", i + 1, other->nmis - before);
			wrong++;
		}
		delay(i % 61);
	}
	delay(SETTLE);
	taken = other->nmis - before;
	wrong += taken != CROSS_NMIS;
	wrong += !end_job();
	tap(!wrong, "T28 %u NMIs to a CPU that %s: each taken once (%lu)", CROSS_NMIS, what, taken);
}

/*
 * Two in a row to a CPU that is in the monitor most of the time: one is about to be taken, the
 * other is latched behind it; a processor without a monitor loses neither.
 */
static void pairs(void *page)
{
	struct cpu *other = cpu_at(1);
	unsigned wrong = 0;
	uint64_t before = other->nmis;

	stop = 0;
	smp_begin(1, spin_log, page);
	for (unsigned i = 0; i < PAIRS && wrong < LOST_MAX; i++) {
		nmi_to(1);
		delay(PAIR_GAP + i % 97);
		nmi_to(1);
		wrong += !wait_short(other, before += 2);
		before = other->nmis;
	}
	tap(end_job() && !wrong, "T28 %u pairs of NMIs to a CPU in the monitor: %u lost one", PAIRS,
	    wrong);
}

/*
 * Each CPU sends as fast as it can; what comes while one waits coalesces, but the last is never
 * lost.
 */
static void storm_job(void *target)
{
	for (unsigned i = 0; i < CROSS_NMIS; i++) {
		nmi_to((unsigned)(uint64_t)target);
		if (i % 7 == 0)
			cpuid(0, 0);
	}
}

/* What was sent to a CPU before it did this has been taken. */
static void cpuid_twice(void *arg)
{
	cpuid(0, 0);
	cpuid(0, 0);
}

static void storm(void)
{
	uint64_t zero, one;

	smp_begin(1, storm_job, (void *)0);
	storm_job((void *)1);
	tap(smp_wait(1), "T28 two CPUs storm each other with NMIs and go on");
	delay(SETTLE);
	cpuid_twice(NULL);
	smp_run(1, cpuid_twice, NULL);
	zero = cpu_at(0)->nmis;
	one = cpu_at(1)->nmis;
	nmi_to(1);
	tap(wait_nmis(cpu_at(1), one + 1), "T28 after the storm the next one is taken");
	nmi_to(0);
	tap(wait_nmis(cpu_at(0), zero + 1), "T28 on both");
}

void suite_nmi(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));

	to_self();
	blocking();
	if (cpu_total() < 2 || !smp_start_all())
		return;
	to_other("spins on CPUID", spin_cpuid, NULL);
	to_other("is halted", spin_halt, NULL);
	if (monitor_present()) {
		to_other("makes calls", spin_calls, NULL);
		to_other("reads the log", spin_log, page);
		to_other("is refused MSRs", spin_denied, NULL);
		pairs(page);
	}
	storm();
}
