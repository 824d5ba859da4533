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

#define TPM_BASE	  0xfed40000u
#define TPM_LOCALITIES	  5u
#define TPM_MAILBOX_PAGES 5u
#define TPM_OPEN_PAGES	  (1 + TPM_MAILBOX_PAGES)
#define TPM_PAGES	  (TPM_LOCALITIES + TPM_OPEN_PAGES)
#define TPM_BUFFER	  (TPM_BASE + TPM_LOCALITIES * 0x1000u)

/*
 * The mailbox: by it the TPM's state, encrypted, comes from the normal world's storage and gets
 * there (vtpm/storage.h). Its first eight bytes are the generation that waits to be written, 0 if
 * none does: whoever keeps the storage looks there, at no cost. Pieces of a state stand from its
 * second page on.
 */
#define TPM_MAILBOX	  (TPM_BUFFER + 0x1000u)
#define TPM_MAILBOX_PIECE (TPM_MAILBOX + 0x1000u)
#define TPM_PIECE_BYTES	  ((TPM_MAILBOX_PAGES - 1) * 0x1000u)

/* The id of its image, which the loader has placed. */
#define TPM_ID "vtpm"

/*
 * The request for a store: its offset from TPM_BASE, the value, its bytes (1, 2, 4, 8). While one
 * is carried out, other stores are put into the page as they are, to be looked at in the end.
 */
#define TPM_REQUEST_STORE 1u

/*
 * Requests of the storage's keeper: the loader, then the operating system's agent. Arguments and
 * answers stand in vtpm/requests.def.
 */
#define TPM_REQUEST_STATE_SLOT	5u
#define TPM_REQUEST_STATE_OPEN	6u
#define TPM_REQUEST_STATE_PIECE 7u
#define TPM_REQUEST_STATE_KEPT	8u
#define TPM_REQUEST_STORAGE	9u

/* A slot: a file of this size. Beside the loader they are vtpm.0 and vtpm.1. */
#define TPM_SLOTS      2u
#define TPM_SLOT_BYTES 0x40000u

/* Whether there is a TPM: answers of STATE_OPEN. */
#define TPM_STATE_KEPT	   0u /* it goes on from a slot, or was made, and is kept in them */
#define TPM_STATE_VOLATILE 1u /* it was made, and is kept in memory alone: no root key */
#define TPM_STATE_REFUSED  2u /* no TPM: the slots have none that may be used */
#define TPM_STATE_OPENED   3u /* this was asked before: nothing has changed */

/* Statuses of theirs beside OK and INVALID. */
#define TPM_STATUS_LATE	   0x100u /* the TPM is on already */
#define TPM_STATUS_UNKNOWN 0x101u /* another generation waits, or none */
#define TPM_STATUS_OFF	   0x102u /* of other requests: there is no TPM */
