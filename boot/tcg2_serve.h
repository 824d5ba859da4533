/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM as firmware's TPM: EFI_TCG2_PROTOCOL, its log and the table of final events (TCG EFI
 * Protocol Specification, family 2.0, level 00 revision 00.13), in this loader's image, for as long
 * as it is there.
 */
#ifndef BOOT_TCG2_SERVE_H
#define BOOT_TCG2_SERVE_H

#include "boot/efi.h"
#include "boot/tcg_log.h"

/*
 * Begins the log, in memory that the operating system keeps; `where`: all its room. FALSE: there is
 * no memory.
 */
BOOLEAN tcg2_serve_prepare(struct blob *where);

/*
 * Digest and data measured into a register, and logged: as HashLogExtendEvent() does; an
 * EV_NO_ACTION is only logged. With a failure of the TPM the log has nothing of it.
 */
EFI_STATUS tcg2_serve_measure(const struct tcg_event *event);

/* How many events were logged. */
UINT64 tcg2_serve_events(void);

/* How many images were measured, whether there was room in the log or not. */
UINT64 tcg2_serve_images(void);

/* Whether a disk's partition table was measured. */
BOOLEAN tcg2_serve_table(void);

/* Offers the protocol. FALSE: firmware refuses. */
BOOLEAN tcg2_serve_install(void);

/* Takes it back, since the loader goes. */
void tcg2_serve_remove(void);

#endif
