/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Second-stage tables (arch/stage2.h), for every format. Nothing here recurses: each function goes
 * over its range entry by entry, finding each from the root, and goes on behind the span of the
 * entry found.
 */
#include "arch/stage2.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/stage2_format.h"
#include "arch/upcall.h"

#define ENTRIES	    512u
#define ROOT_LEVEL  3u
#define ADDRESS_END (1ull << 48)

/* An entry and the level of its table. */
struct place {
	uint64_t *entry;
	unsigned level;
};

/* For change_range(): what it leaves as it is. */
#define KEEP_PROT ~0u
#define KEEP_TYPE ((enum s2_type) ~0u)

static unsigned level_shift(unsigned level)
{
	return FRAME_SHIFT + 9 * level;
}

static uint64_t span(unsigned level)
{
	return 1ull << level_shift(level);
}

static uint64_t span_end(uint64_t at, unsigned level)
{
	return (at | (span(level) - 1)) + 1;
}

static uint64_t load(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/* One store, after all that it leads to has been written. */
static void store(const struct stage2 *s2, uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	if (s2->written_back)
		cpu_write_back(entry);
}

static void check_range(const struct stage2 *s2, gpa_t gpa, uint64_t pages)
{
	CHECK(spin_held(s2->lock));
	CHECK(gpa.v % FRAME_SIZE == 0 && gpa.v <= ADDRESS_END);
	CHECK(pages <= (ADDRESS_END - gpa.v) >> FRAME_SHIFT);
}

static void check_prot(unsigned prot)
{
	CHECK((prot & ~S2_RWX) == 0 && (prot == 0 || (prot & S2_R)));
	CHECK(stage2_has_mbec() || (prot & S2_X) == 0 || (prot & S2_X) == S2_X);
}

/* ---- The pool ---- */

void stage2_pool_init(struct stage2_pool *pool, void *memory, size_t pages)
{
	*pool = (struct stage2_pool){ .fresh = memory, .available = pages, .total = pages };
}

/* A zeroed table, or NULL. */
static uint64_t *pool_take(struct stage2_pool *pool)
{
	uint64_t *table = pool->free;

	if (pool->available == 0)
		return NULL;
	pool->available--;
	if (table) {
		pool->free = *(uint64_t **)table;
	} else {
		/* Whatever is available and not free is fresh. */
		table = pool->fresh;
		pool->fresh += ENTRIES;
	}
	return __builtin_memset(table, 0, FRAME_SIZE);
}

void stage2_reclaim(struct stage2 *s2)
{
	struct stage2_pool *pool = s2->pool;

	CHECK(spin_held(s2->lock));
	while (pool->retired_count > 0) {
		uint64_t *table = pool->retired[--pool->retired_count];

		*(uint64_t **)table = pool->free;
		pool->free = table;
		pool->available++;
	}
}

/* ---- Finding entries ---- */

static uint64_t *table_of(uint64_t entry, unsigned level)
{
	return region_ptr(format_address(entry, level));
}

/* The entry for `at` in the lowest table there is, not below `stop`. */
static struct place find(const struct stage2 *s2, uint64_t at, unsigned stop)
{
	uint64_t *table = s2->root;
	unsigned level = ROOT_LEVEL;

	for (;;) {
		uint64_t *entry = &table[(at >> level_shift(level)) % ENTRIES];
		uint64_t value = load(entry);

		if (level == stop || !format_is_table(value, level))
			return (struct place){ entry, level };
		table = table_of(value, level);
		level--;
	}
}

static bool leaf_allowed(const struct stage2 *s2, unsigned level)
{
	return level <= s2->largest;
}

/* Whether the span at `at` lies whole in [at, end). */
static bool covered(uint64_t at, uint64_t end, unsigned level)
{
	return at % span(level) == 0 && end - at >= span(level);
}

/* ---- Prepare ---- */

/* Puts a table in the place of a leaf or an empty entry, that translates just the same. */
static bool split(struct stage2 *s2, struct place place)
{
	uint64_t *table = pool_take(s2->pool);
	uint64_t value = load(place.entry);
	uint64_t spa = format_address(value, place.level).v;
	unsigned below = place.level - 1;

	if (!table)
		return false;
	/* A table of nothing is zeroed already, but whoever walks it may not look into caches. */
	for (unsigned i = 0; i < ENTRIES && (value != 0 || s2->written_back); i++)
		store(s2, &table[i],
		    value == 0 ? 0
			       : format_leaf((spa_t){ spa + i * span(below) }, below,
				     format_prot(value), format_type(value)));
	store(s2, place.entry, format_table(region_spa(table), place.level));
	return true;
}

bool stage2_prepare(struct stage2 *s2, gpa_t gpa, uint64_t pages, bool small)
{
	uint64_t at = gpa.v;
	uint64_t end = at + (pages << FRAME_SHIFT);

	check_range(s2, gpa, pages);
	while (at < end) {
		struct place place = find(s2, at, 0);
		bool fits = place.level == 0 ||
		    (!small && leaf_allowed(s2, place.level) && covered(at, end, place.level));

		if (fits)
			at = span_end(at, place.level);
		else if (!split(s2, place))
			return false;
	}
	return true;
}

/* ---- Commit ---- */

void stage2_map(struct stage2 *s2, gpa_t gpa, spa_t spa, uint64_t pages, struct stage2_attr attr)
{
	uint64_t end = gpa.v + (pages << FRAME_SHIFT);
	uint64_t offset = spa.v - gpa.v;

	check_range(s2, gpa, pages);
	check_prot(attr.prot);
	CHECK(attr.prot != 0 && spa.v % FRAME_SIZE == 0);
	for (uint64_t at = gpa.v; at < end;) {
		struct place place = find(s2, at, 0);

		CHECK(leaf_allowed(s2, place.level) && covered(at, end, place.level));
		CHECK(offset % span(place.level) == 0);
		store(s2, place.entry,
		    format_leaf((spa_t){ at + offset }, place.level, attr.prot, attr.type));
		at = span_end(at, place.level);
	}
}

/* Of all that is mapped. prot 0 unmaps. */
static void change_range(struct stage2 *s2, gpa_t gpa, uint64_t pages, unsigned prot,
    enum s2_type type)
{
	uint64_t end = gpa.v + (pages << FRAME_SHIFT);

	check_range(s2, gpa, pages);
	for (uint64_t at = gpa.v; at < end;) {
		struct place place = find(s2, at, 0);
		uint64_t value = load(place.entry);

		CHECK(value == 0 || covered(at, end, place.level));
		if (value != 0 && prot == 0)
			store(s2, place.entry, 0);
		else if (value != 0)
			store(s2, place.entry,
			    format_leaf(format_address(value, place.level), place.level,
				prot == KEEP_PROT ? format_prot(value) : prot,
				type == KEEP_TYPE ? format_type(value) : type));
		at = span_end(at, place.level);
	}
}

void stage2_protect(struct stage2 *s2, gpa_t gpa, uint64_t pages, unsigned prot)
{
	check_prot(prot);
	change_range(s2, gpa, pages, prot, KEEP_TYPE);
}

void stage2_retype(struct stage2 *s2, gpa_t gpa, uint64_t pages, enum s2_type type)
{
	change_range(s2, gpa, pages, KEEP_PROT, type);
}

/* ---- Merge ---- */

/*
 * Puts one entry in place of the table that `place` leads to, where that translates just the same.
 */
static void merge_one(struct stage2 *s2, struct place place)
{
	struct stage2_pool *pool = s2->pool;
	uint64_t *table = table_of(load(place.entry), place.level);
	unsigned below = place.level - 1;
	uint64_t first = load(&table[0]);
	uint64_t step = first == 0 ? 0 : span(below);
	spa_t spa = format_address(first, below);

	if (first != 0 &&
	    (format_is_table(first, below) || !leaf_allowed(s2, place.level) ||
		spa.v % span(place.level) != 0))
		return;
	for (unsigned i = 1; i < ENTRIES; i++)
		if (load(&table[i]) != first + i * step)
			return;
	store(s2, place.entry,
	    first == 0 ? 0 : format_leaf(spa, place.level, format_prot(first), format_type(first)));
	pool->retired[pool->retired_count++] = table;
}

size_t stage2_merge(struct stage2 *s2, gpa_t gpa, uint64_t pages)
{
	uint64_t end = gpa.v + (pages << FRAME_SHIFT);
	struct stage2_pool *pool = s2->pool;
	size_t before = pool->retired_count;

	check_range(s2, gpa, pages);
	for (unsigned level = 1; level <= ROOT_LEVEL; level++) {
		for (uint64_t at = gpa.v; at < end;) {
			struct place place = find(s2, at, level);

			if (pool->retired_count == STAGE2_RETIRED)
				return STAGE2_RETIRED;
			if (place.level == level && format_is_table(load(place.entry), level))
				merge_one(s2, place);
			at = span_end(at, place.level);
		}
	}
	return pool->retired_count - before;
}

/* ---- Reading ---- */

struct stage2_leaf stage2_lookup(const struct stage2 *s2, gpa_t gpa)
{
	struct place place;
	uint64_t value;

	CHECK(spin_held(s2->lock) && gpa.v < ADDRESS_END);
	place = find(s2, gpa.v, 0);
	value = load(place.entry);
	if (value == 0)
		return (struct stage2_leaf){ .shift = level_shift(place.level) };
	return (struct stage2_leaf){ true, level_shift(place.level),
		{ format_address(value, place.level).v + gpa.v % span(place.level) },
		format_prot(value), format_type(value) };
}

bool stage2_init(struct stage2 *s2, struct stage2_pool *pool, struct spinlock *lock)
{
	*s2 = (struct stage2){ .lock = lock,
		.root = pool_take(pool),
		.pool = pool,
		.largest = stage2_has_huge() ? 2 : 1 };
	return s2->root != NULL;
}
