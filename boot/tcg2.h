/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM 2.0 through firmware (TCG EFI Protocol Specification, family 2.0).
 */
#ifndef BOOT_TCG2_H
#define BOOT_TCG2_H

#include "boot/efi.h"
#include "boot/tcg_log.h"
#include "boot/tpm.h"

/* FALSE: firmware offers no TPM 2.0. */
BOOLEAN tcg2_present(void);

/* The same, for commands. */
BOOLEAN tcg2_open(struct tpm *tpm);

/*
 * Extends PCR 4, in all banks and in firmware's event log, so that nothing later unseals what was
 * sealed to it; each start does so with the same value. Does nothing the second time, or without a
 * TPM. FALSE: firmware refused, or the PCR has not changed.
 */
BOOLEAN tcg2_cap(void);

/* Measures `of` into a PCR, and the event, with at most 64 bytes of data, into firmware's log. */
EFI_STATUS tcg2_measure(const struct tcg_event *event, struct blob of);

/* GetEventLog(): the crypto agile one. */
EFI_STATUS tcg2_log(EFI_PHYSICAL_ADDRESS *where, EFI_PHYSICAL_ADDRESS *last, BOOLEAN *truncated);

/*
 * From here on the machine has no such TPM: it is a partition's, and EFI_TCG2_PROTOCOL is taken
 * away wherever firmware offers it. What is offered later is not the platform's.
 */
void tcg2_take(void);

#endif
