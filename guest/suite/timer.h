/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The running CPU's APIC timer, for what an interrupt comes into.
 */
#ifndef GUEST_SUITE_TIMER_H
#define GUEST_SUITE_TIMER_H

#include <stdint.h>

/* Counts the timer's interrupts from now on; gives them up. */
void timer_use(void);
void timer_done(void);

/* Interrupts taken since the first timer_use(). */
uint64_t timer_hits(void);

/* One interrupt, `ticks` from now; 0: none. */
void timer_in(uint32_t ticks);

/* One every `ticks`. */
void timer_every(uint32_t ticks);

/* Takes what is pending. */
void take_interrupts(void);

#endif
