/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Partitions that die while calls are made (death.c, death_calls.c).
 */
#ifndef GUEST_SUITE_DEATH_H
#define GUEST_SUITE_DEATH_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/suite/offering.h"

/* The probe, offered. */
extern struct offering victim;

/* Rounds of what is done at random times; of time, in ticks. */
unsigned death_rounds(void);
uint64_t death_random(uint64_t below);

/*
 * Whether every frame is in one of the states and every map as it must be: test_walk, while no
 * other CPU has work.
 */
bool death_maps_hold(void);

/* ---- On CPU 1 ---- */

struct killer {
	uint64_t after;	 /* ticks before it begins */
	uint64_t status; /* that the end came to */
	uint64_t busy;	 /* times it was BUSY */
};

/* Ends the victim. */
void death_kill(void *killer);

void death_by_normal_calls(void);
void death_of_judged(void);

#endif
