/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * With OpenSSL: what vtpm/tpm.c asks of the shim and of Mbed TLS.
 */
#include <mbedtls/platform_util.h>
#include <openssl/crypto.h>

#include "tests/bench/vtpm_compare/side.h"
#include "vtpm/platform/ossl_shim/shim.h"

const char *side_name(void)
{
	return "openssl";
}

void side_start(void)
{
}

void mbedtls_platform_zeroize(void *buf, size_t len)
{
	OPENSSL_cleanse(buf, len);
}

void shim_rsa_forget(void)
{
}
