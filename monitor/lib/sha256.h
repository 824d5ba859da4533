/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 (FIPS 180-4), HMAC (FIPS 198-1).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes taken in so far */
	uint8_t block[64];
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t bytes);

/* Writes the digest and scrubs the state. */
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

/* HMAC by a key of 32 bytes; `mac` may be `key`. */
void hmac_sha256(const uint8_t key[SHA256_BYTES], const void *data, size_t bytes,
    uint8_t mac[SHA256_BYTES]);
