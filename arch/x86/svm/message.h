/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Interrupt messages: what a write of the interrupt command register means, which CPUs it reaches,
 * what a CPU makes of INIT and SIPI, and what must not be programmed. Decisions only: tested on the
 * host. APM 2 16.5, 16.6, 16.11; SDM 3A 11.6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Delivery modes. A de-asserted INIT does nothing on any CPU of today, and is not sent on. */
enum message_mode { MODE_SMI = 2, MODE_NMI = 4, MODE_INIT, MODE_STARTUP, MODE_DEASSERT = 8 };

struct message {
	uint32_t command;     /* lower half of the ICR */
	uint32_t destination; /* 8 bits, or 32 in x2APIC mode */
	bool x2;
};

/* Of a command: an enum message_mode, or one that is none of the monitor's business. */
unsigned message_mode(uint32_t command);

/*
 * Whether it reaches the CPU of this APIC id; `self`: it is the sender. LDR and DFR: xAPIC
 * registers as written; LDR of x2APIC mode.
 */
bool message_reaches(const struct message *m, uint32_t id, uint32_t ldr, uint32_t dfr, bool self);

/*
 * Where a CPU stands between INIT and SIPI, as one word that others may change. 0: it runs.
 */
#define START_INIT    0x100u /* INIT has been sent and not been taken */
#define START_WAITING 0x200u /* it waits for SIPI */
#define START_SIPI    0x400u /* SIPI has been sent, with the vector in the low byte */

/* The word after the command of an INIT or SIPI from another CPU. */
uint32_t start_after(uint32_t word, uint32_t command);

/*
 * Whether a local vector table entry, or a redirection entry of an I/O APIC, may have this value.
 */
bool message_lvt_allowed(uint32_t value);
bool message_redirection_allowed(uint32_t index, uint32_t value);
