/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * INIT and SIPI between CPUs (T28, T29, I14): they do what SDM 3A 9.4 and 10.1 say, in every order,
 * and whatever a CPU was doing it is under the monitor afterwards.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/options.h"
#include "guest/lib/rand.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/cpuid.h"

#define A_WHILE	      2000000u
#define STORM_DEFAULT 300u
#define MARK_LSTAR    0xffffffff81234560ull
#define NOBODY	      0x3e

static volatile uint64_t counter;

static void count(void *arg)
{
	for (;;) {
		counter++;
		cpu_pause();
	}
}

static void calls(void *arg)
{
	for (;;) {
		counter++;
		call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
	}
}

static void cpuids(void *arg)
{
	for (;;) {
		counter++;
		cpuid(REDOUBT_CPUID_BASE, 0);
	}
}

static void faults(void *arg)
{
	uint64_t value;

	for (;;) {
		counter++;
		try_rdmsr(0x480, &value);
	}
}

static void halted(void *arg)
{
	counter++;
	for (;;)
		__asm__ volatile("hlt");
}

static bool moves(void)
{
	uint64_t before = counter, start = rdtsc();

	while (counter == before && !passed(start, A_WHILE))
		cpu_pause();
	return counter != before;
}

/* The host may give a CPU no time for a while. */
static bool goes_on(void)
{
	uint64_t before = counter, start = rdtsc();

	while (counter == before && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return counter != before;
}

struct answer {
	struct cpuid base, state;
	uint64_t cr4, lstar;
};

static void ask(void *answer)
{
	struct answer *a = answer;

	a->base = cpuid(REDOUBT_CPUID_BASE, 0);
	a->state = cpuid(REDOUBT_CPUID_STATE, 0);
	a->cr4 = read_cr4();
	a->lstar = rdmsr(MSR_LSTAR);
}

/* CPU 1 answers from under the monitor. */
static bool covered(void)
{
	struct answer a = { 0 };

	return smp_run(1, ask, &a) && a.base.ebx == REDOUBT_SIG_EBX && a.state.ecx == cpu_total() &&
	    a.state.edx != 0 && !(a.cr4 & CR4_VMXE);
}

static void init_while(const char *what, void (*job)(void *arg))
{
	uint64_t starts = cpu_at(1)->starts;

	counter = 0;
	smp_begin(1, job, NULL);
	wait_flag(&counter);
	smp_init(1);
	delay(A_WHILE);
	tap(!moves(), "T28 INIT stops a CPU that %s", what);
	tap(!cpu_at(1)->online && cpu_at(1)->starts == starts, "T28 it waits for SIPI");
	smp_sipi(1);
	tap(smp_wait_online(1) && cpu_at(1)->starts == starts + 1, "T28 SIPI starts it");
	tap(covered(), "T28 it is under the monitor");
}

static void sipi_alone(void)
{
	uint64_t starts = cpu_at(1)->starts;

	counter = 0;
	smp_begin(1, count, NULL);
	wait_flag(&counter);
	smp_sipi(1);
	tap(goes_on() && cpu_at(1)->starts == starts, "T29 SIPI without INIT is ignored");
	smp_init(1);
	delay(A_WHILE);
	smp_sipi(1);
	smp_wait_online(1);
}

static void two_sipis(void)
{
	uint64_t starts = cpu_at(1)->starts;

	smp_init(1);
	delay(A_WHILE);
	smp_sipi(1);
	smp_sipi(1);
	tap(smp_wait_online(1), "T29 two SIPIs start a CPU");
	smp_sipi(1);
	delay(A_WHILE);
	tap(cpu_at(1)->starts == starts + 1, "T29 once");
}

static void two_inits(void)
{
	uint64_t starts = cpu_at(1)->starts;

	smp_init(1);
	delay(A_WHILE);
	smp_init(1);
	smp_init(1);
	delay(A_WHILE);
	tap(cpu_at(1)->starts == starts, "T29 INIT of a CPU that waits for SIPI changes nothing");
	/*
	 * As every operating system does: Bochs keeps the INIT of a waiting guest CPU and takes it
	 * after the first SIPI.
	 */
	smp_sipi(1);
	delay(A_WHILE);
	if (!cpu_at(1)->online)
		smp_sipi(1);
	tap(smp_wait_online(1) && covered(), "T29 it starts, under the monitor");
}

/* Level-triggered de-assert is no INIT on any CPU of today. */
static void deassert(void)
{
	counter = 0;
	smp_begin(1, count, NULL);
	wait_flag(&counter);
	apic_send(cpu_at(1)->apic_id, ICR_INIT | ICR_LEVEL);
	tap(goes_on(), "T29 INIT level de-assert is ignored");
	smp_start(1);
}

static void nobody(void)
{
	apic_send(NOBODY, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	apic_send(NOBODY, ICR_STARTUP | ICR_ASSERT | 0x10);
	apic_send(NOBODY, ICR_NMI | ICR_ASSERT);
	tap(covered(), "T29 INIT, SIPI and NMI to an APIC id that nobody has");
}

static void set_lstar(void *arg)
{
	wrmsr(MSR_LSTAR, MARK_LSTAR);
}

/* What INIT keeps and what it resets: SDM 3A table 10-1. */
static void state_after_init(void)
{
	struct answer a = { 0 };

	smp_run(1, set_lstar, NULL);
	smp_start(1);
	smp_run(1, ask, &a);
	tap(a.lstar == MARK_LSTAR, "T29 INIT keeps MSRs");
}

static void everybody(void)
{
	unsigned up = 0;

	for (unsigned i = 1; i < cpu_total(); i++)
		cpu_at(i)->online = false;
	apic_send(0, ICR_INIT | ICR_ASSERT | ICR_LEVEL | ICR_OTHERS);
	delay(A_WHILE);
	for (unsigned i = 1; i < cpu_total(); i++) {
		smp_sipi(i);
		up += smp_wait_online(i);
	}
	tap(up == cpu_total() - 1, "T29 INIT to all others by shorthand: %u come up again", up);
	tap(covered(), "T29 under the monitor");
}

static void mark(void *flag)
{
	*(volatile uint64_t *)flag = 1;
}

/*
 * An NMI only while it is up: on the way there it has no handler yet. It may have said that it is
 * up before it took an INIT that was under way, so it is asked. false: the NMI is lost.
 */
static bool nmi_if_online(void)
{
	static volatile uint64_t answered;
	struct cpu *cpu = cpu_at(1);
	uint64_t before = cpu->nmis, start = rdtsc();

	if (!cpu->online)
		return true;
	answered = 0;
	smp_begin(1, mark, (void *)(uint64_t)&answered);
	while (!answered && !passed(start, A_WHILE))
		cpu_pause();
	if (!answered)
		return true;
	apic_send(cpu->apic_id, ICR_NMI | ICR_ASSERT);
	start = rdtsc();
	while (cpu->nmis == before && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return cpu->nmis != before;
}

/* INIT, SIPI and NMI in random order and at random times; then an orderly start must work. */
static void storm(void)
{
	uint64_t seed = option_number("SEED", 1), n = option_number("STORM", STORM_DEFAULT);
	unsigned lost = 0;

	tap_note("init storm: STORM=%lu SEED=%lu", n, seed);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t r = rand_next(&seed);

		if (r % 5 < 2)
			smp_init(1);
		else if (r % 5 < 4)
			smp_sipi(1);
		else
			lost += !nmi_if_online();
		delay(r >> 40 & 0xffff);
	}
	tap(!lost, "T29 no NMI is lost among them");
	tap(smp_start(1), "T29 after %lu random INITs, SIPIs and NMIs a CPU can be started", n);
	tap(covered(), "T29 it is under the monitor");
}

void suite_init(void)
{
	init_while("counts", count);
	init_while("spins on CPUID", cpuids);
	init_while("makes calls", calls);
	init_while("is refused MSRs", faults);
	init_while("is halted", halted);
	sipi_alone();
	two_sipis();
	two_inits();
	deassert();
	nobody();
	state_after_init();
	everybody();
	storm();
}
