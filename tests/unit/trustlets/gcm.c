/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AES-256-GCM, plainly (gcm.h).
 */
#include "tests/unit/trustlets/gcm.h"

#include <string.h>

#define ROUNDS 14u
#define WORDS  (4 * (ROUNDS + 1))

/* FIPS 197, 4.2: multiplication in GF(2^8). */
static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			product ^= a;
		a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
	}
	return product;
}

/* 5.1.1: the inverse, then an affine map. */
static uint8_t substitute(uint8_t x)
{
	uint8_t inverse = 0, y = 0;

	for (unsigned i = 1; i < 256 && x; i++)
		if (times(x, (uint8_t)i) == 1)
			inverse = (uint8_t)i;
	for (unsigned i = 0; i < 8; i++) {
		unsigned bit = inverse >> i ^ inverse >> (i + 4) % 8 ^ inverse >> (i + 5) % 8 ^
		    inverse >> (i + 6) % 8 ^ inverse >> (i + 7) % 8 ^ 0x63u >> i;

		y |= (uint8_t)((bit & 1) << i);
	}
	return y;
}

/* 5.2 */
static void expand(const uint8_t key[32], uint8_t w[WORDS][4])
{
	uint8_t power = 1;

	memcpy(w, key, 32);
	for (unsigned i = 8; i < WORDS; i++) {
		uint8_t word[4];

		for (unsigned k = 0; k < 4; k++)
			word[k] = w[i - 1][i % 8 == 0 ? (k + 1) % 4 : k];
		for (unsigned k = 0; k < 4 && i % 4 == 0; k++)
			word[k] = substitute(word[k]);
		if (i % 8 == 0) {
			word[0] ^= power;
			power = times(power, 2);
		}
		for (unsigned k = 0; k < 4; k++)
			w[i][k] = w[i - 8][k] ^ word[k];
	}
}

/* 5.1: bytes of the state in the order of the input. */
static void encrypt(uint8_t w[WORDS][4], const uint8_t in[16], uint8_t out[16])
{
	uint8_t s[16], t[16];

	for (unsigned i = 0; i < 16; i++)
		s[i] = in[i] ^ w[i / 4][i % 4];
	for (unsigned round = 1; round <= ROUNDS; round++) {
		for (unsigned i = 0; i < 16; i++)
			t[i] = substitute(s[(i + 4 * (i % 4)) % 16]);
		for (unsigned i = 0; i < 16; i++) {
			const uint8_t *column = t + i / 4 * 4;
			uint8_t mixed = times(column[i % 4], 2) ^ times(column[(i + 1) % 4], 3) ^
			    column[(i + 2) % 4] ^ column[(i + 3) % 4];

			s[i] = (round < ROUNDS ? mixed : t[i]) ^ w[4 * round + i / 4][i % 4];
		}
	}
	memcpy(out, s, 16);
}

/* SP 800-38D, 6.3 */
static void ghash_block(uint8_t y[16], const uint8_t h[16], const uint8_t *block, size_t size)
{
	uint8_t z[16] = { 0 }, v[16];

	for (size_t i = 0; i < size; i++)
		y[i] ^= block[i];
	memcpy(v, h, 16);
	for (unsigned i = 0; i < 128; i++) {
		uint8_t low = v[15] & 1;

		for (unsigned k = 0; k < 16 && (y[i / 8] >> (7 - i % 8) & 1); k++)
			z[k] ^= v[k];
		for (unsigned k = 15; k > 0; k--)
			v[k] = (uint8_t)(v[k] >> 1 | v[k - 1] << 7);
		v[0] = (uint8_t)(v[0] >> 1 ^ (low ? 0xe1 : 0));
	}
	memcpy(y, z, 16);
}

static void ghash(uint8_t y[16], const uint8_t h[16], const uint8_t *data, size_t size)
{
	for (size_t at = 0; at < size; at += 16)
		ghash_block(y, h, data + at, size - at < 16 ? size - at : 16);
}

static void put_bits(uint8_t *at, size_t bytes)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)bytes * 8 >> (56 - 8 * i));
}

void plain_gcm(const uint8_t key[32], const uint8_t nonce[12], struct plain_text aad,
    struct plain_text text, uint8_t *out)
{
	uint8_t w[WORDS][4], h[16] = { 0 }, counter[16], pad[16], y[16] = { 0 }, lengths[16];
	uint32_t number = 1;

	expand(key, w);
	encrypt(w, h, h);
	memcpy(counter, nonce, 12);
	for (size_t i = 0; i < text.size; i++) {
		if (i % 16 == 0) {
			number++;
			for (unsigned k = 0; k < 4; k++)
				counter[12 + k] = (uint8_t)(number >> (24 - 8 * k));
			encrypt(w, counter, pad);
		}
		out[i] = text.data[i] ^ pad[i % 16];
	}
	ghash(y, h, aad.data, aad.size);
	ghash(y, h, out, text.size);
	put_bits(lengths, aad.size);
	put_bits(lengths + 8, text.size);
	ghash(y, h, lengths, 16);
	memcpy(counter + 12, "\0\0\0\1", 4);
	encrypt(w, counter, pad);
	for (unsigned i = 0; i < 16; i++)
		out[text.size + i] = y[i] ^ pad[i];
}
