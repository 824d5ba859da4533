/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * HMAC_DRBG with SHA-256 (NIST SP 800-90A rev. 1, 10.1.2).
 */
#ifndef TRUSTLET_RT_DRBG_H
#define TRUSTLET_RT_DRBG_H

#include <stddef.h>
#include <stdint.h>

#include "guest/trustlets/rt/sha256.h"

struct drbg {
	uint8_t key[SHA256_BYTES], value[SHA256_BYTES];
};

/* From entropy and nonce, one behind the other. */
void drbg_start(struct drbg *drbg, const void *seed, size_t bytes);

/* With `fresh` entropy: what was given before cannot be computed from what is given later. */
void drbg_add(struct drbg *drbg, const void *fresh, size_t bytes);

/* Without additional input; at most 65536 bytes. */
void drbg_get(struct drbg *drbg, void *to, size_t bytes);

#endif
