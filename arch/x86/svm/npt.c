/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The NPT format of second-stage tables (stage2_format.h). There is no type field: the guest's PAT
 * and the CPU's MTRRs make an access's type, so PWT and PCD stay clear (APM 2 15.25.8).
 */
#include "arch/x86/svm/npt.h"

#include "arch/stage2_format.h"

uint64_t format_leaf(spa_t spa, unsigned level, unsigned prot, enum s2_type type)
{
	uint64_t entry = spa.v | NPT_P | NPT_U | NPT_A | NPT_D;

	if (prot & S2_W)
		entry |= NPT_W;
	if ((prot & S2_X) != S2_X)
		entry |= NPT_NX;
	return entry | (level > 0 ? NPT_LARGE : 0);
}

uint64_t format_table(spa_t table)
{
	return table.v | NPT_P | NPT_W | NPT_U | NPT_A;
}

bool format_is_table(uint64_t entry, unsigned level)
{
	return entry != 0 && level > 0 && !(entry & NPT_LARGE);
}

spa_t format_address(uint64_t entry, unsigned level)
{
	return (spa_t){ entry & NPT_ADDRESS };
}

unsigned format_prot(uint64_t entry)
{
	return S2_R | (entry & NPT_W ? S2_W : 0) | (entry & NPT_NX ? 0 : S2_X);
}

enum s2_type format_type(uint64_t entry)
{
	return S2_WB;
}
