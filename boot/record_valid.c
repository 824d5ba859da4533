/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Validity of a panic record.
 */
#include "boot/record_valid.h"

#include "boot/bytes.h"
#include "boot/sha256.h"

bool record_valid(const struct panic_record *record)
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	if (record->magic != PANIC_RECORD_MAGIC || record->length > PANIC_TEXT_BYTES)
		return false;
	sha256_start(&hash);
	sha256_add(&hash, &record->length, sizeof(record->length));
	sha256_add(&hash, record->text, record->length);
	sha256_end(&hash, digest);
	return bytes_equal(digest, record->digest, sizeof(digest));
}
