/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory types in pieces (memory_types.h).
 */
#include "monitor/memory_types.h"

#include "arch/upcall.h"
#include "monitor/page_owner.h"

static enum s2_type ask(uint64_t at, uint64_t *until)
{
	enum s2_type type = arch_memory_type((gpa_t){ at }, until);

	CHECK(*until > at && *until % FRAME_SIZE == 0);
	return type;
}

bool type_next(struct type_piece *piece, uint64_t limit)
{
	uint64_t at = piece->end;
	uint64_t region_end = (at & ~(LARGE_SIZE - 1)) + LARGE_SIZE;
	uint64_t until;

	if (at >= limit)
		return false;
	piece->base = at;
	piece->type = ask(at, &until);
	if (until >= region_end) {
		piece->end = until & ~(LARGE_SIZE - 1);
	} else if (piece->fine_used < TYPE_FINE_MAX &&
	    page_owner_any(region_end - LARGE_SIZE, region_end)) {
		piece->fine_used++;
		piece->end = until;
	} else {
		piece->type = S2_UC;
		piece->end = region_end;
	}
	if (piece->end > limit)
		piece->end = limit;
	return true;
}

bool type_of_page(uint64_t base, uint64_t size, enum s2_type *type)
{
	uint64_t until;

	*type = ask(base, &until);
	if (until - base >= size)
		return true;
	*type = S2_UC;
	return false;
}
