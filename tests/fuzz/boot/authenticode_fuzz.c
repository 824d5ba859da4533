/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the digest of a PE image, in memory of exactly its size. Behind the headers seeds say
 * little, so the input is followed by as many zeros as its first two bytes say. Of an image that
 * has a digest the checksum is not in it, and the first byte is.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/authenticode.h"
#include "boot/bytes.h"

#define MORE_MAX    0x3fffu
#define CHECKSUM_AT (24u + 64u) /* from the PE header on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_image(uint8_t *image, size_t size)
{
	uint8_t digest[SHA256_BYTES], other[SHA256_BYTES];
	const struct blob file = { image, size };
	uint8_t *checksum;

	if (!authenticode_sha256(file, digest))
		return;
	checksum = image + get32(image + 60) + CHECKSUM_AT;
	if (checksum < image + 64)
		return; /* in the DOS header, which says where it is */
	for (unsigned i = 0; i < 4; i++)
		checksum[i] ^= 0xff;
	if (!authenticode_sha256(file, other) || memcmp(digest, other, SHA256_BYTES) != 0)
		abort();
	image[2] ^= 1;
	if (authenticode_sha256(file, other) && memcmp(digest, other, SHA256_BYTES) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t more, bytes;
	uint8_t *image;

	if (size < 2)
		return 0;
	more = get16(data) & MORE_MAX;
	bytes = size - 2 + more;
	image = calloc(1, bytes ? bytes : 1);
	memcpy(image, data + 2, size - 2);
	try_image(image, bytes);
	free(image);
	return 0;
}
