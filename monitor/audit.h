/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events. audit() is declared in arch/upcall.h, the ids in abi/audit.h.
 *
 * A ring keeps the newest AUDIT_RECORDS kinds of event; an event with the id and subject of one
 * that is kept adds to its count. The oldest gives way to a new one, and that is counted. Each
 * event has a total that only grows. A line in the log goes with each new record, as far as the
 * id's budget of lines reaches, which time refills; what was not logged is counted in the id's next
 * line. So a guest can neither fill the log nor make a loss go unseen (T74).
 */
#ifndef MONITOR_AUDIT_H
#define MONITOR_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "monitor/abi/audit.h"

#define AUDIT_RECORDS	    256u
#define AUDIT_BURST	    16u		 /* lines that an id may log at once */
#define AUDIT_REFILL_CYCLES (1ull << 31) /* for each further one */

struct audit_record {
	uint32_t event; /* REDOUBT_AUDIT_; 0: empty */
	uint32_t cpu;	/* that saw it first */
	uint64_t subject;
	uint64_t fact; /* of the first */
	uint64_t count;
};

/* Times that an event was audited since launch. Events out of range count as event 0. No lock. */
uint64_t audit_total(unsigned event);

/* The record `age` back from the newest kind (0). false: there is none. Takes the audit lock. */
bool audit_get(unsigned age, struct audit_record *record);

/* Records that gave way to newer ones. */
uint64_t audit_lost(void);

#endif
