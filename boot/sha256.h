/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 (FIPS 180-4). Of what was hashed nothing stays behind: it may be a key. The loader has
 * its own because it may not include the monitor's.
 */
#ifndef BOOT_SHA256_H
#define BOOT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u
#define SHA256_BLOCK 64u

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes taken so far */
	uint8_t block[SHA256_BLOCK];
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
/* Scrubs the hash. */
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

#endif
