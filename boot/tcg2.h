/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM 2.0 through firmware (TCG EFI Protocol Specification, family 2.0).
 */
#ifndef BOOT_TCG2_H
#define BOOT_TCG2_H

#include "boot/efi.h"
#include "boot/tpm.h"

/* FALSE: firmware offers no TPM 2.0. */
BOOLEAN tcg2_open(struct tpm *tpm);

/*
 * Extends PCR 4, in all banks and in firmware's event log, so that nothing later unseals what was
 * sealed to it; each start does so with the same value. Does nothing the second time, or without a
 * TPM. FALSE: firmware refused, or the PCR has not changed.
 */
BOOLEAN tcg2_cap(void);

#endif
