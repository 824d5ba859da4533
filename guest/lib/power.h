/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The end of a run.
 */
#ifndef GUEST_LIB_POWER_H
#define GUEST_LIB_POWER_H

/*
 * Switches the emulator off (Bochs: port 0x8900; QEMU: the power management port), or stops this
 * CPU.
 */
_Noreturn void power_off(void);

#endif
