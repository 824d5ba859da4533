/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The log of what was measured: crypto agile, SHA-256 alone (TCG PC Client Platform Firmware
 * Profile 1.05, 10.2). No call to firmware: tested on the host.
 *
 * A log lies in memory that the operating system reads; whoever runs there can change it, and is
 * found out by the registers.
 */
#ifndef BOOT_TCG_LOG_H
#define BOOT_TCG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/image.h"
#include "boot/sha256.h"

/* Types of events: 10.4.1. */
#define EV_NO_ACTION			 0x00000003u
#define EV_SEPARATOR			 0x00000004u
#define EV_EVENT_TAG			 0x00000006u
#define EV_S_CRTM_VERSION		 0x00000008u
#define EV_EFI_VARIABLE_DRIVER_CONFIG	 0x80000001u
#define EV_EFI_VARIABLE_BOOT		 0x80000002u
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define EV_EFI_GPT_EVENT		 0x80000006u
#define EV_EFI_ACTION			 0x80000007u
#define EV_EFI_PLATFORM_FIRMWARE_BLOB	 0x80000008u

#define TCG_PCRS 24u

struct tcg_event {
	uint32_t pcr;
	uint32_t type;
	uint8_t digest[SHA256_BYTES];
	struct blob data;
};

struct tcg_log {
	uint8_t *base;
	size_t room;
	size_t used;
	size_t last; /* where the last event begins */
	uint64_t events;
	bool counts;	/* a table of final events: its header has their number */
	bool truncated; /* there was one that did not fit; nothing comes behind it */
};

/* Begins a log with the event that says what it is; room for that there must be. */
void tcg_log_start(struct tcg_log *log, uint8_t *memory, size_t room);

/*
 * Begins the table of what is logged behind the first look at the log (TCG EFI Protocol
 * Specification, 7): its header counts.
 */
void tcg_log_start_final(struct tcg_log *log, uint8_t *memory, size_t room);

/* false: there is no room for it. */
bool tcg_log_add(struct tcg_log *log, const struct tcg_event *event);

/* The digest of data, filled in. */
void tcg_digest(struct tcg_event *event, struct blob of);

#endif
