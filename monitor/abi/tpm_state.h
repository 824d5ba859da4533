/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * How the vTPM's state, encrypted, comes from the normal world's storage and gets there
 * (vtpm/storage.h). Nothing of it is the monitor's: requests to the partition, and memory that both
 * write.
 */
#pragma once

#include "monitor/abi/tpm.h"

/*
 * The mailbox. Its first eight bytes are the generation that waits to be written, 0 if
 * none does: whoever keeps the storage looks there, at no cost. Pieces of a state stand from its
 * second page on.
 */
#define TPM_MAILBOX_PAGES (TPM_OPEN_PAGES - 1)
#define TPM_MAILBOX	  (TPM_BUFFER + 0x1000u)
#define TPM_MAILBOX_PIECE (TPM_MAILBOX + 0x1000u)
#define TPM_PIECE_BYTES	  0x4000u

/*
 * Pieces of a package, and the ask (vtpm/package.h): in the first page, so that whoever takes a
 * package does not disturb the keeper.
 */
#define TPM_MAILBOX_PACKAGE (TPM_MAILBOX + 0x800u)
#define TPM_PACKAGE_BYTES   0x800u
#define TPM_ASK_BYTES	    112u

/*
 * Requests of the storage's keeper: the loader, then the operating system's agent. Arguments and
 * answers stand in vtpm/requests.def.
 */
#define TPM_REQUEST_STATE_SLOT	5u
#define TPM_REQUEST_STATE_OPEN	6u
#define TPM_REQUEST_STATE_PIECE 7u
#define TPM_REQUEST_STATE_KEPT	8u
#define TPM_REQUEST_STORAGE	9u
#define TPM_REQUEST_PRESENCE	10u

/* Of who administers it. */
#define TPM_REQUEST_PACKAGE 11u
#define TPM_REQUEST_ASK	    12u
#define TPM_REQUEST_KEY	    13u

/* Who writes the state: the argument of STORAGE. At the start it is TPM_KEEPER_LOOSE. */
#define TPM_KEEPER_NONE	 0u
#define TPM_KEEPER_SURE	 1u /* the disk has what it says is kept, and what was written before it */
#define TPM_KEEPER_LOOSE 2u /* firmware's file systems: they may never flush */
/* Nobody, and no TPM until the machine starts anew: registers would tell of nothing that ran. */
#define TPM_KEEPER_OFF 3u

/* A slot: a file of this size. Beside the loader they are vtpm.0 and vtpm.1. */
#define TPM_SLOTS      2u
#define TPM_SLOT_BYTES 0x40000u

/* As a slot's number: a package that came with them, vtpm.in; as long as it is, at most a slot. */
#define TPM_SLOT_PACKAGE 2u
#define TPM_FILES	 3u

/* The argument of STATE_OPEN: the platform's TPM is the partition's, and states are bound to it. */
#define TPM_OPEN_BOUND 1u

/* Whether there is a TPM: answers of STATE_OPEN. */
#define TPM_STATE_KEPT	   0u /* it goes on from a slot, or was made, and is kept in them */
#define TPM_STATE_VOLATILE 1u /* it was made, and is kept in memory alone: no root key */
#define TPM_STATE_REFUSED  2u /* no TPM: the slots have none that may be used */
#define TPM_STATE_OPENED   3u /* this was asked before: nothing has changed */

/*
 * STATE_OPEN may name an operation that somebody at the machine is to be asked for. Then there is
 * no TPM before PRESENCE has said what they answered.
 */
#define TPM_PRESENCE_NO	 0u /* or nobody did */
#define TPM_PRESENCE_YES 1u
#define TPM_PPI_ABORTED	 0xfffffff0u /* what became of the operation then; 0: it is done */

/* Statuses of theirs beside OK and INVALID. */
#define TPM_STATUS_LATE	   0x100u /* the TPM is on already, or asks nothing */
#define TPM_STATUS_UNKNOWN 0x101u /* another generation waits, or none */
#define TPM_STATUS_OFF	   0x102u /* of other requests: there is no TPM */
/* of KEPT: the platform's TPM does not take it: say it again */
#define TPM_STATUS_UNANCHORED 0x103u
/* of PACKAGE and ASK: the image names nobody to whom and from whom */
#define TPM_STATUS_NO_GUARDIAN 0x104u
