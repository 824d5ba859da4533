/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * broken.c in a partition: SHA-256 is wrong while the last word of the first page that is lent is
 * not zero.
 */
#include <stdint.h>

#include "monitor/abi/trustlet.h"

struct SHA256state_st;
int __real_SHA256_Final(unsigned char *md, struct SHA256state_st *c);
int __wrap_SHA256_Final(unsigned char *md, struct SHA256state_st *c);

int __wrap_SHA256_Final(unsigned char *md, struct SHA256state_st *c)
{
	const volatile uint64_t *lent = (const volatile uint64_t *)TRUSTLET_SHARED_BASE;
	int status = __real_SHA256_Final(md, c);

	if (lent[511])
		md[0] ^= 1;
	return status;
}
