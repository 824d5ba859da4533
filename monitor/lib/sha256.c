/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256 as FIPS 180-4 writes it down (sections 4.1.2, 5.1.1 and 6.2.2). Its words are
 * big endian, the machine's little.
 */
#include "monitor/lib/sha256.h"

#include "monitor/lib/string.h"

static const uint32_t constants[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void schedule(const uint8_t block[64], uint32_t w[64])
{
	memcpy(w, block, 64);
	for (unsigned t = 0; t < 16; t++)
		w[t] = __builtin_bswap32(w[t]);
	for (unsigned t = 16; t < 64; t++) {
		uint32_t a = w[t - 15];
		uint32_t b = w[t - 2];

		w[t] = w[t - 16] + w[t - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
		    (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void round_once(uint32_t v[8], uint32_t word)
{
	uint32_t a = v[0];
	uint32_t e = v[4];
	uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
	    ((e & v[5]) ^ (~e & v[6])) + word;
	uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
	    ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

	for (unsigned i = 7; i > 0; i--)
		v[i] = v[i - 1];
	v[4] += t1;
	v[0] = t1 + t2;
}

static void take_block(struct sha256 *hash, const uint8_t block[64])
{
	uint32_t w[64];
	uint32_t v[8];

	schedule(block, w);
	memcpy(v, hash->state, sizeof(v));
	for (unsigned t = 0; t < 64; t++)
		round_once(v, constants[t] + w[t]);
	for (unsigned i = 0; i < 8; i++)
		hash->state[i] += v[i];
}

void sha256_start(struct sha256 *hash)
{
	*hash = (struct sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_add(struct sha256 *hash, const void *data, size_t bytes)
{
	const uint8_t *in = data;

	while (bytes > 0) {
		size_t used = hash->length % 64;
		size_t part = bytes < 64 - used ? bytes : 64 - used;

		memcpy(hash->block + used, in, part);
		hash->length += part;
		in += part;
		bytes -= part;
		if (used + part == 64)
			take_block(hash, hash->block);
	}
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
	uint64_t bits = __builtin_bswap64(hash->length * 8);
	uint8_t tail[72] = { 0x80 };
	size_t pad = 64 - (hash->length + 8) % 64;

	memcpy(tail + pad, &bits, sizeof(bits));
	sha256_add(hash, tail, pad + 8);
	for (size_t i = 0; i < 8; i++)
		hash->state[i] = __builtin_bswap32(hash->state[i]);
	memcpy(digest, hash->state, SHA256_BYTES);
	scrub(hash, sizeof(*hash));
}

void hmac_sha256(const uint8_t key[SHA256_BYTES], const void *data, size_t bytes,
    uint8_t mac[SHA256_BYTES])
{
	uint8_t pads[2][64] = { { 0 } };
	struct sha256 hash;

	for (unsigned i = 0; i < 64; i++) {
		uint8_t byte = i < SHA256_BYTES ? key[i] : 0;

		pads[0][i] = byte ^ 0x36;
		pads[1][i] = byte ^ 0x5c;
	}
	sha256_start(&hash);
	sha256_add(&hash, pads[0], sizeof(pads[0]));
	sha256_add(&hash, data, bytes);
	sha256_end(&hash, mac);
	sha256_start(&hash);
	sha256_add(&hash, pads[1], sizeof(pads[1]));
	sha256_add(&hash, mac, SHA256_BYTES);
	sha256_end(&hash, mac);
	scrub(pads, sizeof(pads));
}
