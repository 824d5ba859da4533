/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Random numbers: the platform's, which halts rather than fail.
 */
#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"

int RAND_bytes(unsigned char *buf, int num)
{
	if (num < 0)
		platform_halt("RAND_bytes", "a count below zero");
	platform_random(buf, (size_t)num);
	return 1;
}

int shim_random(void *unused, unsigned char *to, size_t bytes)
{
	platform_random(to, bytes);
	return 0;
}
