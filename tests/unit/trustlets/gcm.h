/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AES-256-GCM read plainly out of FIPS 197 and SP 800-38D, bit by bit: what sealing is compared
 * with. Encrypts, with a nonce of 96 bits.
 */
#ifndef TESTS_UNIT_TRUSTLETS_GCM_H
#define TESTS_UNIT_TRUSTLETS_GCM_H

#include <stddef.h>
#include <stdint.h>

struct plain_text {
	const uint8_t *data;
	size_t size;
};

/* The ciphertext, as long as `text`, and behind it 16 bytes of tag. */
void plain_gcm(const uint8_t key[32], const uint8_t nonce[12], struct plain_text aad,
    struct plain_text text, uint8_t *out);

#endif
