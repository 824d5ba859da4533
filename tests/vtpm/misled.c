/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A TPM that answers wrongly: MISLED="N AT" has one bit of byte AT flipped in the answer to the Nth
 * command of the run, from 0.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vtpm/tpm.h"

vtpm_status __real_vtpm_command(unsigned locality, struct vtpm_bytes command,
    struct vtpm_bytes *response);
vtpm_status __wrap_vtpm_command(unsigned locality, struct vtpm_bytes command,
    struct vtpm_bytes *response);

vtpm_status __wrap_vtpm_command(unsigned locality, struct vtpm_bytes command,
    struct vtpm_bytes *response)
{
	static unsigned now;
	vtpm_status status = __real_vtpm_command(locality, command, response);
	const char *told = getenv("MISLED");
	unsigned number, at;

	if (told && sscanf(told, "%u %u", &number, &at) == 2 && now == number &&
	    at < response->length)
		((uint8_t *)(uintptr_t)response->bytes)[at] ^= 1;
	now++;
	return status;
}
