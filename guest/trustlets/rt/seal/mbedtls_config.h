/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What sealing needs of Mbed TLS: AES-256-GCM by the CPU's instructions, without asking CPUID,
 * which a trustlet may not. No tables: whoever shares a cache with the trustlet would see which
 * lines it reads. A trustlet with a configuration of its own includes this one in it.
 */
#ifndef TRUSTLET_RT_SEAL_MBEDTLS_CONFIG_H
#define TRUSTLET_RT_SEAL_MBEDTLS_CONFIG_H

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_AES_C
#define MBEDTLS_AESNI_C
#define MBEDTLS_AES_USE_HARDWARE_ONLY
#define MBEDTLS_GCM_C

#endif
