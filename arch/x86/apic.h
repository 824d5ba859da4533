/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC, which is the guest's: root mode uses it only to send kicks, and leaves its
 * registers as the guest had them. SDM 3A 11.
 */
#ifndef ARCH_X86_APIC_H
#define ARCH_X86_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define APIC_DEFAULT_BASE 0xfee00000ull
#define MSR_APIC_BASE	  0x1bu
#define APIC_BASE_BSP	  (1ull << 8)
#define APIC_BASE_EXTD	  (1ull << 10)
#define APIC_BASE_EN	  (1ull << 11)

/*
 * Sends an NMI to one CPU, or to all but this one. The guest's half-written ICR is preserved.
 * false: the APIC is in xAPIC mode and cannot name this CPU.
 */
bool apic_send_nmi(uint32_t apic_id);
void apic_broadcast_nmi(void);

/*
 * This CPU's registers as INIT leaves them (the exit on INIT keeps INIT from the APIC). SDM 3A
 * 11.4.7.3.
 */
void apic_reset(void);

#endif
