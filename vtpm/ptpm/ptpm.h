/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM 2.0: the machine's own one, by its registers. TCG PC Client Platform TPM
 * Profile (PTP) 1.05, 6: a FIFO (tis.c), also as TIS 1.3 has it, or command and response buffers
 * (crb.c). Locality 0, one command at a time, no interrupts.
 *
 * The device is half trusted: it may answer what it likes, and when it likes. What it says is
 * bounded before it is used, and read once; each wait has a limit. Whether an answer is the TPM's
 * own its caller finds out (anchor.h).
 */
#ifndef VTPM_PTPM_H
#define VTPM_PTPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTPM_BASE	  0xfed40000u /* physical address of the registers */
#define PTPM_PAGES	  5u	      /* a page for each locality */
#define PTPM_HEADER_BYTES 10u	      /* of a command and of a response: tag, size, code */

struct ptpm_way;

struct ptpm {
	volatile uint8_t *registers; /* PTPM_PAGES pages, mapped uncached */
	const struct ptpm_way *way;  /* NULL: there is none to be used */
	/* CRB: offsets of the buffers from `registers`, and their bytes. */
	uint32_t command_at, command_room, response_at, response_room;
	/* Why the last call failed, a sentence for the log; valid for ever. */
	const char *reason;
	/* anchor.h: what the TPM answered last, a TPM_RC. */
	uint32_t code;
};

/*
 * Whether there is a TPM, whose interface is known; whatever firmware's driver left behind is given
 * up. false: `reason` says why, and ptpm_command() fails. Takes up to 20 s where a device does not
 * do as it should, 1 s where all reads as zeros, and no time where all reads as ones.
 */
bool ptpm_open(struct ptpm *tpm, volatile uint8_t *registers);

/* "FIFO" or "CRB"; "none" if it is not open. */
const char *ptpm_interface(const struct ptpm *tpm);

/*
 * One command, of `size` bytes as its header says. Returns the response's length, from
 * PTPM_HEADER_BYTES to `room`, which is the size in its header; nothing else of it was looked at.
 * 0: `reason` says why; the command may have been carried out nevertheless. A later command may
 * work.
 */
size_t ptpm_command(struct ptpm *tpm, const uint8_t *command, size_t size, uint8_t *response,
    size_t room);

#endif
