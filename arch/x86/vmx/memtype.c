/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory types by the guest's MTRRs (SDM 3A 12.11), and the one state of them that the second-stage
 * tables follow: the guest writes its MTRRs on one CPU after the other; the last complete state
 * counts for all.
 */
#include "arch/lock.h"
#include "arch/upcall.h"
#include "arch/x86/mtrr.h"

#define FIXED_END 0x100000ull

/* SDM 3A 12.11.4.1: UC wins, WT wins over WB; what it leaves undefined is UC here. */
static enum s2_type combine(enum s2_type a, enum s2_type b)
{
	if (a == b)
		return a;
	return (a == S2_WT && b == S2_WB) || (a == S2_WB && b == S2_WT) ? S2_WT : S2_UC;
}

/* Firmware's registers are taken unseen: what is no type of the architecture is UC. */
static enum s2_type known_type(uint64_t type)
{
	return mtrr_is_type(type & MTRR_TYPE) ? (enum s2_type)(type & MTRR_TYPE) : S2_UC;
}

/*
 * A range is as large as the lowest bit of its mask says. What firmware may have left out of the
 * mask above that bit does not count: the CPU would repeat the range there.
 */
static enum s2_type variable_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	enum s2_type type = known_type(state->default_type);
	bool found = false;

	for (unsigned i = 0; i < (state->capability & MTRR_COUNT); i++) {
		uint64_t mask = state->mask[i] & MTRR_PAGE;
		uint64_t size = mask & -mask;
		uint64_t base = state->base[i] & MTRR_PAGE & -size;
		bool inside = gpa - base < size;
		uint64_t edge = inside ? base + size : base;

		if ((state->mask[i] & MTRR_VALID) == 0)
			continue;
		if (edge > gpa && edge < *end)
			*end = edge;
		if (!inside)
			continue;
		type = found ? combine(type, known_type(state->base[i]))
			     : known_type(state->base[i]);
		found = true;
	}
	return type;
}

/* 64 ranges of 4 KiB, 16 of 16 KiB, 8 of 64 KiB; from the highest ones down. */
static enum s2_type fixed_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	static const struct {
		uint32_t base, shift, index;
	} parts[] = { { 0xc0000, 12, 24 }, { 0x80000, 14, 8 }, { 0, 16, 0 } };
	unsigned i = gpa >= parts[0].base ? 0 : gpa >= parts[1].base ? 1 : 2;
	uint64_t index = parts[i].index + ((gpa - parts[i].base) >> parts[i].shift);

	*end = ((gpa >> parts[i].shift) + 1) << parts[i].shift;
	return known_type(state->fixed[index / 8] >> index % 8 * 8);
}

/* Type at `gpa` and the first address behind it where another register may count. */
static enum s2_type type_until(const struct mtrr_state *state, uint64_t gpa, uint64_t *end)
{
	*end = ~0ull;
	if ((state->default_type & MTRR_ENABLE) == 0)
		return S2_UC;
	if (gpa < FIXED_END && (state->capability & MTRR_HAS_FIXED) != 0 &&
	    (state->default_type & MTRR_FIXED_ENABLE) != 0)
		return fixed_type(state, gpa, end);
	return variable_type(state, gpa, end);
}

enum s2_type mtrr_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *same_until)
{
	enum s2_type type = type_until(state, gpa, same_until);
	uint64_t next;

	while (*same_until != ~0ull && type_until(state, *same_until, &next) == type)
		*same_until = next;
	*same_until &= ~(uint64_t)(FRAME_SIZE - 1);
	return type;
}

/* ---- The state that the tables follow ---- */

static struct {
	struct spinlock lock; /* of `state` */
	struct mtrr_state state;
} agreed = { .lock = { .rank = LOCK_MEMTYPE } };

void memtype_update(const struct mtrr_state *state)
{
	bool changed;

	if ((state->default_type & MTRR_ENABLE) == 0)
		return;
	spin_lock(&agreed.lock);
	changed = __builtin_memcmp(&agreed.state, state, sizeof(*state)) != 0;
	if (changed)
		agreed.state = *state;
	spin_unlock(&agreed.lock);
	if (changed)
		monitor_retype();
}

enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until)
{
	enum s2_type type;

	spin_lock(&agreed.lock);
	type = mtrr_type(&agreed.state, gpa.v, same_until);
	spin_unlock(&agreed.lock);
	return type;
}
