/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the property tests share: numbers drawn from a seed that is printed, and the verdict.
 *
 * N= and SEED= in the environment choose the number of operations and the seed; without SEED the
 * time does.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct model {
	uint64_t seed;
	uint64_t state;
	uint64_t operations; /* to do */
	uint64_t done;
};

/* Reads N and SEED; prints the seed, and the TAP plan for `tests` tests. */
struct model model_start(unsigned tests);

/* A number below `bound`, which is not 0. */
uint64_t draw(struct model *model, uint64_t bound);

/* One time in `n`. */
bool chance(struct model *model, unsigned n);

/* Prints one TAP line. */
void model_passed(struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Tells what is wrong, after how many operations, and from which seed; ends the program. */
_Noreturn void model_failed(struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
