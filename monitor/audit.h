/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events. audit() is declared in arch/upcall.h; ids, records and the chain of their digests
 * are described in abi/audit.h.
 *
 * T74: each id has a budget of records, which time refills, and remembers its newest AUDIT_KINDS
 * subjects. Equal events make log2(n) records; a guest that varies the subject uses up the id's
 * budget and no other's. The bursts of all ids together leave half of the ring alone, and from then
 * on a record gives way only as fast as budgets refill. What the budget refuses costs a search
 * among AUDIT_KINDS subjects under the lock; SHA-256 (two blocks) is computed for records alone. A
 * record is also a line in the log, written behind the lock.
 */
#pragma once

#include <stdint.h>

#include "monitor/abi/audit.h"
#include "monitor/log.h"

#define AUDIT_RECORDS	    1024u	 /* kept */
#define AUDIT_KINDS	    16u		 /* subjects of an id that are told apart */
#define AUDIT_BURST	    16u		 /* records that an id may make at once */
#define AUDIT_REFILL_CYCLES (1ull << 36) /* for each further one */

_Static_assert(AUDIT_BURST *REDOUBT_AUDIT_LAST <= AUDIT_RECORDS / 2, "bursts leave evidence alone");

/* Times that an event, below REDOUBT_AUDIT_LAST, was audited since launch. No lock. */
uint64_t audit_total(unsigned event);

/* Number behind the newest record: how many were ever made. No lock. */
uint64_t audit_end(void);

/*
 * Copies up to `count` records from number `position` on, which is at most audit_end(). Takes the
 * audit lock.
 */
struct log_part audit_copy(uint64_t position, struct redoubt_audit_record *to, uint64_t count);
