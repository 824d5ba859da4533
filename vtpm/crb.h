/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Command Response Buffer interface of a TPM: what the normal world reads in the window
 * (monitor/abi/tpm.h), and what its stores there mean. TCG PC Client Platform TPM Profile 1.05,
 * 6.5.3 (tables 20 to 36).
 *
 *            cmdReady            Start, carried out          cmdReady
 *   IDLE ------------------> READY ------------------> DONE ------------> READY
 *     ^                        |                        |    Start, carried out: DONE
 *     +-------- goIdle --------+------------------------+
 *     +-------- another locality is the active one -----+
 *
 * One locality is active, or none; its control area alone counts, the others' read as ones. Who
 * asks while another is active waits; the highest of those that wait is next. A higher one may
 * seize. Localities 3 and 4 are a dynamic launch's, which there is none of: theirs read as ones and
 * never get anything.
 *
 * A store is carried out when it comes. While a command is carried out stores are put into the
 * window as they are (monitor/tpm.h): they are looked at behind it, LOC_CTRL first, but for
 * CTRL_CANCEL, which the command asks for. A response that is held until the state is on the disk
 * (HELD, between Start and DONE) is a command that is still carried out: Start reads 1.
 *
 * The command is copied in once (T60). Whatever a guest makes its window's cache type, it finds
 * what was written: lines are written back behind each change, and dropped before each read.
 */
#ifndef VTPM_CRB_H
#define VTPM_CRB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/tpm.h"

#define CRB_PAGE      4096u
#define CRB_REGISTERS 32u /* words of a locality's page that mean something */
#define CRB_NONE      TPM_LOCALITIES

/*
 * Carries out a command of at most CRB_PAGE bytes; what is behind the size that it says was not
 * copied, but for its first 64 bytes. Returns the response's length. With `*held` set
 * nobody sees the response before crb_release().
 */
typedef size_t crb_command(unsigned locality, const uint8_t command[CRB_PAGE],
    uint8_t response[CRB_PAGE], bool *held);

enum crb_state { CRB_IDLE, CRB_READY, CRB_HELD, CRB_DONE };

struct crb {
	volatile uint32_t *window; /* TPM_LOCALITIES pages, and the buffer */
	crb_command *carry_out;
	unsigned active; /* locality, or CRB_NONE */
	enum crb_state state;
	bool cancel;
	bool posted; /* others may have stored into the window since it was shown */
	bool waits[TPM_LOCALITIES];
	bool seized[TPM_LOCALITIES]; /* since it was the active one */
	/* As they were written into the window. */
	uint32_t shown[TPM_LOCALITIES][CRB_REGISTERS];
	uint8_t command[CRB_PAGE], response[CRB_PAGE];
	size_t length; /* of the response */
};

/* Power on: no locality is active. */
void crb_start(struct crb *crb, volatile void *window, crb_command *carry_out);

/*
 * The normal world stores `bytes` (1, 2, 4, 8) of `value` at `offset` of the window. What means
 * nothing there is ignored.
 */
void crb_store(struct crb *crb, uint64_t offset, uint64_t value, uint64_t bytes);

/* Lets a response go that is held; else nothing is done. */
void crb_release(struct crb *crb);

/* Whether the command that is being carried out is to be given up. */
bool crb_cancelled(const struct crb *crb);

#endif
