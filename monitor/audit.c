/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events (audit.h).
 */
#include "monitor/audit.h"

#include "arch/cpu.h"
#include "arch/upcall.h"

/* What an id may still log. */
struct budget {
	uint64_t total;	   /* events */
	uint64_t unlogged; /* since the last line */
	uint64_t since;	   /* cycles at which the refill was last counted */
	uint32_t spent;	   /* lines not yet refilled */
};

static struct spinlock lock = { .rank = LOCK_AUDIT };

/* The lock guards all of it. */
static struct {
	uint64_t added; /* records ever made */
	struct audit_record records[AUDIT_RECORDS];
	struct budget budgets[REDOUBT_AUDIT_LAST];
} ring;

static const char *const names[REDOUBT_AUDIT_LAST] = { [0] = "UNKNOWN",
#define NAME(name, value, sentence) [value] = #name,
	REDOUBT_AUDIT_EVENTS(NAME)
#undef NAME
};

/* The kept record of the same kind, or a new one, whose count is 0. */
static struct audit_record *record_for(unsigned event, uint64_t subject, uint64_t fact)
{
	struct audit_record *record;

	for (unsigned i = 0; i < AUDIT_RECORDS; i++) {
		record = &ring.records[i];
		if (record->count != 0 && record->event == event && record->subject == subject)
			return record;
	}
	record = &ring.records[ring.added++ % AUDIT_RECORDS];
	*record = (struct audit_record){ event, cpu_index(), subject, fact, 0 };
	return record;
}

/* Whether the id may log a line now; takes it from the budget. */
static bool may_log(struct budget *budget, uint64_t now)
{
	/* CPUs' time stamps may differ a little. */
	uint64_t refill = now > budget->since ? (now - budget->since) / AUDIT_REFILL_CYCLES : 0;

	if (refill > 0) {
		budget->spent = refill < budget->spent ? budget->spent - (uint32_t)refill : 0;
		budget->since = now;
	}
	if (budget->spent >= AUDIT_BURST)
		return false;
	budget->spent++;
	return true;
}

static void log_record(const struct audit_record *record, struct budget *budget)
{
	klog(LOG_WARN, "audit %s subject=%lx fact=%lx count=%lu total=%lu unlogged=%lu lost=%lu",
	    names[record->event], (unsigned long)record->subject, (unsigned long)record->fact,
	    (unsigned long)record->count, (unsigned long)budget->total,
	    (unsigned long)budget->unlogged, (unsigned long)audit_lost());
	budget->unlogged = 0;
}

void audit(unsigned event, uint64_t subject, uint64_t fact)
{
	unsigned known = event < REDOUBT_AUDIT_LAST ? event : 0;
	struct audit_record *record;
	struct budget *budget = &ring.budgets[known];

	spin_lock(&lock);
	record = record_for(known, subject, fact);
	record->count++;
	budget->total++;
	/* A kind is logged when it is new, and again each time its count has doubled. */
	if ((record->count & (record->count - 1)) == 0 && may_log(budget, cpu_cycles()))
		log_record(record, budget);
	else
		budget->unlogged++;
	spin_unlock(&lock);
}

uint64_t audit_total(unsigned event)
{
	unsigned known = event < REDOUBT_AUDIT_LAST ? event : 0;

	return __atomic_load_n(&ring.budgets[known].total, __ATOMIC_RELAXED);
}

bool audit_get(unsigned age, struct audit_record *record)
{
	bool found;

	spin_lock(&lock);
	found = age < AUDIT_RECORDS && age < ring.added;
	if (found)
		*record = ring.records[(ring.added - 1 - age) % AUDIT_RECORDS];
	spin_unlock(&lock);
	return found;
}

uint64_t audit_lost(void)
{
	uint64_t added = __atomic_load_n(&ring.added, __ATOMIC_RELAXED);

	return added > AUDIT_RECORDS ? added - AUDIT_RECORDS : 0;
}
