/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events (audit.h).
 */
#include "monitor/audit.h"

#include "arch/cpu.h"
#include "arch/iommu.h"
#include "arch/upcall.h"
#include "monitor/call.h"
#include "monitor/lib/sha256.h"
#include "monitor/lib/string.h"

struct kind {
	uint64_t subject;
	uint64_t count; /* 0: empty */
};

/* An id: what it may still record, and its newest kinds. */
struct source {
	uint64_t total;	     /* events */
	uint64_t unrecorded; /* since the last record */
	uint64_t due;	     /* cycles at which the budget is full again */
	uint32_t made;	     /* kinds ever seen */
	struct kind kinds[AUDIT_KINDS];
};

static struct spinlock lock = { .rank = LOCK_AUDIT };

/* The lock guards all of it. */
static struct {
	uint64_t end; /* records ever made */
	uint8_t head[SHA256_BYTES];
	struct redoubt_audit_record records[AUDIT_RECORDS];
	struct source sources[REDOUBT_AUDIT_LAST];
} ring;

static const char *const names[REDOUBT_AUDIT_LAST] = { [0] = "UNKNOWN",
#define NAME(name, value, sentence) [value] = #name,
	REDOUBT_AUDIT_EVENTS(NAME)
#undef NAME
};

/* Counts an event of a kind, in the place of the oldest if it is new. */
static uint64_t count_kind(struct source *source, uint64_t subject)
{
	for (unsigned i = 0; i < AUDIT_KINDS; i++)
		if (source->kinds[i].count != 0 && source->kinds[i].subject == subject)
			return ++source->kinds[i].count;
	source->kinds[source->made++ % AUDIT_KINDS] = (struct kind){ subject, 1 };
	return 1;
}

/* Whether the id may make a record now. Each costs a time, which must not lie too far ahead. */
static bool may_record(struct source *source, uint64_t now)
{
	uint64_t due = source->due > now ? source->due : now;

	if (due + AUDIT_REFILL_CYCLES > now + AUDIT_BURST * AUDIT_REFILL_CYCLES)
		return false;
	source->due = due + AUDIT_REFILL_CYCLES;
	return true;
}

static void append(struct redoubt_audit_record *record)
{
	struct sha256 hash;

	memcpy(record->chain, ring.head, sizeof(record->chain));
	record->number = ring.end;
	ring.records[ring.end % AUDIT_RECORDS] = *record;
	sha256_start(&hash);
	sha256_add(&hash, record, sizeof(*record));
	sha256_end(&hash, ring.head);
	__atomic_store_n(&ring.end, ring.end + 1, __ATOMIC_RELAXED);
}

/* A kind is recorded when it is new, and again each time its count has doubled. */
static bool take(struct source *source, struct redoubt_audit_record *record)
{
	record->count = count_kind(source, record->subject);
	record->total = ++source->total;
	record->unrecorded = source->unrecorded++;
	if ((record->count & (record->count - 1)) != 0 || !may_record(source, record->cycles))
		return false;
	source->unrecorded = 0;
	append(record);
	return true;
}

void audit(unsigned event, uint64_t subject, uint64_t fact)
{
	struct redoubt_audit_record record = { .cycles = cpu_cycles(),
		.event = event < REDOUBT_AUDIT_LAST ? event : 0,
		.cpu = cpu_index(),
		.subject = subject,
		.fact = fact };
	bool recorded;

	spin_lock(&lock);
	recorded = take(&ring.sources[record.event], &record);
	spin_unlock(&lock);
	if (recorded)
		klog(LOG_WARN, "audit %s number=%lu subject=%lx fact=%lx count=%lu unrecorded=%lu",
		    names[record.event], record.number, subject, fact, record.count,
		    record.unrecorded);
}

uint64_t audit_total(unsigned event)
{
	return __atomic_load_n(&ring.sources[event].total, __ATOMIC_RELAXED);
}

uint64_t audit_end(void)
{
	return __atomic_load_n(&ring.end, __ATOMIC_RELAXED);
}

struct log_part audit_copy(uint64_t position, struct redoubt_audit_record *to, uint64_t count)
{
	struct log_part part;

	spin_lock(&lock);
	part = log_part(position, count, ring.end, AUDIT_RECORDS);
	for (uint64_t i = 0; i < part.copied; i++)
		to[i] = ring.records[(part.next - part.copied + i) % AUDIT_RECORDS];
	spin_unlock(&lock);
	return part;
}

uint64_t call_audit_head(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	dma_report();
	spin_lock(&lock);
	memcpy(rets, ring.head, sizeof(ring.head));
	spin_unlock(&lock);
	return REDOUBT_OK;
}
