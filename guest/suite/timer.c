/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The APIC timer (timer.h).
 */
#include "guest/suite/timer.h"

#include "guest/lib/apic.h"
#include "guest/lib/smp.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"

#define DIVIDE_BY_1    0xbu
#define TIMER_PERIODIC (1u << 17)

static volatile uint64_t hits;

static void on_timer(struct trap_frame *frame)
{
	hits++;
	apic_eoi();
}

void timer_use(void)
{
	trap_set_handler(VECTOR_TIMER, on_timer);
}

void timer_done(void)
{
	timer_in(0);
	take_interrupts();
	trap_set_handler(VECTOR_TIMER, NULL);
}

uint64_t timer_hits(void)
{
	return hits;
}

static void start(uint32_t lvt, uint32_t ticks)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, lvt);
	apic_write(APIC_TIMER_COUNT, ticks);
}

void timer_in(uint32_t ticks)
{
	start(VECTOR_TIMER, ticks);
}

void timer_every(uint32_t ticks)
{
	start(TIMER_PERIODIC | VECTOR_TIMER, ticks);
}

void take_interrupts(void)
{
	irq_on();
	delay(1000);
	irq_off();
}
