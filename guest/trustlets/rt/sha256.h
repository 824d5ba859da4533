/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104). States are scrubbed at the end. Trustlets have
 * their own because they may not include the monitor's.
 */
#ifndef TRUSTLET_RT_SHA256_H
#define TRUSTLET_RT_SHA256_H

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
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

struct hmac {
	struct sha256 hash;
	uint8_t outer[SHA256_BLOCK];
};

/* At most SHA256_BLOCK bytes of key. */
void hmac_start(struct hmac *mac, const uint8_t *key, size_t key_size);
void hmac_add(struct hmac *mac, const void *data, size_t size);
void hmac_end(struct hmac *mac, uint8_t tag[SHA256_BYTES]);

#endif
