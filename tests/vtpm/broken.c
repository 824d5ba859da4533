/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 that is wrong from now on if BROKEN names a file that exists: linked in the place of
 * SHA256_Final() to see the TPM fail its self test.
 */
#include <stdlib.h>
#include <unistd.h>

struct SHA256state_st;
int __real_SHA256_Final(unsigned char *md, struct SHA256state_st *c);
int __wrap_SHA256_Final(unsigned char *md, struct SHA256state_st *c);

int __wrap_SHA256_Final(unsigned char *md, struct SHA256state_st *c)
{
	const char *name = getenv("BROKEN");
	int status = __real_SHA256_Final(md, c);

	if (name && access(name, F_OK) == 0)
		md[0] ^= 1;
	return status;
}
