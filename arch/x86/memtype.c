/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Second-stage memory types follow the guest's MTRRs. The guest writes them on one CPU after the
 * other; the last complete state counts for all, as the tables are one.
 */
#include "arch/x86/memtype.h"

#include "arch/lock.h"
#include "arch/upcall.h"

#define DEF_TYPE_ENABLE (1ull << 11)

static struct {
	struct spinlock lock; /* of `state` */
	bool set;
	struct mtrr_state state;
} memtype = { .lock = { .rank = LOCK_MEMTYPE } };

void memtype_init(const struct mtrr_state *state)
{
	spin_lock(&memtype.lock);
	if (!memtype.set)
		memtype.state = *state;
	memtype.set = true;
	spin_unlock(&memtype.lock);
}

void memtype_update(const struct mtrr_state *state)
{
	bool changed;

	if ((state->default_type & DEF_TYPE_ENABLE) == 0)
		return;
	spin_lock(&memtype.lock);
	changed = !mtrr_same(&memtype.state, state);
	if (changed)
		memtype.state = *state;
	spin_unlock(&memtype.lock);
	if (changed)
		monitor_retype();
}

enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until)
{
	enum s2_type type;

	spin_lock(&memtype.lock);
	type = mtrr_type(&memtype.state, gpa.v, same_until);
	spin_unlock(&memtype.lock);
	return type;
}
