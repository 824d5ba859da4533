/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A test guest that has the machine to itself: what the program must define.
 *
 * start.c is the EFI application's entry: it reads the options, collects what it needs, leaves boot
 * services and calls guest_main() on CPU 0 in 64-bit mode, in the guest's own tables, with
 * interrupts off and the local APIC on. When guest_main() returns the machine is switched off.
 * guest_in_firmware() is called before, in firmware's tables and on its stack, with boot services
 * still there; options and pages can be had.
 */
#ifndef GUEST_LIB_GUEST_H
#define GUEST_LIB_GUEST_H

void guest_in_firmware(void);
void guest_main(void);

#endif
