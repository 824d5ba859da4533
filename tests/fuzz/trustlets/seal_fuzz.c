/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Opening of hostile blobs: bytes as they come; and right blobs with bytes changed, cut or longer.
 * What opens must be what was sealed, and it only opens if nothing was changed; otherwise nothing
 * of it is left where it would have been.
 *
 *   byte 0   how (bit 0: a right blob), 1: size of data or room, 2, 3: bytes taken off or added
 *   then     changes of a right blob: where (16 bits), what is XORed to it
 */
#include <stdlib.h>

#include "guest/trustlets/rt/seal/seal.h"
#include "tests/unit/trustlets/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 4u
#define MOST 255u

static const uint8_t secret[MOST] =
    "what was sealed, and must not be left behind when it is refused";

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	abort();
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void *copy_of(const void *from, size_t size)
{
	void *copy = malloc(size ? size : 1);

	memcpy(copy, from, size);
	return copy;
}

/* Opens a blob in memory of exactly its size into memory of exactly its size. */
static enum seal_result try_open(const uint8_t *from, size_t blob_size, size_t room, size_t sealed)
{
	uint8_t *blob = copy_of(from, blob_size), *out = malloc(room ? room : 1);
	size_t size = room;
	enum seal_result result;

	memset(out, 0xee, room);
	result = trustlet_unseal("label", blob, blob_size, out, &size);
	require(result <= SEAL_NOT_GENUINE);
	if (result == SEAL_OK)
		require(size == sealed && size <= room && memcmp(out, secret, size) == 0);
	for (size_t i = 0; i < room && result != SEAL_OK; i++)
		require(out[i] == 0);
	require(result == SEAL_OK || size == 0);
	free(out);
	free(blob);
	return result;
}

static void try_changed(const uint8_t *data, size_t size)
{
	uint8_t blob[MOST + SEAL_OVERHEAD + 256] = { 0 }, right[sizeof(blob)];
	size_t sealed = data[1], whole = sealed + SEAL_OVERHEAD, taken = whole;
	enum seal_result result;

	require(trustlet_seal("label", secret, sealed, blob) == SEAL_OK);
	memcpy(right, blob, sizeof(blob));
	if (data[0] & 2)
		taken = data[0] & 4 ? whole + data[2] : whole - data[2] % whole;
	for (size_t at = HEAD; at + 3 <= size; at += 3)
		blob[(data[at] | (size_t)data[at + 1] << 8) % whole] ^= data[at + 2];
	result = try_open(blob, taken, data[0] & 8 ? data[3] : sealed, sealed);
	require((result == SEAL_OK) ==
	    (taken == whole && memcmp(blob, right, whole) == 0 &&
		!(data[0] & 8 && data[3] < sealed)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;

	if (!started) {
		fake_start();
		fake.svn = 7;
		random_start();
		started = true;
	}
	if (size < HEAD)
		return 0;
	fake.refuse = data[0] & 0x80 && !(data[0] & 1) ? REDOUBT_CALL_key_derive : 0;
	if (data[0] & 1)
		try_changed(data, size);
	else
		require(try_open(data + HEAD, size - HEAD, data[1], 0) != SEAL_OK);
	return 0;
}
