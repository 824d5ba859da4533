/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC in either of its modes, and messages between CPUs. SDM 3A 11.
 */
#ifndef GUEST_LIB_APIC_H
#define GUEST_LIB_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define APIC_ID		  0x20u
#define APIC_TPR	  0x80u
#define APIC_EOI	  0xb0u
#define APIC_SPURIOUS	  0xf0u
#define APIC_ICR_LOW	  0x300u
#define APIC_ICR_HIGH	  0x310u
#define APIC_LVT_TIMER	  0x320u
#define APIC_LVT_LINT0	  0x350u
#define APIC_LVT_LINT1	  0x360u
#define APIC_TIMER_COUNT  0x380u
#define APIC_TIMER_NOW	  0x390u
#define APIC_TIMER_DIVIDE 0x3e0u

#define ICR_FIXED   0x0000u
#define ICR_NMI	    0x0400u
#define ICR_INIT    0x0500u
#define ICR_STARTUP 0x0600u
#define ICR_BUSY    0x1000u
#define ICR_ASSERT  0x4000u
#define ICR_LEVEL   0x8000u
#define ICR_SELF    0x40000u
#define ICR_OTHERS  0xc0000u
#define LVT_MASKED  0x10000u

#define VECTOR_TIMER	0xe0u
#define VECTOR_IPI	0xe1u
#define VECTOR_SPURIOUS 0xffu

/* Switches the running CPU's APIC on, with the legacy interrupt controllers' lines masked. */
void apic_init(void);

bool apic_is_x2(void);

/* Puts the running CPU's APIC into x2APIC mode. There is no way back but RESET or INIT. */
void apic_to_x2(void);

uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);
uint32_t apic_id(void);
void apic_eoi(void);

/*
 * Sends `command` (ICR_ values) to the CPU with an APIC id, and waits until it has left (bounded).
 */
void apic_send(uint32_t id, uint32_t command);

/* Masks both 8259A. */
void pic_mask(void);

#endif
