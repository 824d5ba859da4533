/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Judging firmware's answer about Secure Boot, without a call to firmware.
 */
#ifndef BOOT_SECURE_BOOT_STATE_H
#define BOOT_SECURE_BOOT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum secure_boot {
	SECURE_BOOT_ON,
	SECURE_BOOT_UNKNOWN, /* to be taken as on */
	SECURE_BOOT_OFF,
};

/* What GetVariable() gave for SecureBoot. */
struct secure_boot_answer {
	bool absent; /* EFI_NOT_FOUND */
	bool failed; /* that, or any other error */
	uint32_t attributes;
	size_t size;
	uint8_t value;
};

/*
 * UEFI 2.10, 3.3: one byte, 0 or 1, read by boot services and at run time, not stored; firmware
 * without Secure Boot has no such variable. Off is what says so in exactly this form.
 */
enum secure_boot secure_boot_state(const struct secure_boot_answer *answer);

/* The state in a word or two, behind "Secure Boot". */
const char *secure_boot_text(enum secure_boot state);

#endif
