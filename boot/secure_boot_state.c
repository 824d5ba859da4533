/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The state of Secure Boot.
 */
#include "boot/secure_boot_state.h"

#define BOOT_AND_RUNTIME 6u /* EFI_VARIABLE_BOOTSERVICE_ACCESS and _RUNTIME_ACCESS */

enum secure_boot secure_boot_state(const struct secure_boot_answer *answer)
{
	if (answer->absent)
		return SECURE_BOOT_OFF;
	if (answer->failed || answer->attributes != BOOT_AND_RUNTIME || answer->size != 1 ||
	    answer->value > 1)
		return SECURE_BOOT_UNKNOWN;
	return answer->value ? SECURE_BOOT_ON : SECURE_BOOT_OFF;
}

const char *secure_boot_text(enum secure_boot state)
{
	switch (state) {
	case SECURE_BOOT_ON:
		return "is on";
	case SECURE_BOOT_OFF:
		return "is off";
	default:
		return "cannot be told, and is taken as on";
	}
}
