/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Second-stage tables against a model: random map, protect, unmap, retype, split and merge on
 * ranges of every size and alignment, with a pool so small that it runs out again and again. The
 * model is a sorted list of what is mapped.
 *
 * After each operation: the tables translate exactly what the model says; every table is reached
 * once, is free or is retired; every leaf is well formed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/frame.h"
#include "arch/host/host.h"
#include "arch/stage2.h"
#include "arch/stage2_format.h"
#include "monitor/test/invariant.h"
#include "tests/model/model.h"

#define PIECES	      8192u
#define ROUND	      500u /* operations before a new machine */
#define GIB	      (1ull << 30)
#define WINDOW	      (4 * GIB)
#define FRAMES(bytes) ((bytes) >> FRAME_SHIFT)

/* [start, end) leads to [start + offset, ...). */
struct piece {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	unsigned prot;
	enum s2_type type;
};

struct list {
	unsigned count;
	struct piece pieces[PIECES];
};

struct range {
	uint64_t start;
	uint64_t end;
};

static struct model model;
static struct spinlock lock = { .rank = LOCK_MAP };
static struct stage2 s2;
static struct stage2_pool pool;
static struct list expected;
static struct list seen;
static bool mbec;

/* ---- The model ---- */

static bool joins(const struct piece *a, const struct piece *b)
{
	return a->end == b->start && a->offset == b->offset && a->prot == b->prot &&
	    a->type == b->type;
}

static void append(struct list *list, const struct piece *piece)
{
	struct piece *last = list->count ? &list->pieces[list->count - 1] : NULL;

	if (last && joins(last, piece)) {
		last->end = piece->end;
		return;
	}
	if (list->count == PIECES)
		model_failed(&model, "the model is too small");
	list->pieces[list->count++] = *piece;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Appends the part of `piece` that lies in [start, end). */
static void append_part(struct list *list, const struct piece *piece, uint64_t start, uint64_t end)
{
	struct piece part = *piece;

	part.start = most(part.start, start);
	part.end = least(part.end, end);
	if (part.start < part.end)
		append(list, &part);
}

/*
 * Rewrites the model: what lies in the range goes through `change` (prot 0 drops it); with `filled`
 * the whole range becomes that.
 */
static void rewrite(struct range range, void (*change)(struct piece *, uint64_t), uint64_t value,
    const struct piece *filled)
{
	static struct list old;

	old = expected;
	expected.count = 0;
	for (unsigned i = 0; i < old.count; i++)
		append_part(&expected, &old.pieces[i], 0, range.start);
	for (unsigned i = 0; i < old.count && !filled; i++) {
		struct piece inside = old.pieces[i];

		change(&inside, value);
		if (inside.prot)
			append_part(&expected, &inside, range.start, range.end);
	}
	if (filled)
		append(&expected, filled);
	for (unsigned i = 0; i < old.count; i++)
		append_part(&expected, &old.pieces[i], range.end, ~0ull);
}

static void set_prot(struct piece *piece, uint64_t prot)
{
	piece->prot = (unsigned)prot;
}

static void set_type(struct piece *piece, uint64_t type)
{
	piece->type = (enum s2_type)type;
}

/* ---- Comparing ---- */

static bool see(void *ctx, gpa_t gpa, const struct stage2_leaf *leaf)
{
	struct piece piece = { gpa.v, gpa.v + (1ull << leaf->shift), leaf->spa.v - gpa.v,
		leaf->prot, leaf->type };

	if (leaf->spa.v % (1ull << leaf->shift) != 0 || !(leaf->prot & S2_R))
		model_failed(&model, "a malformed leaf at %llx", (unsigned long long)gpa.v);
	append(&seen, &piece);
	return true;
}

static void compare(const char *what)
{
	seen.count = 0;
	stage2_walk(&s2, see, NULL);
	for (unsigned i = 0; i < seen.count && i < expected.count; i++)
		if (memcmp(&seen.pieces[i], &expected.pieces[i], sizeof(struct piece)) != 0)
			model_failed(&model, "%s: at %llx stands prot %x type %u offset %llx", what,
			    (unsigned long long)seen.pieces[i].start, seen.pieces[i].prot,
			    seen.pieces[i].type, (unsigned long long)seen.pieces[i].offset);
	if (seen.count != expected.count)
		model_failed(&model, "%s: %u pieces, not %u", what, seen.count, expected.count);
}

/* Tables below one, itself counted. Each is marked by its place in the pool. */
static size_t count_tables(const uint64_t *table, unsigned level, uint8_t *marks)
{
	size_t index = (size_t)(region_spa(table).v >> FRAME_SHIFT) % 4096;
	size_t count = 1;

	if (marks[index]++)
		model_failed(&model, "a table is used twice");
	for (unsigned i = 0; i < 512; i++)
		if (format_is_table(table[i], level))
			count += count_tables(region_ptr(format_address(table[i], level)),
			    level - 1, marks);
	return count;
}

static void check_tables(void)
{
	uint8_t marks[4096] = { 0 };
	size_t used = count_tables(s2.root, 3, marks);

	if (used + pool.available + pool.retired_count != pool.total)
		model_failed(&model, "%zu tables used, %zu free, %zu retired, %zu in all", used,
		    pool.available, pool.retired_count, pool.total);
}

/* ---- Operations ---- */

static uint64_t draw_address(void)
{
	static const uint64_t steps[] = { FRAME_SIZE, FRAME_SIZE, LARGE_SIZE, LARGE_SIZE,
		HUGE_SIZE };
	uint64_t base = chance(&model, 2) ? 0 : 510 * GIB;
	uint64_t step = steps[draw(&model, 5)];

	/* Often near a corner where many sizes meet. */
	if (chance(&model, 2))
		return base + GIB + draw(&model, 1024) * FRAME_SIZE;
	return base + draw(&model, WINDOW / step) * step;
}

static struct range draw_range(void)
{
	uint64_t a = draw_address();
	uint64_t b = chance(&model, 2) ? a + (1 + draw(&model, 600)) * FRAME_SIZE : draw_address();

	if (chance(&model, 8)) {
		a &= ~(LARGE_SIZE - 1);
		b = a + LARGE_SIZE * (1 + draw(&model, 2));
	}
	if (a == b)
		b += FRAME_SIZE;
	return a < b ? (struct range){ a, b } : (struct range){ b, a };
}

static unsigned draw_prot(void)
{
	unsigned prot = S2_R | (unsigned)draw(&model, 16);

	if (!mbec && (prot & S2_X))
		prot |= S2_X;
	return prot;
}

static enum s2_type draw_type(void)
{
	static const enum s2_type types[] = { S2_UC, S2_WC, S2_WT, S2_WP, S2_WB };

	return types[draw(&model, 5)];
}

static bool prepare(struct range range, bool small)
{
	return stage2_prepare(&s2, (gpa_t){ range.start }, FRAMES(range.end - range.start), small);
}

static void do_map(struct range range)
{
	struct piece piece = { range.start, range.end, 0, draw_prot(), draw_type() };
	bool small = range.end - range.start <= 1024 * FRAME_SIZE && chance(&model, 2);

	if (small)
		piece.offset = draw(&model, 1u << 20) << FRAME_SHIFT;
	else if (chance(&model, 2))
		piece.offset = draw(&model, 1024) * GIB;
	if (!prepare(range, small))
		return;
	stage2_map(&s2, (gpa_t){ range.start }, (spa_t){ range.start + piece.offset },
	    FRAMES(range.end - range.start), (struct stage2_attr){ piece.prot, piece.type });
	rewrite(range, NULL, 0, &piece);
}

static void do_protect(struct range range)
{
	unsigned prot = chance(&model, 3) ? 0 : draw_prot();

	if (!prepare(range, chance(&model, 8)))
		return;
	stage2_protect(&s2, (gpa_t){ range.start }, FRAMES(range.end - range.start), prot);
	rewrite(range, set_prot, prot, NULL);
}

static void do_retype(struct range range)
{
	enum s2_type type = draw_type();

	if (!prepare(range, false))
		return;
	stage2_retype(&s2, (gpa_t){ range.start }, FRAMES(range.end - range.start), type);
	rewrite(range, set_type, type, NULL);
}

/* Merging everything after a unification: then it must all come back. */
static void do_merge(struct range range)
{
	stage2_merge(&s2, (gpa_t){ range.start }, FRAMES(range.end - range.start));
	if (chance(&model, 2))
		compare("merge, before the flush");
	stage2_reclaim(&s2);
}

static void one_operation(void)
{
	struct range range = draw_range();

	switch (draw(&model, 8)) {
	case 0:
	case 1:
		do_map(range);
		compare("map");
		break;
	case 2:
	case 3:
		do_protect(range);
		compare("protect");
		break;
	case 4:
		do_retype(range);
		compare("retype");
		break;
	case 5:
		prepare(range, chance(&model, 4));
		compare("prepare");
		break;
	default:
		do_merge(range);
		compare("merge");
	}
	check_tables();
}

/* Unmaps all and merges: not a table but the root may be left. */
static void tear_down(void)
{
	stage2_protect(&s2, (gpa_t){ 0 }, FRAMES(1ull << 48), 0);
	while (stage2_merge(&s2, (gpa_t){ 0 }, FRAMES(1ull << 48)) != 0)
		stage2_reclaim(&s2);
	if (pool.available != pool.total - 1)
		model_failed(&model, "tables are lost: %zu of %zu", pool.available, pool.total);
}

static void build(void)
{
	struct host_machine machine = host_default();
	size_t tables = 3 + draw(&model, 8);

	mbec = machine.mbec = chance(&model, 2);
	machine.huge = !chance(&model, 4);
	host_build(&machine);
	stage2_pool_init(&pool, region_alloc(tables), tables);
	if (spin_held(&lock))
		spin_unlock(&lock);
	if (!stage2_init(&s2, &pool, &lock))
		model_failed(&model, "no root");
	spin_lock(&lock);
	expected.count = 0;
}

int main(void)
{
	model = model_start(1);
	while (model.done < model.operations) {
		build();
		for (unsigned i = 0; i < ROUND && model.done < model.operations; i++) {
			one_operation();
			model.done++;
		}
		tear_down();
	}
	model_passed(&model, "second-stage tables do as the model does");
	return 0;
}
