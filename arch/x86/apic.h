/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The local APIC, which is the guest's: root mode uses it only to send kicks, and leaves its
 * registers as the guest had them. SDM 3A 11.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MSR_APIC_BASE  0x1bu
#define APIC_BASE_BSP  (1ull << 8)
#define APIC_BASE_EXTD (1ull << 10)

/* Registers, by offset in the page; in x2APIC mode MSR X2APIC_MSR + offset / 16. */
#define APIC_ID		  0x20u
#define APIC_TPR	  0x80u
#define APIC_EOI	  0xb0u
#define APIC_LDR	  0xd0u
#define APIC_DFR	  0xe0u
#define APIC_SVR	  0xf0u
#define APIC_ISR	  0x100u
#define APIC_ICR_LOW	  0x300u
#define APIC_ICR_HIGH	  0x310u
#define APIC_LVT_CMCI	  0x2f0u
#define APIC_LVT_TIMER	  0x320u
#define APIC_LVT_ERROR	  0x370u
#define APIC_TIMER_COUNT  0x380u
#define APIC_TIMER_DIVIDE 0x3e0u
#define X2APIC_MSR	  0x800u

bool apic_is_x2(void);

/* A register of this CPU's. One that is not there reads as it may; a write of it is dropped. */
uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);

#define APIC_NMI    0x4400u    /* delivery mode NMI, level assert */
#define APIC_OTHERS (3u << 18) /* to all CPUs but this one, whatever the id */

/*
 * Sends a message of any kind to one CPU, or as the command says. The guest's half-written ICR is
 * preserved. false: the APIC is in xAPIC mode and cannot name this CPU.
 */
bool apic_send(uint32_t apic_id, uint32_t command);

/*
 * This CPU's registers as INIT leaves them (the exit on INIT keeps INIT from the APIC). SDM 3A
 * 11.4.7.3.
 */
void apic_reset(void);
