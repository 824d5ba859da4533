/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's SHA-1 and SHA-256 against OpenSSL's: any state and any blocks, in pieces, must give
 * the state that OpenSSL's transformation gives; any message in pieces, through Mbed TLS, its
 * digest.
 *
 *   byte 0      bit 0: SHA-256, else SHA-1; bit 1: by SHA extensions, where the host has them, else
 *               in C; bits 2 and up: how far from alignment the data lies
 *   1 to 4      lengths of pieces, taken in turn: blocks of the first part, bytes of the second
 *   5, 6        how many bytes of data there are
 *   7 to 38     the state
 *   then        what the data is XORed with, as far as there is any
 *
 * The data is made up, so that the first inputs, which are short, have many different blocks too.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/host/has_sha.h"
#include "vtpm/platform/sha_ni.h"

#define PIECES	   4u
#define SIZE	   (1 + PIECES)
#define STATE	   (SIZE + 2)
#define HEAD	   (STATE + 32)
#define DATA_BYTES 700u /* at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool by_extensions;

bool trustlet_has_sha(void)
{
	return by_extensions;
}

static void require(bool holds)
{
	if (!holds)
		abort();
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* OpenSSL's state after whole blocks; 5 words of it for SHA-1. */
static void reference(bool sha256, uint32_t state[8], const uint8_t *data, size_t blocks)
{
	SHA256_CTX two = { 0 };
	SHA_CTX one = { state[0], state[1], state[2], state[3], state[4], 0, 0, { 0 }, 0 };

	memcpy(two.h, state, sizeof(two.h));
	for (; blocks > 0; blocks--, data += SHA_BLOCK_BYTES) {
		SHA256_Transform(&two, data);
		SHA1_Transform(&one, data);
	}
	if (sha256)
		memcpy(state, two.h, sizeof(two.h));
	else
		memcpy(state, (uint32_t[5]){ one.h0, one.h1, one.h2, one.h3, one.h4 }, 20);
}

static void try_blocks(const uint8_t *input, const uint8_t *data, size_t blocks)
{
	const uint8_t *pieces = input + 1;
	bool sha256 = input[0] & 1;
	uint32_t state[8], wanted[8];
	size_t done = 0;

	memcpy(state, input + STATE, sizeof(state));
	memcpy(wanted, state, sizeof(state));
	reference(sha256, wanted, data, blocks);
	for (unsigned i = 0; done < blocks; i++) {
		size_t piece = i < PIECES ? smaller(pieces[i] % 4, blocks - done) : blocks - done;
		const uint8_t *from = data + SHA_BLOCK_BYTES * done;

		if (sha256)
			sha256_blocks(state, from, piece);
		else
			sha1_blocks(state, from, piece);
		done += piece;
	}
	require(memcmp(state, wanted, sizeof(state)) == 0);
}

/* Through the library, which calls the hooks. */
static void try_message(const uint8_t *input, const uint8_t *data, size_t size)
{
	const uint8_t *pieces = input + 1;
	bool sha256 = input[0] & 1;
	mbedtls_sha256_context two;
	mbedtls_sha1_context one;
	uint8_t got[32], wanted[32];

	mbedtls_sha256_init(&two);
	mbedtls_sha1_init(&one);
	require(mbedtls_sha256_starts(&two, 0) == 0 && mbedtls_sha1_starts(&one) == 0);
	(void)(sha256 ? SHA256(data, size, wanted) : SHA1(data, size, wanted));
	for (unsigned i = 0; size > 0; i++) {
		size_t piece = i < PIECES ? smaller(pieces[i], size) : size;

		require((sha256 ? mbedtls_sha256_update(&two, data, piece)
				: mbedtls_sha1_update(&one, data, piece)) == 0);
		data += piece;
		size -= piece;
	}
	require((sha256 ? mbedtls_sha256_finish(&two, got) : mbedtls_sha1_finish(&one, got)) == 0);
	require(memcmp(got, wanted, sha256 ? 32 : 20) == 0);
}

static void make_data(uint8_t *to, size_t bytes, const uint8_t *input, size_t size)
{
	uint64_t random = input[STATE] + 1u;

	for (size_t i = 0; i < bytes; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		to[i] = (uint8_t)(random >> 56 ^ (HEAD + i < size ? input[HEAD + i] : 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t away, bytes;
	uint8_t *memory;

	if (size < HEAD)
		return 0;
	by_extensions = data[0] & 2 && host_has_sha();
	away = data[0] >> 2;
	bytes = (data[SIZE] | (size_t)data[SIZE + 1] << 8) % (DATA_BYTES + 1);
	/* It ends where the data does, so that a read behind it is noticed. */
	memory = calloc(away + bytes + (away + bytes == 0), 1);
	require(memory);
	make_data(memory + away, bytes, data, size);
	try_blocks(data, memory + away, bytes / SHA_BLOCK_BYTES);
	try_message(data, memory + away, bytes);
	free(memory);
	return 0;
}
