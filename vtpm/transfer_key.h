/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The machine's key for packages (package.h), of P-256, and agreement by ECDH (NIST SP 800-56A,
 * 5.7.1.2). It follows from the machine's root key and from who the partition is, its security
 * version with it: so it is the same at each start, without being kept anywhere, and no image with
 * a hole that was closed since has it.
 */
#ifndef VTPM_TRANSFER_KEY_H
#define VTPM_TRANSFER_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define TRANSFER_POINT	65u /* uncompressed */
#define TRANSFER_SECRET 32u /* the common point's x, big-endian */

/* The machine's point. false: there is no root key. */
bool transfer_public(uint8_t point[TRANSFER_POINT]);

/* What the machine's key has in common with another. false: no root key, or no point of P-256. */
bool transfer_secret(const uint8_t other[TRANSFER_POINT], uint8_t secret[TRANSFER_SECRET]);

/* The same for a key that is made now and forgotten; its point. */
bool transfer_once(const uint8_t other[TRANSFER_POINT], uint8_t point[TRANSFER_POINT],
    uint8_t secret[TRANSFER_SECRET]);

#endif
