/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Second-stage tables (EPT, NPT). One page-table code; the vendor's format supplies the bits of an
 * entry.
 *
 * A change is made in two steps: stage2_prepare() makes sure that the range begins and ends at the
 * edge of a mapping (tables split, memory taken: may fail, changes no translation); then the commit
 * functions, which cannot fail. Entries are written with single 64-bit stores; a table is published
 * by one store after it is complete. Not-present entries are zero, so they hold no frame number
 * (T10). No commit flushes: the caller decides when cpu_flush_all() is due.
 *
 * Locks: every function but stage2_init() wants `lock` of the tables held and CHECKs that it is;
 * the same lock guards the pool. That holds for stage2_lookup() too: a CPU in root mode counts as
 * flushed, so without the lock a table could be freed under the reader.
 *
 * A table that a merge took out of use may still be walked by a CPU that remembers it, so it is
 * left as it was until every CPU has flushed: it goes to a short list of retired tables, and
 * stage2_reclaim() after cpu_flush_all() frees it.
 */
#pragma once

#include <stddef.h>

#include "arch/addr.h"
#include "arch/lock.h"

/*
 * Protection mask. Where the CPU cannot tell UX from KX both must be given or neither (see
 * stage2_has_mbec()).
 */
/* Whatever is mapped is readable: W or X alone is a CHECK. */
#define S2_R   1u
#define S2_W   2u
#define S2_UX  4u
#define S2_KX  8u
#define S2_X   (S2_UX | S2_KX)
#define S2_RWX (S2_R | S2_W | S2_X)

/* Memory types, numbered as in MTRRs (SDM 3A 12.11). Formats without a type field ignore them. */
enum s2_type { S2_UC = 0, S2_WC = 1, S2_WT = 4, S2_WP = 5, S2_WB = 6 };

#define STAGE2_RETIRED 64u

/* Frames for tables, all reserved at launch. */
struct stage2_pool {
	uint64_t *free;	  /* first free table; its first word leads to the next */
	uint64_t *fresh;  /* tables never used yet, in a row */
	size_t available; /* free and fresh together */
	size_t total;
	size_t retired_count;
	uint64_t *retired[STAGE2_RETIRED];
};

struct stage2 {
	struct spinlock *lock; /* several tables may share one, and share a pool then */
	uint64_t *root;
	struct stage2_pool *pool;
	unsigned largest;  /* level of the largest leaves: 1 for 2 MiB, 2 for 1 GiB */
	bool written_back; /* entries leave the CPU's caches: who walks them does not look there */
};

/* How a range is mapped. */
struct stage2_attr {
	unsigned prot; /* not 0 */
	enum s2_type type;
};

/* What stands at an address. */
struct stage2_leaf {
	bool present;
	/* FRAME_SHIFT, LARGE_SHIFT, HUGE_SHIFT; or of the empty entry's span (up to 39) */
	unsigned shift;
	spa_t spa; /* of the address asked for, not of the leaf's start */
	unsigned prot;
	enum s2_type type;
};

/* What the vendor's format can do; asked after MONITOR_CHECK has passed. */
bool stage2_has_huge(void);
bool stage2_has_mbec(void);

/*
 * First guest physical address that tables or CPU cannot reach: the lesser of 2^48 and
 * 2^MAXPHYADDR. Multiple of 1 GiB.
 */
uint64_t stage2_limit(void);

/*
 * A range below it that is neither memory nor a device's but the bus's own, and never mapped:
 * multiples of 1 GiB; end 0: there is none.
 */
struct withheld {
	uint64_t base, end;
};
struct withheld stage2_withheld(void);

/* Makes the pool of `pages` frames at `memory`, whatever stands in them. */
void stage2_pool_init(struct stage2_pool *pool, void *memory, size_t pages);

/*
 * An empty table of 4 levels, to be guarded by `lock`, whose leaves are as large as the CPU's can
 * be. false: the pool is empty.
 */
bool stage2_init(struct stage2 *s2, struct stage2_pool *pool, struct spinlock *lock);

/*
 * Makes [gpa, gpa + pages * 4 KiB) begin and end at the edge of mappings, and, where `small`,
 * consist of 4 KiB entries only, mapped or empty. All tables that stage2_map() will want are there
 * afterwards. Translations stay as they are. false: not enough tables in the pool; then nothing has
 * changed but splits that leave translations as they were.
 */
bool stage2_prepare(struct stage2 *s2, gpa_t gpa, uint64_t pages, bool small);

/*
 * Maps a prepared range to [spa, ...), with the largest pages that the tables there allow. Where
 * spa and gpa do not agree modulo 1 GiB the range must have been prepared `small`. Cannot fail
 * where prepare did not.
 */
void stage2_map(struct stage2 *s2, gpa_t gpa, spa_t spa, uint64_t pages, struct stage2_attr attr);

/*
 * Changes the protection mask of all that is mapped in a range at whose ends mappings end. prot 0
 * unmaps.
 */
void stage2_protect(struct stage2 *s2, gpa_t gpa, uint64_t pages, unsigned prot);

/* Changes the memory type of all that is mapped in a range at whose ends mappings end. */
void stage2_retype(struct stage2 *s2, gpa_t gpa, uint64_t pages, enum s2_type type);

/*
 * Merges back what can be merged in the tables that the range touches: full tables of equal,
 * contiguous leaves become one leaf, empty ones an empty entry. Translations stay as they are.
 * Returns the number of tables retired; STAGE2_RETIRED means that there may be more to do after a
 * flush and stage2_reclaim().
 */
size_t stage2_merge(struct stage2 *s2, gpa_t gpa, uint64_t pages);

/*
 * Frees the retired tables. cpu_flush_all() has run since the merge, under the same hold of the
 * lock.
 */
void stage2_reclaim(struct stage2 *s2);

struct stage2_leaf stage2_lookup(const struct stage2 *s2, gpa_t gpa);
