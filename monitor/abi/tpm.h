/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's window: where the normal world finds the registers (CRB) and the buffer of the TPM
 * that the partition `vtpm` is. TCG PC Client Platform TPM Profile 1.05, 6.5.3.
 *
 * The window's pages are the last TPM_PAGES of that partition's private memory. First come those of
 * the localities, which the normal world reads as memory; a store there becomes a request. Then
 * memory that both write: the page of commands and responses, and the mailbox.
 */
#pragma once

#define TPM_BASE       0xfed40000u
#define TPM_LOCALITIES 5u
#define TPM_OPEN_PAGES 6u
#define TPM_PAGES      (TPM_LOCALITIES + TPM_OPEN_PAGES)
#define TPM_BUFFER     (TPM_BASE + TPM_LOCALITIES * 0x1000u)

/* Where in a locality's page the register is that a command is started by. */
#define TPM_START_AT 0x4cu

/* The id of its image, which the loader has placed. */
#define TPM_ID "vtpm"

/*
 * The request for a store: its offset from TPM_BASE, the value, its bytes (1, 2, 4, 8). While one
 * is carried out that starts a command, other stores are put into the page as they are, to be
 * looked at in the end.
 */
#define TPM_REQUEST_STORE 1u
