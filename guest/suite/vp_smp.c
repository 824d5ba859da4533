/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VPs and several CPUs: one that moves from CPU to CPU, and what other CPUs do to the CPU that runs
 * one: NMI, INIT, interrupts, invalidations (T28, T75).
 */
#include "guest/suite/vp.h"

#include "guest/lib/apic.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"

#define MOVES	      40u
#define NMIS	      100u
#define NMI_DELAY     20000u
#define SHORT_NMIS    2000u
#define INITS	      5u
#define A_WHILE	      2000000u
#define A_LONG_WHILE  20000000u
#define FLUSHES	      300u
#define ROUNDS	      60u
#define BACKSTOP      20000000u
#define MERGES_MAX    10u
#define TIMER_DIVIDE1 0xbu
#define DATA_PAGE     4u
#define FIRST_STRAY   32u

/* What a CPU's run of a VP came to. */
static struct redoubt_test_vp_run result;
static volatile uint64_t ended, stop, hits;

static void on_interrupt(struct trap_frame *frame)
{
	hits++;
	apic_eoi();
}

static void take_interrupts(void)
{
	irq_on();
	delay(1000);
	irq_off();
}

/*
 * What firmware has left pending at a CPU, which an INIT that the monitor carries out cannot take
 * back, would end every run there.
 */
static void take_strays(void *unused)
{
	for (unsigned vector = FIRST_STRAY; vector < VECTOR_TIMER; vector++)
		trap_set_handler(vector, on_interrupt);
	take_interrupts();
	for (unsigned vector = FIRST_STRAY; vector < VECTOR_TIMER; vector++)
		trap_set_handler(vector, NULL);
}

static void run_once(void *index)
{
	result = vp_run((unsigned)(uint64_t)index, VP_LONG);
	take_interrupts();
	ended = 1;
}

/* Whether the VP's count goes on. */
static bool counts(unsigned index)
{
	uint64_t start = rdtsc(), before = vp_word(index, VP_DATA);

	while (vp_word(index, VP_DATA) == before && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return vp_word(index, VP_DATA) != before;
}

/* CPU 1 runs VP 0, which counts. */
static void begin_spin(void)
{
	ended = 0;
	smp_begin(1, run_once, (void *)0);
	if (!counts(0))
		bail("VP 0 does not run on CPU 1");
}

/* An interrupt for CPU 1 ends the run; it is taken once. */
static void end_spin(const char *what)
{
	hits = 0;
	apic_send(cpu_at(1)->apic_id, VECTOR_IPI | ICR_ASSERT);
	wait_flag(&ended);
	smp_wait(1);
	vp_expect(what, VP_INTERRUPTED, &result);
	tap(hits == 1, "T28 the interrupt is delivered once (%lu)", hits);
}

/* ---- A VP that moves ---- */

static bool counted(unsigned index, uint64_t wanted)
{
	struct redoubt_test_vp_regs regs;

	return redoubt_test_vp_regs(index, &regs) == REDOUBT_OK && regs.rax == wanted &&
	    regs.rcx == wanted && regs.rdx == wanted && regs.r8 == 0;
}

static void run_counter(void *index)
{
	result = vp_run((unsigned)(uint64_t)index, VP_ENOUGH);
}

static void run_counter_on(unsigned cpu, void *index)
{
	if (cpu == 0)
		run_counter(index);
	else
		smp_run(cpu, run_counter, index);
}

static void moves(void)
{
	unsigned wrong = 0;

	vp_make(0, count);
	vp_make(1, count);
	for (unsigned i = 1; i <= MOVES; i++) {
		run_counter_on(i & 1, (void *)0);
		wrong += result.stop != VP_CALLED || !counted(0, i);
		run_counter_on(1 - (i & 1), (void *)1);
		wrong += result.stop != VP_CALLED || !counted(1, i);
	}
	tap(!wrong, "T25 two VPs move between two CPUs %u times with their registers", MOVES);
	for (unsigned i = 1; i <= MOVES; i++) {
		run_counter((void *)0);
		wrong += result.stop != VP_CALLED || !counted(0, MOVES + i);
		run_counter((void *)1);
		wrong += result.stop != VP_CALLED || !counted(1, MOVES + i);
	}
	tap(!wrong, "T25 and take turns on one");
	vp_drop(1);
	vp_drop(0);
}

/* ---- NMIs ---- */

static void nmi_soon(void *arg)
{
	delay(NMI_DELAY + 37 * (uint64_t)arg);
	apic_send(cpu_at(0)->apic_id, ICR_NMI | ICR_ASSERT);
}

/* The timer ends a run that the NMI came too early for. */
static void nmis(void)
{
	struct cpu *self = cpu_self();
	uint64_t before = self->nmis, in_time = 0, wrong = 0;

	vp_make(0, spin);
	apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	for (uint64_t i = 1; i <= NMIS; i++) {
		apic_write(APIC_TIMER_COUNT, BACKSTOP * (uint32_t)tick_scale());
		smp_begin(1, nmi_soon, (void *)i);
		wrong += vp_run(0, VP_LONG).stop != VP_INTERRUPTED;
		in_time += apic_read(APIC_TIMER_NOW) != 0;
		smp_wait(1);
		apic_write(APIC_TIMER_COUNT, 0);
		take_interrupts();
		wrong += self->nmis != before + i;
	}
	tap(!wrong, "T28 %u NMIs while a VP runs: each taken once (%lu)", NMIS,
	    self->nmis - before);
	tap(in_time > NMIS / 2, "T28 they interrupt it (%lu)", in_time);
	vp_drop(0);
}

/* ---- INIT ---- */

static void ask(void *present)
{
	*(volatile bool *)present = monitor_present();
}

static void init(void)
{
	uint64_t starts = cpu_at(1)->starts, seen;
	bool present = false;

	begin_spin();
	smp_init(1);
	delay(A_WHILE);
	seen = vp_word(0, VP_DATA);
	delay(A_WHILE);
	tap(vp_word(0, VP_DATA) == seen && !ended, "T28 INIT stops a CPU that runs a VP");
	tap(!cpu_at(1)->online && cpu_at(1)->starts == starts, "T28 it waits for SIPI");
	apic_write(APIC_TIMER_COUNT, BACKSTOP / 10 * (uint32_t)tick_scale());
	result = vp_run(0, VP_LONG);
	take_interrupts();
	tap(result.stop == VP_INTERRUPTED && vp_word(0, VP_DATA) > seen,
	    "T28 the VP goes on, on another CPU");
	smp_sipi(1);
	tap(smp_wait_online(1) && cpu_at(1)->starts == starts + 1, "T28 SIPI starts the CPU");
	tap(smp_run(1, ask, &present) && present, "T28 it is under the monitor");
}

static void inits(void)
{
	vp_make(0, spin);
	for (unsigned i = 0; i < INITS; i++)
		init();
	vp_drop(0);
}

/* ---- Invalidations ---- */

static void flushes(void)
{
	uint64_t nmis_before = cpu_at(1)->nmis;

	vp_make(0, spin);
	begin_spin();
	redoubt_test_flush(FLUSHES);
	tap(counts(0) && !ended, "T75 %u flushes on all CPUs do not stop a VP", FLUSHES);
	end_spin("T28 an interrupt stops it");
	tap(cpu_at(1)->nmis == nmis_before, "T75 no kick reaches the normal world");
	vp_drop(0);
}

static void run_until_told(void *index)
{
	while (!stop) {
		result = vp_run((unsigned)(uint64_t)index, VP_LONG);
		if (result.stop != VP_INTERRUPTED)
			return;
	}
}

/* false: none more was taken. */
static bool taken(const struct cpu *cpu, uint64_t before)
{
	uint64_t start = rdtsc();

	while (cpu->nmis == before && !passed(start, A_LONG_WHILE))
		cpu_pause();
	return cpu->nmis != before;
}

/* A kick and an NMI of the guest's that meet merge in hardware (README.md, caveats). */
static void flushes_and_nmis(void)
{
	const struct cpu *other = cpu_at(1);
	unsigned merged = 0, added = 0;

	vp_make(0, spin);
	stop = 0;
	smp_begin(1, run_until_told, (void *)0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t before = other->nmis;

		if (!counts(0))
			break;
		redoubt_test_flush(1 + i % 5);
		apic_send(other->apic_id, ICR_NMI | ICR_ASSERT);
		redoubt_test_flush(1 + i % 3);
		merged += !taken(other, before);
		added += other->nmis > before + 1;
	}
	stop = 1;
	apic_send(other->apic_id, ICR_NMI | ICR_ASSERT);
	tap(smp_wait(1) && result.stop == VP_INTERRUPTED, "T75 flushes and NMIs while a VP runs");
	tap(!added && merged * MERGES_MAX <= ROUNDS, "T75 each NMI is taken once (%u merged)",
	    merged);
	vp_drop(0);
}

static void run_short(void *index)
{
	while (!stop) {
		result = vp_run((unsigned)(uint64_t)index, VP_ENOUGH);
		if (result.stop != VP_CALLED && result.stop != VP_INTERRUPTED)
			return;
	}
}

/* Runs that end at once, so that NMIs come at every point of the way in and out. */
static void nmis_on_the_way(void)
{
	const struct cpu *other = cpu_at(1);
	unsigned missed = 0, added = 0;

	vp_make(0, echo);
	stop = 0;
	smp_begin(1, run_short, (void *)0);
	for (unsigned i = 0; i < SHORT_NMIS; i++) {
		uint64_t before = other->nmis;

		delay(i * 61 % 2048);
		apic_send(other->apic_id, ICR_NMI | ICR_ASSERT);
		missed += !taken(other, before);
		added += other->nmis > before + 1;
	}
	stop = 1;
	tap(smp_wait(1) && (result.stop == VP_CALLED || result.stop == VP_INTERRUPTED),
	    "T75 a VP is run again and again while NMIs come");
	tap(!missed && !added, "T28 each of %u is taken once (%u missed)", SHORT_NMIS, missed);
	vp_drop(0);
}

/* From the moment the call returns nothing lands in a page that may no longer be written. */
static void stale_translation(void)
{
	uint64_t seen;

	vp_make(0, spin);
	begin_spin();
	redoubt_test_vp_protect(0, DATA_PAGE, VP_READ_EXECUTE);
	seen = vp_word(0, VP_DATA);
	wait_flag(&ended);
	smp_wait(1);
	vp_expect("T75 a VP writes what was made read-only", VP_FAULTED, &result);
	tap(result.fact == VP_DATA && vp_word(0, VP_DATA) == seen, "T75 nothing lands (%lx)",
	    result.fact);
	vp_drop(0);
}

void vp_between_cpus(void)
{
	trap_set_handler(VECTOR_IPI, on_interrupt);
	trap_set_handler(VECTOR_TIMER, on_interrupt);
	smp_run(1, take_strays, NULL);
	moves();
	nmis();
	inits();
	flushes();
	flushes_and_nmis();
	nmis_on_the_way();
	stale_translation();
	trap_set_handler(VECTOR_IPI, NULL);
	trap_set_handler(VECTOR_TIMER, NULL);
}
