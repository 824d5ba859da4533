/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the doctor found: lines, each about one thing; the claims that Redoubt would show here; and
 * what stands in its way.
 */
#ifndef TOOLS_DOCTOR_REPORT_H
#define TOOLS_DOCTOR_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/abi/bootinfo.h"

#define REPORT_LINES 48u
#define REPORT_TEXT  400u

enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_UNKNOWN, /* could not be read here */
	ANSWER_NOTE,	/* neither: a fact to know */
};

struct line {
	const char *id;
	enum answer answer;
	unsigned length;
	char text[REPORT_TEXT];
};

struct report {
	unsigned count;
	struct line lines[REPORT_LINES];
	uint32_t claims;	    /* REDOUBT_DEGRADED_ bits of monitor/abi/cpuid.h */
	enum launch_status refusal; /* the monitor's first reason; LAUNCH_OK: none */
	const char *obstacle;	    /* the first reason that is not the monitor's; NULL: none */
	unsigned doubts;	    /* things that decide, and could not be read */
};

/* A new line with a text to begin with. Beyond REPORT_LINES the last one is written over. */
struct line *report_line(struct report *report, const char *id, enum answer answer,
    const char *text);

/* Adds to a line's text; what does not fit, or is not printable ASCII, is left out. */
void line_add(struct line *line, const char *text);
void line_dec(struct line *line, uint64_t value);
void line_hex(struct line *line, uint64_t value);

/* The first one counts. */
void report_refuse(struct report *report, enum launch_status status);
void report_obstacle(struct report *report, const char *sentence);

/* The sentence of monitor/abi/launch.def. */
const char *launch_sentence(enum launch_status status);

/* ANSWER_NO if anything stands in the way, ANSWER_UNKNOWN if that could not be read, ANSWER_YES. */
enum answer report_verdict(const struct report *report);

#endif
