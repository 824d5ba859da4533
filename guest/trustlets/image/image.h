/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The form of an image file as a whole, for who verifies signatures: trustlets and host programs.
 */
#ifndef TRUSTLETS_IMAGE_H
#define TRUSTLETS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/image.h"

/*
 * What stands behind the pages: pointers into the file; algorithm 0 and NULL if it is not signed.
 */
struct image_signature {
	uint32_t algorithm;
	const uint8_t *key; /* SubjectPublicKeyInfo */
	size_t key_size;
	const uint8_t *signature;
	size_t signature_size;
};

/*
 * Judges what stands behind the pages, `size` bytes that nobody else can change, aligned to 8, not
 * none: IMAGE_OK, and `found` points into them, or IMAGE_BAD_SIGNATURE_BLOCK. Says nothing of
 * whether the signature is right.
 */
enum image_fault image_signature_check(const void *block, size_t size,
    struct image_signature *found);

/*
 * Judges a file that nobody else can change, header first (image_check()). `file` is aligned to 8
 * bytes. On IMAGE_OK `found` is set. Says nothing of whether the signature is right.
 */
enum image_fault image_file_check(const void *file, size_t size, struct image_signature *found);

#endif
