/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VPs as the tests drive them (monitor/test/vp.c), and the programs they run (vp_code.S).
 */
#ifndef GUEST_SUITE_VP_H
#define GUEST_SUITE_VP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/suite/test_calls.h"
#include "guest/suite/vp_layout.h"

#define VP_PAGES  8u
#define VP_LONG	  (~0ull)      /* cycles: until something else stops it */
#define VP_ENOUGH 100000000ull /* for whoever is about to call */

/* enum vp_stop of arch/vp.h. */
enum { VP_CALLED, VP_INTERRUPTED, VP_EXPIRED, VP_FAULTED };

#define VP_RUN_CALL 0x1010u /* test_vp_run of monitor/test/testcalls.def, for assembly */

/* S2_ bits of arch/stage2.h. */
#define VP_READ_EXECUTE 13u

#define VP_PROGRAM(name) extern const uint8_t vp_code_##name[], vp_code_##name##_end[]
VP_PROGRAM(echo);
VP_PROGRAM(long);
VP_PROGRAM(hole);
VP_PROGRAM(hole32);
VP_PROGRAM(faults);
VP_PROGRAM(unwatched);
VP_PROGRAM(user);
VP_PROGRAM(spin);
VP_PROGRAM(count);
VP_PROGRAM(look);

/* Makes VP `index` of a program; vp_drop() must have ended the one before. */
#define vp_make(index, name) vp_make_of(index, vp_code_##name, vp_code_##name##_end, NULL, 0)
void vp_make_of(unsigned index, const uint8_t *from, const uint8_t *end, const void *hole,
    size_t bytes);
void vp_drop(unsigned index);

/* Runs it. Not OK ends the test run. */
struct redoubt_test_vp_run vp_run(unsigned index, uint64_t cycles);

/* "called" and the like. */
const char *vp_stop_name(uint64_t stop);

/* A TAP point: it must stop for this reason. */
bool vp_expect(const char *what, uint64_t stop, const struct redoubt_test_vp_run *run);

/* A word of 64 bits of its memory, by its own address. */
uint64_t vp_word(unsigned index, uint64_t address);

/* vp_smp.c: what takes more than one CPU. */
void vp_between_cpus(void);

#endif
