/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What this trustlet needs of Mbed TLS, and nothing else: SHA-256, ECDSA over P-256, RSA PSS, both
 * to verify only. No files, time, network, threads, random numbers. rsa.c refers to ASN.1 by
 * functions that nobody calls and the linker leaves out.
 */
#ifndef CODEINT_MBEDTLS_CONFIG_H
#define CODEINT_MBEDTLS_CONFIG_H

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_NO_UDBL_DIVISION /* no libgcc */
#define MBEDTLS_SHA256_C
#define MBEDTLS_MD_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDSA_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_OID_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C

#endif
