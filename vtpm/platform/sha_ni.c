/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA extensions: SDM volume 2, SHA1MSG1 to SHA256RNDS2. A vector below is written from its highest
 * word to its lowest, as there. Four words of the message schedule are one vector: of SHA-1 the
 * first word is the highest, of SHA-256 the lowest.
 */
#include "vtpm/platform/sha_ni.h"

#include <immintrin.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <stdbool.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"

/*
 * no_stack_protector: gcc forgets -mstack-protector-guard for a function with a target of its own,
 * and %fs is nothing in a trustlet. No such function has an array that is left in memory.
 */
#define NI	  __attribute__((target("sha,sse4.1"), no_stack_protector))
#define NI_INLINE NI __attribute__((always_inline)) static inline

/* The library's functions in C, renamed by sha_c.mk. Always 0. */
int sha1_c_process(mbedtls_sha1_context *hash, const unsigned char data[SHA_BLOCK_BYTES]);
int sha256_c_process(mbedtls_sha256_context *hash, const unsigned char data[SHA_BLOCK_BYTES]);

NI_INLINE __m128i load(const void *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

NI_INLINE __m128i load_as(__m128i order, const uint8_t *data)
{
	return _mm_shuffle_epi8(load(data), order);
}

NI_INLINE void store(void *to, __m128i words)
{
	_mm_storeu_si128((__m128i *)to, words);
}

/* ---- SHA-1 ---- */

/*
 * `before` is what abcd was four rounds ago. Four rounds make E of A, turned left by 30, which
 * SHA1NEXTE does on its way to add E to the first of four words.
 */
struct sha1 {
	__m128i abcd, before;
	__m128i words[4]; /* the schedule's latest 16 */
};

/* Four rounds; the function and constant of each 20 are in the instruction. */
NI_INLINE __m128i sha1_rounds(__m128i abcd, __m128i words, unsigned round)
{
	switch (round / 20) {
	case 0:
		return _mm_sha1rnds4_epu32(abcd, words, 0);
	case 1:
		return _mm_sha1rnds4_epu32(abcd, words, 1);
	case 2:
		return _mm_sha1rnds4_epu32(abcd, words, 2);
	default:
		return _mm_sha1rnds4_epu32(abcd, words, 3);
	}
}

/*
 * Words t to t + 3 of the schedule, of those from t - 16 on: each is w[t-3] ^ w[t-8] ^ w[t-14] ^
 * w[t-16], turned left by one.
 */
NI_INLINE __m128i sha1_schedule(__m128i t16, __m128i t12, __m128i t8, __m128i t4)
{
	return _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(t16, t12), t8), t4);
}

/* Rounds 4 * four to 4 * four + 3, `four` a constant; `words` has E added. */
NI_INLINE void sha1_four(struct sha1 *s, unsigned four, __m128i words)
{
	__m128i *w = s->words;

	s->before = s->abcd;
	s->abcd = sha1_rounds(s->abcd, words, 4 * four);
	if (four < 16)
		w[four % 4] = sha1_schedule(w[four % 4], w[(four + 1) % 4], w[(four + 2) % 4],
		    w[(four + 3) % 4]);
}

NI_INLINE void sha1_next(struct sha1 *s, unsigned four)
{
	sha1_four(s, four, _mm_sha1nexte_epu32(s->before, s->words[four % 4]));
}

NI_INLINE void sha1_block(__m128i *abcd, __m128i *e, const uint8_t *data)
{
	const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
	struct sha1 s = { .abcd = *abcd,
		.before = *abcd,
		.words = { load_as(reversed, data), load_as(reversed, data + 16),
		    load_as(reversed, data + 32), load_as(reversed, data + 48) } };

	sha1_four(&s, 0, _mm_add_epi32(*e, s.words[0]));
	sha1_next(&s, 1);
	sha1_next(&s, 2);
	sha1_next(&s, 3);
	sha1_next(&s, 4);
	sha1_next(&s, 5);
	sha1_next(&s, 6);
	sha1_next(&s, 7);
	sha1_next(&s, 8);
	sha1_next(&s, 9);
	sha1_next(&s, 10);
	sha1_next(&s, 11);
	sha1_next(&s, 12);
	sha1_next(&s, 13);
	sha1_next(&s, 14);
	sha1_next(&s, 15);
	sha1_next(&s, 16);
	sha1_next(&s, 17);
	sha1_next(&s, 18);
	sha1_next(&s, 19);
	*e = _mm_sha1nexte_epu32(s.before, *e);
	*abcd = _mm_add_epi32(*abcd, s.abcd);
}

NI void sha1_ni_blocks(uint32_t state[5], const uint8_t *data, size_t blocks)
{
	__m128i abcd = _mm_shuffle_epi32(load(state), _MM_SHUFFLE(0, 1, 2, 3));
	__m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);

	for (; blocks > 0; blocks--, data += SHA_BLOCK_BYTES)
		sha1_block(&abcd, &e, data);
	store(state, _mm_shuffle_epi32(abcd, _MM_SHUFFLE(0, 1, 2, 3)));
	state[4] = (uint32_t)_mm_extract_epi32(e, 3);
}

/* ---- SHA-256 ---- */

/* FIPS 180-4, 4.2.2. */
_Alignas(16) static const uint32_t constants[64] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

/* The state as SHA256RNDS2 takes it, A and C the highest. */
struct sha256 {
	__m128i abef, cdgh;
	__m128i words[4]; /* the schedule's latest 16 */
};

/*
 * Words t to t + 3 of the schedule, of those from t - 16 on: each is s1(w[t-2]) + w[t-7] +
 * s0(w[t-15]) + w[t-16].
 */
NI_INLINE __m128i sha256_schedule(__m128i t16, __m128i t12, __m128i t8, __m128i t4)
{
	const __m128i t7 = _mm_alignr_epi8(t4, t8, 4);

	return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(t16, t12), t7), t4);
}

/*
 * Rounds 4 * four to 4 * four + 3, `four` a constant. Two rounds make ABEF of both halves, and what
 * was ABEF is then CDGH: so each instruction writes over the older half.
 */
NI_INLINE void sha256_four(struct sha256 *s, unsigned four)
{
	const __m128i k = _mm_load_si128((const __m128i *)(const void *)&constants[4 * four]);
	__m128i *w = s->words;
	const __m128i sum = _mm_add_epi32(w[four % 4], k);

	s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
	s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_srli_si128(sum, 8));
	if (four < 12)
		w[four % 4] = sha256_schedule(w[four % 4], w[(four + 1) % 4], w[(four + 2) % 4],
		    w[(four + 3) % 4]);
}

NI_INLINE void sha256_block(__m128i *abef, __m128i *cdgh, const uint8_t *data)
{
	const __m128i swapped = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct sha256 s = { .abef = *abef,
		.cdgh = *cdgh,
		.words = { load_as(swapped, data), load_as(swapped, data + 16),
		    load_as(swapped, data + 32), load_as(swapped, data + 48) } };

	sha256_four(&s, 0);
	sha256_four(&s, 1);
	sha256_four(&s, 2);
	sha256_four(&s, 3);
	sha256_four(&s, 4);
	sha256_four(&s, 5);
	sha256_four(&s, 6);
	sha256_four(&s, 7);
	sha256_four(&s, 8);
	sha256_four(&s, 9);
	sha256_four(&s, 10);
	sha256_four(&s, 11);
	sha256_four(&s, 12);
	sha256_four(&s, 13);
	sha256_four(&s, 14);
	sha256_four(&s, 15);
	*abef = _mm_add_epi32(*abef, s.abef);
	*cdgh = _mm_add_epi32(*cdgh, s.cdgh);
}

/* DCBA and HGFE as they lie in memory become ABEF and CDGH, and back by the same steps reversed. */
NI void sha256_ni_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	const __m128i dcba = load(state), hgfe = load(state + 4);
	__m128i abef = _mm_shuffle_epi32(_mm_unpacklo_epi64(hgfe, dcba), _MM_SHUFFLE(2, 3, 0, 1));
	__m128i cdgh = _mm_shuffle_epi32(_mm_unpackhi_epi64(hgfe, dcba), _MM_SHUFFLE(2, 3, 0, 1));

	for (; blocks > 0; blocks--, data += SHA_BLOCK_BYTES)
		sha256_block(&abef, &cdgh, data);
	abef = _mm_shuffle_epi32(abef, _MM_SHUFFLE(2, 3, 0, 1));
	cdgh = _mm_shuffle_epi32(cdgh, _MM_SHUFFLE(2, 3, 0, 1));
	store(state, _mm_unpackhi_epi64(abef, cdgh));
	store(state + 4, _mm_unpacklo_epi64(abef, cdgh));
}

/* ---- The choice ---- */

static void sha1_c_blocks(uint32_t state[5], const uint8_t *data, size_t blocks)
{
	mbedtls_sha1_context hash = { 0 };

	memcpy(hash.MBEDTLS_PRIVATE(state), state, sizeof(hash.MBEDTLS_PRIVATE(state)));
	for (; blocks > 0; blocks--, data += SHA_BLOCK_BYTES)
		(void)sha1_c_process(&hash, data);
	memcpy(state, hash.MBEDTLS_PRIVATE(state), sizeof(hash.MBEDTLS_PRIVATE(state)));
	mbedtls_platform_zeroize(&hash, sizeof(hash));
}

static void sha256_c_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	mbedtls_sha256_context hash = { 0 };

	memcpy(hash.MBEDTLS_PRIVATE(state), state, sizeof(hash.MBEDTLS_PRIVATE(state)));
	for (; blocks > 0; blocks--, data += SHA_BLOCK_BYTES)
		(void)sha256_c_process(&hash, data);
	memcpy(state, hash.MBEDTLS_PRIVATE(state), sizeof(hash.MBEDTLS_PRIVATE(state)));
	mbedtls_platform_zeroize(&hash, sizeof(hash));
}

void sha1_blocks(uint32_t state[5], const uint8_t *data, size_t blocks)
{
	if (trustlet_has_sha())
		sha1_ni_blocks(state, data, blocks);
	else
		sha1_c_blocks(state, data, blocks);
}

void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
	if (trustlet_has_sha())
		sha256_ni_blocks(state, data, blocks);
	else
		sha256_c_blocks(state, data, blocks);
}

int mbedtls_internal_sha1_process(mbedtls_sha1_context *hash,
    const unsigned char data[SHA_BLOCK_BYTES])
{
	if (!trustlet_has_sha())
		return sha1_c_process(hash, data);
	sha1_ni_blocks(hash->MBEDTLS_PRIVATE(state), data, 1);
	return 0;
}

int mbedtls_internal_sha256_process(mbedtls_sha256_context *hash,
    const unsigned char data[SHA_BLOCK_BYTES])
{
	if (!trustlet_has_sha())
		return sha256_c_process(hash, data);
	sha256_ni_blocks(hash->MBEDTLS_PRIVATE(state), data, 1);
	return 0;
}
