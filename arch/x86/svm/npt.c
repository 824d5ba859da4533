/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The NPT format of second-stage tables (stage2_format.h): entries are those of the CPU's own
 * four-level tables (APM 2 15.25, 5.3). There is no type field: the guest's PAT and the CPU's MTRRs
 * make an access's type, so PWT and PCD stay clear (APM 2 15.25.8).
 */
#include "arch/stage2_format.h"
#include "arch/upcall.h"
#include "arch/x86/mmu.h"
#include "arch/x86/mtrr.h"

/* Every access of the guest's counts as a user's. APM 2 15.25.5. */
#define PTE_U 0x4ull

/* What AMD-Vi reads and the CPU ignores: rights, level of the table below. AMD-Vi 2.2.3. */
#define IO_LEVEL(level) ((uint64_t)(level) << 9)
#define IO_R		(1ull << 61)
#define IO_W		(1ull << 62)
#define IO_SNOOPED	(1ull << 60) /* FC: caches are looked into, whatever the device says */

static bool for_amdvi;

uint64_t format_leaf(spa_t spa, unsigned level, unsigned prot, enum s2_type type)
{
	/* A and D from the start, so that no walk writes an entry. */
	uint64_t entry = spa.v | PTE_P | PTE_U | PTE_A | PTE_D;

	if (prot & S2_W)
		entry |= PTE_W;
	if ((prot & S2_X) != S2_X)
		entry |= PTE_NX;
	if (for_amdvi)
		entry |= IO_R | IO_SNOOPED | (prot & S2_W ? IO_W : 0);
	return entry | (level > 0 ? PTE_PS : 0);
}

uint64_t format_table(spa_t table, unsigned level)
{
	return table.v | PTE_P | PTE_W | PTE_U | PTE_A |
	    (for_amdvi ? IO_LEVEL(level) | IO_R | IO_W : 0);
}

bool format_is_table(uint64_t entry, unsigned level)
{
	return entry != 0 && level > 0 && !(entry & PTE_PS);
}

spa_t format_address(uint64_t entry, unsigned level)
{
	return (spa_t){ entry & PTE_ADDRESS };
}

void format_for_amdvi(void)
{
	for_amdvi = true;
}

unsigned format_prot(uint64_t entry)
{
	return S2_R | (entry & PTE_W ? S2_W : 0) | (entry & PTE_NX ? 0 : S2_X);
}

enum s2_type format_type(uint64_t entry)
{
	return S2_WB;
}

enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until)
{
	*same_until = ~(uint64_t)(FRAME_SIZE - 1);
	return S2_WB;
}

void memtype_update(const struct mtrr_state *state)
{
}
