/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands to the vTPM (vtpm_crb.h).
 */
#include "boot/vtpm_crb.h"

#include <string.h>

#include "boot/vtpm_state.h"
#include "monitor/abi/tpm.h"

/* TCG PC Client Platform TPM Profile 1.05, 6.5.3. */
#define LOC_CTRL   0x08u
#define LOC_STS	   0x0cu
#define CTRL_REQ   0x40u
#define CTRL_STS   0x44u
#define CTRL_START TPM_START_AT

#define REQUEST	   1u
#define RELINQUISH 2u
#define GRANTED	   1u
#define READY	   1u
#define IDLE	   2u
#define START	   1u

#define CODE_AT	      6u
#define EXTEND_DIGEST 33u /* where it is in the command */

static volatile UINT32 *at(UINT32 offset)
{
	return (volatile UINT32 *)(UINTN)(TPM_BASE + offset);
}

static UINT32 be32(const UINT8 *p)
{
	return (UINT32)p[0] << 24 | (UINT32)p[1] << 16 | (UINT32)p[2] << 8 | p[3];
}

/* What a command changed is written before its response is there. */
static BOOLEAN finished(void)
{
	return *at(CTRL_START) == 0 || (vtpm_state_write() && *at(CTRL_START) == 0);
}

UINT32 vtpm_command(const UINT8 *command, UINT32 size, UINT8 *response, UINT32 room)
{
	UINT8 *buffer = (UINT8 *)(UINTN)TPM_BUFFER;
	UINT32 length = 0;

	if (size < VTPM_HEADER || size > VTPM_COMMAND_MAX)
		return 0;
	*at(LOC_CTRL) = REQUEST;
	/* One that could not be written would have its response taken for this one's. */
	if (!(*at(LOC_STS) & GRANTED) || !finished())
		return 0;
	*at(CTRL_REQ) = READY;
	memcpy(buffer, command, size);
	*at(CTRL_START) = START;
	if (finished())
		length = be32(buffer + 2);
	if (length < VTPM_HEADER || length > VTPM_COMMAND_MAX)
		length = 0;
	memcpy(response, buffer, length < room ? length : room);
	*at(CTRL_REQ) = IDLE;
	*at(LOC_CTRL) = RELINQUISH;
	return length;
}

BOOLEAN vtpm_extend(UINT32 pcr, const UINT8 digest[SHA256_BYTES])
{
	/* TPM2_PCR_Extend of one digest, with an empty password. */
	UINT8 command[EXTEND_DIGEST + SHA256_BYTES] = { 0x80, 0x02, 0, 0, 0, sizeof(command), 0, 0,
		0x01, 0x82, 0, 0, 0, (UINT8)pcr, 0, 0, 0, 9, 0x40, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0,
		0, 1, 0, 0x0b };
	UINT8 response[VTPM_HEADER];

	memcpy(command + EXTEND_DIGEST, digest, SHA256_BYTES);
	return vtpm_command(command, sizeof(command), response, sizeof(response)) >= VTPM_HEADER &&
	    be32(response + CODE_AT) == 0;
}
