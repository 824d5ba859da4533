/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The other CPUs: started by INIT and SIPI, then waiting for jobs with interrupts off.
 */
#ifndef GUEST_LIB_SMP_H
#define GUEST_LIB_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/trap.h"

/*
 * Ticks are instructions: on an emulator that counts them the TSC's, elsewhere as many of the TSC's
 * as a CPU that shares its time with others takes for them.
 */

/* Ticks after which waiting for another CPU is given up. */
#define SMP_PATIENCE 400000000ull

/* How much longer waiting takes here: 1 where the TSC counts instructions. */
uint64_t tick_scale(void);

/* Whether so many ticks have passed since rdtsc() was `start`. */
bool passed(uint64_t start, uint64_t ticks);

/* Starts CPU `index`, or starts it anew. false: it did not come up. */
bool smp_start(unsigned index);

/* Starts all of them. false: one did not come up. */
bool smp_start_all(void);

/* The three messages alone. `smp_sipi` leads to the start code in the low area. */
void smp_init(unsigned index);
void smp_sipi(unsigned index);

/* Waits until CPU `index` is in its job loop. */
bool smp_wait_online(unsigned index);

/* Gives CPU `index` a job, and waits for its end. */
void smp_begin(unsigned index, void (*job)(void *arg), void *arg);
bool smp_wait(unsigned index);
bool smp_run(unsigned index, void (*job)(void *arg), void *arg);

/* Whether CPU `index` has no job. */
bool smp_idle(unsigned index);

/* Spins until *flag is not 0; false after SMP_PATIENCE. */
bool wait_flag(const volatile uint64_t *flag);

/* Spins for so many ticks. */
void delay(uint64_t ticks);

#endif
