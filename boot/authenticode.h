/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The digest of a PE image that its signature is about, and that measurements use (Windows
 * Authenticode Portable Executable Signature Format 1.0, "Calculating the PE Image Hash"). No call
 * to firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_AUTHENTICODE_H
#define BOOT_AUTHENTICODE_H

#include <stdbool.h>

#include "boot/image.h"
#include "boot/sha256.h"

/*
 * Of a file as it lies on a disk, PE32 or PE32+, signed or not. false: headers or sections that
 * lead out of it, or that overlap.
 */
bool authenticode_sha256(struct blob file, uint8_t digest[SHA256_BYTES]);

#endif
