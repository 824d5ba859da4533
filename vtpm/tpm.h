/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM: libtpms behind a few calls, for one caller at a time. It owns no storage: state comes in
 * at the start and is asked for afterwards. A command that changes the permanent state leaves a new
 * generation of it here, in memory; the caller makes it durable before it lets the response go, or
 * drops the response and ends the TPM. So what was acknowledged is kept.
 */
#ifndef VTPM_TPM_H
#define VTPM_TPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest command and response that libtpms has by itself. */
#define VTPM_BUFFER_MAX 4096u
#define VTPM_LOCALITIES 5u

struct vtpm_bytes {
	const uint8_t *bytes; /* NULL: there is none */
	size_t length;
};

/* Results of libtpms, that is of TPM 1.2, other than success. */
typedef uint32_t vtpm_status;
#define VTPM_OK		 0u
#define VTPM_BAD_COMMAND 0xffffffffu /* too long, or a locality that there is not */

/*
 * Powers the TPM on. Without permanent state it is manufactured; with volatile state it goes on
 * where that was taken, and needs no TPM2_Startup(). State that libtpms refuses is an error, and
 * then the TPM is off.
 */
vtpm_status vtpm_start(struct vtpm_bytes permanent, struct vtpm_bytes volatile_state);

/* Powers it off; what is not durable is lost, secrets in memory are wiped. */
void vtpm_stop(void);

/*
 * One command. The response is valid until the next call. Other than VTPM_OK: there is no response,
 * and the TPM must be stopped.
 */
vtpm_status vtpm_command(unsigned locality, struct vtpm_bytes command, struct vtpm_bytes *response);

/*
 * Asked from time to time by commands that can be cancelled (of libtpms's: the search for primes of
 * primary keys); true: the command ends with TPM_RC_CANCELED. NULL: none is.
 */
void vtpm_cancelled_by(bool (*cancelled)(void));

/* Whether the permanent state can be changed, in libtpms's numbers. */
enum vtpm_nv {
	VTPM_NV_AVAILABLE,
	VTPM_NV_GONE, /* commands that need to change it are refused: TPM_RC_NV_UNAVAILABLE */
	VTPM_NV_RATE, /* TPM_RC_NV_RATE: not so often */
};

/* It is available until this says otherwise. Few commands change it nevertheless. */
void vtpm_nv(enum vtpm_nv nv);

/*
 * The permanent state and its generation, which counts its changes since vtpm_start(): 0 is what it
 * was started with. The bytes are valid until the next call.
 */
uint64_t vtpm_permanent(struct vtpm_bytes *state);

/*
 * The volatile state as of now, in memory that the caller frees with vtpm_free_state(). A state
 * with secrets in it: free wipes them.
 */
vtpm_status vtpm_volatile(struct vtpm_bytes *state);
void vtpm_free_state(struct vtpm_bytes *state);

#endif
