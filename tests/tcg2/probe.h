/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The program that uses EFI_TCG2_PROTOCOL (probe.c), in parts. Each check is a line on port 0xE9.
 */
#ifndef TESTS_TCG2_PROBE_H
#define TESTS_TCG2_PROBE_H

#include "boot/efi.h"
#include "boot/efi_tcg2.h"
#include "boot/sha256.h"

#define RC_SUCCESS	  0u
#define RC_COMMAND_CODE	  0x143u
#define RC_COMMAND_SIZE	  0x142u
#define RC_NV_UNAVAILABLE 0x923u
#define RC_NONE		  0xffffffffu /* there was no response */

struct probe {
	tcg2_t *tcg2;
	const EFI_LOADED_IMAGE *image;
	UINT8 *final; /* the table of final events */
};

void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One check. */
void check(BOOLEAN good, const char *what);
void gives(EFI_STATUS found, EFI_STATUS wanted, const char *what);

/* ---- commands.c: commands to the TPM by SubmitCommand() ---- */

/* The value of a register of SHA-256. FALSE: there is none. */
BOOLEAN pcr_read(const struct probe *p, UINT32 pcr, UINT8 value[SHA256_BYTES]);

/* What a register is once a digest was added to `value`. */
void extended(UINT8 value[SHA256_BYTES], const UINT8 digest[SHA256_BYTES]);

void check_submit(const struct probe *p);
void check_state(const struct probe *p);

/* The TPM's own answer when it is asked, by its registers, to make a counter in NV memory. */
UINT32 define_by_registers(void);

#endif
