/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Physical presence: what the operating system asks of firmware, which asks whoever is at the
 * machine. TCG PC Client Platform Physical Presence Interface 1.30. Its functions are those of
 * boot/vtpm.asl, which reach the partition by four words of locality 0's page, where the profile
 * has a buffer for commands (0x80 to 0xfff): this TPM has it elsewhere, as CTRL_CMD_LADDR says.
 *
 *   submit     store: PPI_BUSY and an operation; read: the same until it is dealt with, then a PPI_
 *              result. A store that comes while a command is carried out is put into the page and
 *              nothing more (monitor/tpm.h): to be repeated until it is dealt with.
 *   pending    what is asked at the next start, 0: nothing
 *   last       what was asked, 0: nothing ever
 *   response   what became of it: the TPM's code, 0 for success, or PPI_USER_ABORT
 *
 * A request is a part of the state: accepted when it is kept, so not without a keeper. It ends with
 * the start that asks, whatever the answer.
 */
#ifndef VTPM_PPI_H
#define VTPM_PPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/tpm_state.h"
#include "vtpm/nv.h"

#define PPI_AT	 0x800u /* of the window */
#define PPI_BUSY (1u << 31)

enum ppi_register { PPI_SUBMIT, PPI_PENDING, PPI_LAST, PPI_RESPONSE, PPI_REGISTERS };

/* Results of a submission: the specification's function 7. */
#define PPI_ACCEPTED	  0u
#define PPI_NOT_SUPPORTED 1u
#define PPI_FAILURE	  2u

/* Responses beside the TPM's own: function 5. */
#define PPI_USER_ABORT TPM_PPI_ABORTED

/* A state's part NV_PPI. */
struct ppi_part {
	uint32_t version; /* 1 */
	uint32_t pending, last, response;
};

_Static_assert(sizeof(struct ppi_part) == 16, "no padding");

struct ppi {
	volatile uint32_t *registers; /* NULL: not shown yet */
	struct ppi_part part;	      /* as it is kept */
	struct ppi_part next;	      /* as it is to be kept */
	bool waits;		      /* until it is */
	uint32_t submitted;	      /* as it is read */
};

/* With what the state has; no bytes, or others than this version's: nothing was ever asked. */
void ppi_start(struct ppi *ppi, struct nv_bytes part);

/* Puts an end to what is pending. */
void ppi_done(struct ppi *ppi, uint32_t response);

/* From here on the registers are in the window. */
void ppi_show(struct ppi *ppi, volatile void *window);

/*
 * The normal world stores `bytes` (1, 2, 4, 8) of `value` at PPI_AT, `keeps`: and what is asked for
 * could be kept. true: `next` is to be kept. Stores elsewhere change none of the registers.
 */
bool ppi_store(struct ppi *ppi, uint64_t value, uint64_t bytes, bool keeps);

/* `next` is kept, if it waited for that. */
void ppi_kept(struct ppi *ppi);

#endif
