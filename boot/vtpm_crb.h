/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands to the vTPM by its registers, locality 0 (monitor/abi/tpm.h), while firmware runs and no
 * driver of an operating system does. Behind vtpm_state_open().
 */
#ifndef BOOT_VTPM_CRB_H
#define BOOT_VTPM_CRB_H

#include "boot/efi.h"
#include "boot/sha256.h"

#define VTPM_COMMAND_MAX 4096u
#define VTPM_HEADER	 10u /* of a command, and of a response */

/*
 * Sends a command of at most VTPM_COMMAND_MAX bytes; the response's size, which is at least that of
 * its header, or 0: there is none. A response longer than `room` is cut off.
 */
UINT32 vtpm_command(const UINT8 *command, UINT32 size, UINT8 *response, UINT32 room);

/* Extends a register of the SHA-256 bank. */
BOOLEAN vtpm_extend(UINT32 pcr, const UINT8 digest[SHA256_BYTES]);

#endif
