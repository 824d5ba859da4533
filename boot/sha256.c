/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-256, FIPS 180-4: the functions of 4.1.2, the padding of 5.1.1, the computation of 6.2.2.
 */
#include "boot/sha256.h"

#include "boot/bytes.h"

static const uint32_t K[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t big32(const uint8_t *p)
{
	return __builtin_bswap32(get32(p));
}

static void schedule(uint32_t w[64], const uint8_t *block)
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = big32(block + 4 * (size_t)t);
	for (unsigned t = 16; t < 64; t++) {
		uint32_t s0 = ror(w[t - 15], 7) ^ ror(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = ror(w[t - 2], 17) ^ ror(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
}

/*
 * One round of 6.2.2 step 3. v holds a..h; instead of moving each to the next place, the round
 * counts where they are: a is at v[-t mod 8].
 */
static inline __attribute__((always_inline)) void round_of(uint32_t v[8], unsigned t,
    uint32_t constant_and_word)
{
#define V(letter) v[(letter - t) & 7]
	uint32_t e = V(4), a = V(0);
	uint32_t t1 = V(7) + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + (V(6) ^ (e & (V(5) ^ V(6)))) +
	    constant_and_word;

	V(3) += t1;
	V(7) = t1 + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & V(1)) | (V(2) & (a | V(1))));
#undef V
}

static void compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	schedule(w, block);
	for (unsigned i = 0; i < 8; i++)
		v[i] = state[i];
	for (unsigned t = 0; t < 64; t += 8) {
		round_of(v, 0, K[t] + w[t]);
		round_of(v, 1, K[t + 1] + w[t + 1]);
		round_of(v, 2, K[t + 2] + w[t + 2]);
		round_of(v, 3, K[t + 3] + w[t + 3]);
		round_of(v, 4, K[t + 4] + w[t + 4]);
		round_of(v, 5, K[t + 5] + w[t + 5]);
		round_of(v, 6, K[t + 6] + w[t + 6]);
		round_of(v, 7, K[t + 7] + w[t + 7]);
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
	scrub(w, sizeof(w));
	scrub(v, sizeof(v));
}

void sha256_start(struct sha256 *hash)
{
	*hash = (struct sha256){
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		    0x1f83d9ab, 0x5be0cd19 },
	};
}

void sha256_add(struct sha256 *hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size;) {
		if (hash->length % SHA256_BLOCK == 0 && size - i >= SHA256_BLOCK) {
			compress(hash->state, bytes + i);
			hash->length += SHA256_BLOCK;
			i += SHA256_BLOCK;
			continue;
		}
		hash->block[hash->length++ % SHA256_BLOCK] = bytes[i++];
		if (hash->length % SHA256_BLOCK == 0)
			compress(hash->state, hash->block);
	}
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
	uint64_t bits = hash->length * 8;
	uint8_t length[8];
	uint8_t byte = 0x80;

	do {
		sha256_add(hash, &byte, 1);
		byte = 0;
	} while (hash->length % SHA256_BLOCK != SHA256_BLOCK - sizeof(length));
	put64(length, __builtin_bswap64(bits));
	sha256_add(hash, length, sizeof(length));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
	scrub(hash, sizeof(*hash));
}
