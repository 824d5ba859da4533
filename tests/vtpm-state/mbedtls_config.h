/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What packages need of Mbed TLS, on the host: vtpm/mbedtls_config.h has more. */
#ifndef TESTS_VTPM_STATE_MBEDTLS_CONFIG_H
#define TESTS_VTPM_STATE_MBEDTLS_CONFIG_H

#include "guest/trustlets/rt/seal/mbedtls_config.h"

#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_HKDF_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECDH_C

#endif
