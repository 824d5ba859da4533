/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What survives a panic: the record's frame, mapped for good, and eight bytes of its digest in the
 * CMOS RAM of the real-time clock, which a firmware that wipes memory leaves alone. The bytes lie
 * at the end of the standard bank, behind what PC firmware sums up (0x10-0x2D) or OVMF uses
 * (0x34-0x36, 0x5B-0x5F).
 */
#include "arch/cpu.h"
#include "arch/x86/asm.h"

#define CMOS_INDEX    0x70u
#define CMOS_DATA     0x71u
#define CMOS_NMI_OFF  0x80u
#define CMOS_STATUS_D 0x0du

void arch_keep_digest(const uint8_t digest[8])
{
	for (unsigned i = 0; i < 8; i++) {
		outb(CMOS_INDEX, (uint8_t)(CMOS_NMI_OFF | (PANIC_CMOS + i)));
		outb(CMOS_DATA, i == 0 ? PANIC_CMOS_TAG0 : i == 1 ? PANIC_CMOS_TAG1 : digest[i]);
	}
	/* NMIs on again; the index register cannot be read back everywhere */
	outb(CMOS_INDEX, CMOS_STATUS_D);
}
