/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The other CPUs.
 */
#include "guest/lib/smp.h"

#include "guest/lib/apic.h"
#include "guest/lib/low.h"
#include "guest/lib/memory.h"
#include "guest/lib/x86.h"

#define TICKS_AFTER_INIT    1000000u
#define TICKS_BETWEEN_SIPIS 200000u
#define SAMPLE		    1000u
#define SAMPLES		    8u
#define REAL_TIME_SCALE	    20u

static uint64_t measure(void)
{
	uint64_t start = rdtsc();

	for (volatile unsigned i = 0; i < SAMPLE; i++)
		;
	return rdtsc() - start;
}

/* Where the TSC counts instructions the same loop takes the same time, each time but the first. */
uint64_t tick_scale(void)
{
	static uint64_t scale;
	uint64_t first, next;

	if (scale)
		return scale;
	measure();
	first = next = measure();
	for (unsigned i = 0; i < SAMPLES && first == next; i++)
		next = measure();
	scale = first == next ? 1 : REAL_TIME_SCALE;
	return scale;
}

bool passed(uint64_t start, uint64_t ticks)
{
	return rdtsc() - start >= ticks * tick_scale();
}

void delay(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (!passed(start, ticks))
		cpu_pause();
}

bool wait_flag(const volatile uint64_t *flag)
{
	uint64_t start = rdtsc();

	while (!*flag) {
		if (passed(start, SMP_PATIENCE))
			return false;
		cpu_pause();
	}
	return true;
}

/* Where low_entry.S leads a started CPU. */
static void ap_main(struct cpu *cpu)
{
	cpu_tables_load(cpu);
	apic_init();
	cpu->point = NULL;
	cpu->job = NULL;
	cpu->starts++;
	cpu->online = true;
	for (;;) {
		if (cpu->job) {
			cpu->job(cpu->job_arg);
			cpu->job = NULL;
		}
		cpu_pause();
	}
}

void smp_init(unsigned index)
{
	uint32_t id = cpu_at(index)->apic_id;

	cpu_at(index)->online = false;
	apic_send(id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
}

void smp_sipi(unsigned index)
{
	struct cpu *cpu = cpu_at(index);
	struct low_data *d = low_data();

	d->ap_entry = (uint64_t)ap_main;
	d->ap_stack = cpu->stack_top;
	d->ap_arg = (uint64_t)cpu;
	apic_send(cpu->apic_id, ICR_STARTUP | ICR_ASSERT | (uint32_t)((uint64_t)low_area() >> 12));
}

bool smp_wait_online(unsigned index)
{
	const struct cpu *cpu = cpu_at(index);
	uint64_t start = rdtsc();

	while (!cpu->online && !passed(start, SMP_PATIENCE))
		cpu_pause();
	return cpu->online;
}

bool smp_start(unsigned index)
{
	smp_init(index);
	delay(TICKS_AFTER_INIT);
	smp_sipi(index);
	delay(TICKS_BETWEEN_SIPIS);
	if (!cpu_at(index)->online)
		smp_sipi(index);
	return smp_wait_online(index);
}

bool smp_start_all(void)
{
	for (unsigned i = 1; i < cpu_total(); i++) {
		if (!cpu_at(i)->online && !smp_start(i))
			return false;
	}
	return true;
}

void smp_begin(unsigned index, void (*job)(void *arg), void *arg)
{
	struct cpu *cpu = cpu_at(index);

	cpu->job_arg = arg;
	__atomic_store_n(&cpu->job, job, __ATOMIC_RELEASE);
}

bool smp_idle(unsigned index)
{
	return !cpu_at(index)->job;
}

bool smp_wait(unsigned index)
{
	uint64_t start = rdtsc();

	while (!smp_idle(index)) {
		if (passed(start, SMP_PATIENCE))
			return false;
		cpu_pause();
	}
	return true;
}

bool smp_run(unsigned index, void (*job)(void *arg), void *arg)
{
	smp_begin(index, job, arg);
	return smp_wait(index);
}
