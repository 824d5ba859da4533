/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's MTRRs, which are virtual after launch: the CPU's do not change. Second-stage types
 * follow them. SDM 3A 12.11.
 */
#pragma once

#include "arch/stage2.h"

#define MTRR_MAX_VARIABLE 16u
#define MTRR_FIXED	  11u

/* Of capability, default type, mask; and of all of them. */
#define MTRR_COUNT	  0xffull
#define MTRR_HAS_FIXED	  (1ull << 8)
#define MTRR_FIXED_ENABLE (1ull << 10)
#define MTRR_ENABLE	  (1ull << 11)
#define MTRR_VALID	  (1ull << 11)
#define MTRR_TYPE	  0xffull
#define MTRR_PAGE	  0xffffffffff000ull /* addresses have at most 52 bits */

struct mtrr_state {
	uint64_t capability; /* IA32_MTRRCAP: count at most MTRR_MAX_VARIABLE, SMRR clear */
	uint64_t default_type;
	uint64_t fixed[MTRR_FIXED];
	uint64_t base[MTRR_MAX_VARIABLE];
	uint64_t mask[MTRR_MAX_VARIABLE];
};

/* Reads the running CPU's registers. */
void mtrr_read(struct mtrr_state *state);

/* The register that `msr` names, to be read; NULL: the state has none of this number. */
uint64_t *mtrr_register(struct mtrr_state *state, uint32_t msr);

/*
 * Validates and stores (reserved bits, undefined types, MAXPHYADDR). false: nothing changed, the
 * guest gets #GP.
 */
bool mtrr_set(struct mtrr_state *state, uint32_t msr, uint64_t value, unsigned phys_bits);

/* Whether a number is a type of the architecture. */
bool mtrr_is_type(uint64_t type);

/*
 * ---- The state that second-stage types are made from (arch_memory_type()) ----
 *
 * Supplied by the vendor's format; where entries have no type nothing follows MTRRs.
 */

/*
 * VT-x: effective type at `gpa`, and the first address behind it where it differs. MTRRs off: UC.
 * Overlaps by the rules of SDM 3A 12.11.4.1.
 */
enum s2_type mtrr_type(const struct mtrr_state *state, uint64_t gpa, uint64_t *same_until);

/*
 * A VP's MTRRs have changed, or are the first CPU's at MONITOR_INIT, until which all is UC. Retypes
 * the normal world (monitor_retype()) if they are not those it has its types from. A state with
 * MTRRs off is passed over: the guest is in the middle of the sequence of SDM 3A 12.11.7.2, its
 * caches off by CR0.CD, and will turn them on again. Locks: none may be held that monitor_retype()
 * takes.
 */
void memtype_update(const struct mtrr_state *state);
