/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The examination: one table of checks for every world, fed by a source of facts.
 */
#ifndef TOOLS_DOCTOR_DOCTOR_H
#define TOOLS_DOCTOR_DOCTOR_H

#include "tools/doctor/facts.h"
#include "tools/doctor/report.h"

/* Fills the report. Verdict and claims are for finish(), after the caller's own lines. */
void doctor_examine(const struct source *source, struct report *report);

/* Adds the lines of claims and of the verdict. `more`: who can tell the rest; "" nobody. */
void doctor_finish(struct report *report, const char *more);

/* Writes the report for a person, in lines of at most 79 columns that end with `newline`. */
struct printer {
	void (*put)(void *context, const char *text);
	void *context;
	const char *newline;
};
void doctor_print(const struct report *report, const struct printer *printer);

/* "yes", "no", "unknown", "note" */
const char *answer_word(enum answer answer);

/* The claims of the report one after the other, NULL behind the last; i counts from 0. */
const char *doctor_claim(const struct report *report, unsigned i);

#endif
