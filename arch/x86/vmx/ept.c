/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The EPT format of second-stage tables (stage2_format.h). Bit 6 (ignore PAT) stays clear: the
 * guest's PAT and the type here combine as PAT and MTRR do on a machine without a monitor (SDM 3C
 * 29.3.7.2).
 */
#include "arch/stage2_format.h"

/* Entries. SDM 3C 29.3.2, tables 29-1 to 29-7. */
#define EPT_R (1ull << 0)
#define EPT_W (1ull << 1)
/* Fetches; with mode-based execute control those from supervisor-mode addresses only. */
#define EPT_X	       (1ull << 2)
#define EPT_TYPE_SHIFT 3u /* of a leaf; the numbers are those of MTRRs */
#define EPT_TYPE_MASK  (7ull << EPT_TYPE_SHIFT)
/* In entries of 1 GiB and 2 MiB: a leaf. Level 0 is always a leaf, level 3 never. */
#define EPT_LARGE (1ull << 7)
/* Fetches from user-mode addresses; ignored without mode-based execute control. */
#define EPT_UX	    (1ull << 10)
#define EPT_ADDRESS 0x000ffffffffff000ull

_Static_assert(EPT_R == S2_R && EPT_W == S2_W, "taken over as they are");

static uint64_t rights(unsigned prot)
{
	uint64_t bits = prot & (EPT_R | EPT_W);

	if (!stage2_has_mbec())
		return bits | ((prot & S2_X) == S2_X ? EPT_X : 0);
	return bits | (prot & S2_KX ? EPT_X : 0) | (prot & S2_UX ? EPT_UX : 0);
}

uint64_t format_leaf(spa_t spa, unsigned level, unsigned prot, enum s2_type type)
{
	return spa.v | rights(prot) | (uint64_t)type << EPT_TYPE_SHIFT |
	    (level > 0 ? EPT_LARGE : 0);
}

uint64_t format_table(spa_t table, unsigned level)
{
	return table.v | rights(S2_RWX);
}

bool format_is_table(uint64_t entry, unsigned level)
{
	return entry != 0 && level > 0 && !(entry & EPT_LARGE);
}

spa_t format_address(uint64_t entry, unsigned level)
{
	return (spa_t){ entry & EPT_ADDRESS };
}

unsigned format_prot(uint64_t entry)
{
	unsigned prot = entry & (EPT_R | EPT_W);

	if (!stage2_has_mbec())
		return prot | (entry & EPT_X ? S2_X : 0);
	return prot | (entry & EPT_X ? S2_KX : 0) | (entry & EPT_UX ? S2_UX : 0);
}

enum s2_type format_type(uint64_t entry)
{
	return (enum s2_type)((entry & EPT_TYPE_MASK) >> EPT_TYPE_SHIFT);
}
