/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Mbed TLS with its own compression functions, for sha_c.mk alone: what differs from the vTPM's
 * configuration is that PROCESS_ALT is off. SHA224: so that contexts are the same as there.
 */
#ifndef VTPM_PLATFORM_SHA_C_CONFIG_H
#define VTPM_PLATFORM_SHA_C_CONFIG_H

#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C

#endif
