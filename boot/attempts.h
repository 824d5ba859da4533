/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The counter of starts that have not reached the operating system, a UEFI variable. Where firmware
 * keeps variables in memory only it is zero at each start, and the loader never steps aside.
 */
#ifndef BOOT_ATTEMPTS_H
#define BOOT_ATTEMPTS_H

#include "boot/efi.h"

#define ATTEMPTS_NAME L"RedoubtAttempts"
#define ATTEMPTS_GUID                                                                              \
	{                                                                                          \
		0xdade1552, 0x6eda, 0x488e,                                                        \
		{                                                                                  \
			0x9f, 0x96, 0x12, 0xcc, 0x6f, 0x92, 0xdc, 0xa1                             \
		}                                                                                  \
	}
#define ATTEMPTS_ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)

/* After so many the loader steps aside. */
#define ATTEMPTS_MAX 3u

/* The counter; 0 if it is absent or not of its form. */
UINT32 attempts_read(void);

/* Sets it. Any EFI error means that it is as before. */
EFI_STATUS attempts_write(UINT32 count);

#endif
