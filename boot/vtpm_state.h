/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's state until the operating system keeps it: two files beside the loader, vtpm.0 and
 * vtpm.1 (monitor/abi/tpm.h). Behind the launch, under the monitor. What is in them only the
 * partition can read; here they are bytes.
 */
#ifndef BOOT_VTPM_STATE_H
#define BOOT_VTPM_STATE_H

#include "boot/efi.h"

/*
 * Hands the slots over, has the TPM started, and writes what that changed. FALSE: there is no TPM
 * this time; said why, and the slots are as they were, or have what the partition gave in one.
 */
BOOLEAN vtpm_state_open(const EFI_LOADED_IMAGE *image, UINT32 vendor, BOOLEAN bound);

/* There is no TPM any more until the machine starts anew. */
void vtpm_state_end(void);

/*
 * Behind it: whether commands may change the state, and writing what waits. At first none may;
 * while one may, whatever it changed must be written before its response is there. Only while
 * firmware's file systems work.
 */
BOOLEAN vtpm_state_keep(BOOLEAN on);
BOOLEAN vtpm_state_write(void);

#endif
