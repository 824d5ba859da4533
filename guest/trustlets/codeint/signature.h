/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Signatures, by Mbed TLS: all that this trustlet needs of it.
 */
#ifndef CODEINT_SIGNATURE_H
#define CODEINT_SIGNATURE_H

#include "guest/trustlets/image/image.h"
#include "monitor/abi/image.h"

#define DIGEST_BYTES 32u

enum signature_verdict { SIGNATURE_FALSE, SIGNATURE_TRUE, SIGNATURE_NO_MEMORY };

/* SHA-256 of a header and of the pages that follow it in the file. */
void digest_pages(const struct redoubt_image *header, const uint8_t *rest, size_t rest_bytes,
    uint8_t digest[DIGEST_BYTES]);

void digest_key(const struct image_signature *signature, uint8_t digest[DIGEST_BYTES]);

/*
 * Whether this is a signature over a message with this SHA-256 by the key beside it. Its form is
 * right (image_signature_check()); the key has been found to be a trusted one.
 */
enum signature_verdict signature_check(const struct image_signature *signature,
    const uint8_t digest[DIGEST_BYTES]);

#endif
