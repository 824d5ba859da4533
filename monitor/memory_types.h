/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory types as second-stage tables take them: the answers of arch_memory_type() cut into pieces
 * that the tables reserved at launch suffice for, whatever the guest writes to its MTRRs.
 *
 * A 2 MiB region of several types is cut finer only if it holds usable memory, and only
 * TYPE_FINE_MAX times; else all of it is UC, which is never wrong, only slow.
 */
#ifndef MONITOR_MEMORY_TYPES_H
#define MONITOR_MEMORY_TYPES_H

#include "arch/stage2.h"

#define TYPE_FINE_MAX 4096u

/* [base, end) has one type; base and end are multiples of 2 MiB but inside of regions cut finer. */
struct type_piece {
	uint64_t base, end;
	enum s2_type type;
	unsigned fine_used; /* of TYPE_FINE_MAX */
};

/*
 * Goes on to the piece behind, which ends at `limit` (a multiple of 2 MiB) at the latest. The first
 * one follows a piece that is all zero. false: there is none.
 */
bool type_next(struct type_piece *piece, uint64_t limit);

/*
 * The type of `size` (2 MiB or 1 GiB) bytes from `base`, a multiple of it. false: they have
 * several; it is UC then.
 */
bool type_of_page(uint64_t base, uint64_t size, enum s2_type *type);

#endif
