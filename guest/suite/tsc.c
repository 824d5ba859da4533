/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Time: the TSC and what a guest does with it, HLT and PAUSE, and the APIC timer that ends a HLT.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define FAR   0x100000000000ull
#define NEAR  1000000000ull
#define TICKS 100000u

static volatile uint64_t timer_seen;

static void on_timer(struct trap_frame *frame)
{
	timer_seen++;
	apic_eoi();
}

static bool near(uint64_t value, uint64_t wanted)
{
	return value - wanted < NEAR;
}

static void read_tsc(void *result)
{
	*(uint64_t *)result = rdtsc();
}

static void write_tsc(void)
{
	uint64_t before = rdtsc(), other = 0, adjust = rdmsr(MSR_TSC_ADJUST);

	wrmsr(MSR_TSC, before + FAR);
	tap(near(rdtsc(), before + FAR), "tsc: a written value is read from there on");
	tap(near(rdmsr(MSR_TSC), before + FAR), "tsc: RDMSR gives the same as RDTSC");
	tap(near(rdmsr(MSR_TSC_ADJUST) - adjust, FAR) || near(FAR, rdmsr(MSR_TSC_ADJUST) - adjust),
	    "tsc: TSC_ADJUST moves with it");
	if (cpu_total() > 1 && smp_start_all()) {
		smp_run(1, read_tsc, &other);
		tap(other < before + FAR, "tsc: another CPU's counter stays");
	}
	wrmsr(MSR_TSC_ADJUST, adjust);
	tap(rdmsr(MSR_TSC_ADJUST) == adjust, "tsc: TSC_ADJUST reads back");
	tap(near(rdtsc(), before), "tsc: writing TSC_ADJUST moves the counter back");
}

static void rdtscp(void)
{
	uint32_t lo, hi, aux;
	uint64_t tsc = rdtsc(), old = rdmsr(MSR_TSC_AUX);

	wrmsr(MSR_TSC_AUX, 0x12345);
	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	tap(aux == 0x12345 && near((uint64_t)hi << 32 | lo, tsc),
	    "tsc: RDTSCP gives TSC and TSC_AUX");
	wrmsr(MSR_TSC_AUX, old);
}

static void disabled(void)
{
	write_cr4(read_cr4() | CR4_TSD);
	expect("tsc: RDTSC in ring 0 with CR4.TSD", TRAP_NONE, 0, read_tsc, &(uint64_t){ 0 });
	write_cr4(read_cr4() & ~CR4_TSD);
}

static void monotonic(void)
{
	uint64_t last = rdtsc();
	unsigned wrong = 0;

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now;

		if (i % 16 == 0)
			cpuid(0, 0);
		now = rdtsc();
		wrong += now < last;
		last = now;
	}
	tap(!wrong, "tsc: never runs backwards, exits in between or not");
}

/* HLT with interrupts on, ended by the timer; a HLT that never ends shows as a run out of time. */
static void halt(void)
{
	timer_seen = 0;
	trap_set_handler(VECTOR_TIMER, on_timer);
	apic_write(APIC_TIMER_DIVIDE, 0xb);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	for (unsigned i = 1; i <= 10; i++) {
		apic_write(APIC_TIMER_COUNT, TICKS);
		while (timer_seen < i)
			__asm__ volatile("sti; hlt; cli" : : : "memory");
	}
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	trap_set_handler(VECTOR_TIMER, NULL);
	tap(timer_seen == 10, "tsc: ten HLTs, each ended by one timer interrupt");
}

/* The deadline is in the guest's TSC, moved or not. */
static void deadline(void)
{
	uint64_t old = rdmsr(MSR_TSC_ADJUST), start;

	if (!(cpuid(1, 0).ecx >> 24 & 1)) {
		tap_skip("the CPU has no TSC deadline", "tsc: deadline timer");
		return;
	}
	trap_set_handler(VECTOR_TIMER, on_timer);
	apic_write(APIC_LVT_TIMER, 2u << 17 | VECTOR_TIMER);
	for (unsigned moved = 0; moved < 2; moved++) {
		timer_seen = 0;
		wrmsr(MSR_TSC_ADJUST, old + (moved ? FAR : 0));
		start = rdtsc();
		wrmsr(MSR_TSC_DEADLINE, start + TICKS);
		irq_on();
		wait_flag(&timer_seen);
		irq_off();
		tap(timer_seen == 1 && rdtsc() - start >= TICKS &&
			rdtsc() - start < 10 * TICKS + NEAR,
		    "tsc: the deadline timer fires when due (counter %s)",
		    moved ? "moved" : "as it was");
	}
	wrmsr(MSR_TSC_ADJUST, old);
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	trap_set_handler(VECTOR_TIMER, NULL);
}

static void pause_loop(void)
{
	for (unsigned i = 0; i < 100000; i++)
		cpu_pause();
	tap(true, "tsc: 100000 PAUSEs");
}

void suite_tsc(void)
{
	monotonic();
	write_tsc();
	rdtscp();
	disabled();
	halt();
	deadline();
	pause_loop();
}
