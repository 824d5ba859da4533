/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the vTPM needs of Mbed TLS 3.6. AES by the CPU's instructions alone, as sealing has it: no
 * tables that a neighbour on the CPU could watch. No files, time, network, threads, entropy: random
 * numbers are the platform's.
 */
#ifndef VTPM_MBEDTLS_CONFIG_H
#define VTPM_MBEDTLS_CONFIG_H

#include "guest/trustlets/rt/seal/mbedtls_config.h"

#define MBEDTLS_NO_UDBL_DIVISION /* no libgcc */

#define MBEDTLS_DES_C
#define MBEDTLS_CAMELLIA_C

#define MBEDTLS_MD_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA1_PROCESS_ALT /* platform/sha_ni.c */
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_PROCESS_ALT
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_HKDF_C /* of packages */

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_GENPRIME
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_OID_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

#define MBEDTLS_PK_C /* certificates, which are written and never read */
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_PK_PARSE_C /* the next one asks for it; not linked */
#define MBEDTLS_X509_CREATE_C
#define MBEDTLS_X509_CRT_WRITE_C

#define MBEDTLS_ECP_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDH_C /* of packages */
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP192R1_ENABLED
#define MBEDTLS_ECP_DP_SECP224R1_ENABLED
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED

#endif
