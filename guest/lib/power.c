/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The end of a run.
 */
#include "guest/lib/power.h"

#include "guest/lib/x86.h"

#define PORT_BOCHS    0x8900
#define PORT_QEMU_Q35 0x604
#define SLP_EN_S5     0x2000

void power_off(void)
{
	for (const char *p = "Shutdown"; *p; p++)
		outb(PORT_BOCHS, (uint8_t)*p);
	outw(PORT_QEMU_Q35, SLP_EN_S5);
	for (;;)
		__asm__ volatile("cli; hlt");
}
