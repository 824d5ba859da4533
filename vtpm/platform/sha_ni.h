/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The compression functions of SHA-1 and SHA-256 (FIPS 180-4, 6.1.2 and 6.2.2) by the CPU's SHA
 * extensions, in place of Mbed TLS's in C: the vTPM's only primitive that is not the library's.
 *
 * sha_ni.c also defines mbedtls_internal_sha1_process() and mbedtls_internal_sha256_process(),
 * which the library calls where its configuration has MBEDTLS_SHA1_PROCESS_ALT and
 * MBEDTLS_SHA256_PROCESS_ALT. Where the CPU has no SHA extensions (trustlet_has_sha()) the
 * library's own do the work, which sha_c.mk builds a second time: so on QEMU 7.2's translator.
 * Bochs has them in the model that is used here.
 *
 * No branch and no address depends on state or data. The functions by instructions keep nothing of
 * either in memory (tests/unit/vtpm/sha_stack.py looks); what stays behind in XMM registers is the
 * partition's own. The library clears what its functions in C keep.
 *
 * Instructions for 1 KiB in one call, single-stepped, gcc 12 with a trustlet's flags: SHA-1 2,270
 * (2.2 a byte) by extensions and 28,168 (27.5) in C; SHA-256 2,572 (2.5) and 71,325 (69.7).
 */
#ifndef VTPM_PLATFORM_SHA_NI_H
#define VTPM_PLATFORM_SHA_NI_H

#include <stddef.h>
#include <stdint.h>

#define SHA_BLOCK_BYTES 64u

/*
 * `blocks` blocks of 64 bytes, none or more, into the state: the hash's words in the order of
 * FIPS 180-4, as numbers of this CPU. No alignment is asked of either.
 */
void sha1_blocks(uint32_t state[5], const uint8_t *data, size_t blocks);
void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks);

/* The same by SHA extensions; #UD on a CPU that has none. */
void sha1_ni_blocks(uint32_t state[5], const uint8_t *data, size_t blocks);
void sha256_ni_blocks(uint32_t state[8], const uint8_t *data, size_t blocks);

#endif
