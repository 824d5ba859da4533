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

#include <stdbool.h>
#include <stdint.h>

#include "arch/stage2.h"

#define TYPE_FINE_MAX 4096u

/* [base, end) has one type; base and end are multiples of 2 MiB but inside of regions cut finer. */
struct type_piece {
	uint64_t base;
	uint64_t end;
	enum s2_type type;
};

struct type_cursor {
	uint64_t at;
	uint64_t end;
	unsigned fine_left;
};

/* Goes over [base, end), both multiples of 2 MiB. */
static inline struct type_cursor type_cursor(uint64_t base, uint64_t end)
{
	return (struct type_cursor){ base, end, TYPE_FINE_MAX };
}

/* The next piece. false: there is none. */
bool type_next(struct type_cursor *cursor, struct type_piece *piece);

/*
 * The type of `size` (2 MiB or 1 GiB) bytes from `base`, a multiple of it. false: they have
 * several; it is UC then.
 */
bool type_of_page(uint64_t base, uint64_t size, enum s2_type *type);

#endif
