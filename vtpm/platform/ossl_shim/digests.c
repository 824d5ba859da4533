/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SHA-1, SHA-256, SHA-384, SHA-512 on OpenSSL's contexts, which libtpms saves as they are; blocks
 * go through Mbed TLS's functions for one block, or what takes their place
 * (MBEDTLS_SHA1_PROCESS_ALT, MBEDTLS_SHA256_PROCESS_ALT).
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha512.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/layouts.h"
#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/sha_ni.h"

#define MD32_BLOCK  64u
#define MD32_LENGTH 8u /* bytes of the count of bits that ends the last block */
#define MD64_BLOCK  128u
#define MD64_LENGTH 16u
#define BITS	    8u

typedef void compress(uint32_t *h, const unsigned char *blocks, size_t count);

/* ---- SHA-1 and SHA-256 ---- */

static void md32_count(struct md32_rest *rest, size_t len)
{
	uint64_t bits = ((uint64_t)rest->high << 32 | rest->low) + (uint64_t)len * BITS;

	rest->low = (uint32_t)bits;
	rest->high = (uint32_t)(bits >> 32);
}

/* Fills the block that waits; returns what it took of the data. */
static size_t md32_fill(struct md32_rest *rest, uint32_t *h, compress *blocks,
    const unsigned char *data, size_t len)
{
	size_t part = MD32_BLOCK - rest->num;
	unsigned char *waiting = (unsigned char *)rest->data;

	if (rest->num == 0)
		return 0;
	if (part > len)
		part = len;
	memcpy(waiting + rest->num, data, part);
	rest->num += (uint32_t)part;
	if (rest->num == MD32_BLOCK) {
		blocks(h, waiting, 1);
		rest->num = 0;
		memset(waiting, 0, MD32_BLOCK); /* as OpenSSL leaves it */
	}
	return part;
}

static int md32_update(struct md32_rest *rest, uint32_t *h, compress *blocks, const void *from,
    size_t len)
{
	const unsigned char *data = from;
	size_t done;

	if (len == 0)
		return 1;
	md32_count(rest, len);
	done = md32_fill(rest, h, blocks, data, len);
	data += done;
	len -= done;
	if (len >= MD32_BLOCK)
		blocks(h, data, len / MD32_BLOCK);
	data += len / MD32_BLOCK * MD32_BLOCK;
	len %= MD32_BLOCK;
	if (len > 0) {
		memcpy(rest->data, data, len);
		rest->num = (uint32_t)len;
	}
	return 1;
}

static void put32(unsigned char *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void md32_final(struct md32_rest *rest, uint32_t *h, compress *blocks)
{
	unsigned char *waiting = (unsigned char *)rest->data;
	size_t num = rest->num;

	waiting[num++] = 0x80;
	if (num > MD32_BLOCK - MD32_LENGTH) {
		memset(waiting + num, 0, MD32_BLOCK - num);
		blocks(h, waiting, 1);
		num = 0;
	}
	memset(waiting + num, 0, MD32_BLOCK - MD32_LENGTH - num);
	put32(waiting + MD32_BLOCK - 8, rest->high);
	put32(waiting + MD32_BLOCK - 4, rest->low);
	blocks(h, waiting, 1);
	rest->num = 0;
	mbedtls_platform_zeroize(rest->data, sizeof(rest->data));
}

int SHA1_Init(struct SHAstate_st *c)
{
	*c = (struct SHAstate_st){ .h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
				       0xc3d2e1f0 } };
	return 1;
}

int SHA1_Update(struct SHAstate_st *c, const void *data, size_t len)
{
	return md32_update(&c->rest, c->h, sha1_blocks, data, len);
}

int SHA1_Final(unsigned char *md, struct SHAstate_st *c)
{
	md32_final(&c->rest, c->h, sha1_blocks);
	for (unsigned i = 0; i < 5; i++)
		put32(md + 4 * (size_t)i, c->h[i]);
	return 1;
}

int SHA256_Init(struct SHA256state_st *c)
{
	*c = (struct SHA256state_st){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
		.md_len = 32 };
	return 1;
}

int SHA256_Update(struct SHA256state_st *c, const void *data, size_t len)
{
	return md32_update(&c->rest, c->h, sha256_blocks, data, len);
}

int SHA256_Final(unsigned char *md, struct SHA256state_st *c)
{
	md32_final(&c->rest, c->h, sha256_blocks);
	for (unsigned i = 0; i < 8; i++)
		put32(md + 4 * (size_t)i, c->h[i]);
	return 1;
}

/* ---- SHA-384 and SHA-512 ---- */

static void sha512_blocks(struct SHA512state_st *c, const unsigned char *blocks, size_t count)
{
	mbedtls_sha512_context context;

	memcpy(context.state, c->h, sizeof(c->h));
	for (; count > 0; count--, blocks += MD64_BLOCK)
		(void)mbedtls_internal_sha512_process(&context, blocks);
	memcpy(c->h, context.state, sizeof(c->h));
	mbedtls_platform_zeroize(context.state, sizeof(context.state));
}

int SHA512_Init(struct SHA512state_st *c)
{
	*c = (struct SHA512state_st){ .h = { 0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
					  0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
					  0x510e527fade682d1, 0x9b05688c2b3e6c1f,
					  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 },
		.md_len = 64 };
	return 1;
}

int SHA384_Init(struct SHA512state_st *c)
{
	*c = (struct SHA512state_st){ .h = { 0xcbbb9d5dc1059ed8, 0x629a292a367cd507,
					  0x9159015a3070dd17, 0x152fecd8f70e5939,
					  0x67332667ffc00b31, 0x8eb44a8768581511,
					  0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4 },
		.md_len = 48 };
	return 1;
}

static void md64_count(struct SHA512state_st *c, size_t len)
{
	uint64_t low = c->low + (uint64_t)len * BITS;

	c->high += ((uint64_t)len >> 61) + (low < c->low);
	c->low = low;
}

static size_t md64_fill(struct SHA512state_st *c, const unsigned char *data, size_t len)
{
	size_t part = MD64_BLOCK - c->num;

	if (c->num == 0)
		return 0;
	if (part > len)
		part = len;
	memcpy((unsigned char *)c->data + c->num, data, part);
	c->num += (uint32_t)part;
	if (c->num == MD64_BLOCK) {
		sha512_blocks(c, (unsigned char *)c->data, 1);
		c->num = 0;
	}
	return part;
}

int SHA512_Update(struct SHA512state_st *c, const void *from, size_t len)
{
	const unsigned char *data = from;
	size_t done;

	if (len == 0)
		return 1;
	md64_count(c, len);
	done = md64_fill(c, data, len);
	data += done;
	len -= done;
	if (len >= MD64_BLOCK)
		sha512_blocks(c, data, len / MD64_BLOCK);
	data += len / MD64_BLOCK * MD64_BLOCK;
	len %= MD64_BLOCK;
	if (len > 0) {
		memcpy(c->data, data, len);
		c->num = (uint32_t)len;
	}
	return 1;
}

static void put64(unsigned char *to, uint64_t value)
{
	put32(to, (uint32_t)(value >> 32));
	put32(to + 4, (uint32_t)value);
}

int SHA512_Final(unsigned char *md, struct SHA512state_st *c)
{
	unsigned char *waiting = (unsigned char *)c->data;
	size_t num = c->num;

	waiting[num++] = 0x80;
	if (num > MD64_BLOCK - MD64_LENGTH) {
		memset(waiting + num, 0, MD64_BLOCK - num);
		sha512_blocks(c, waiting, 1);
		num = 0;
	}
	memset(waiting + num, 0, MD64_BLOCK - MD64_LENGTH - num);
	put64(waiting + MD64_BLOCK - 16, c->high);
	put64(waiting + MD64_BLOCK - 8, c->low);
	sha512_blocks(c, waiting, 1);
	c->num = 0;
	mbedtls_platform_zeroize(c->data, sizeof(c->data));
	for (unsigned i = 0; i < c->md_len / 8; i++)
		put64(md + 8 * (size_t)i, c->h[i]);
	return 1;
}

int SHA384_Update(struct SHA512state_st *c, const void *data, size_t len)
{
	return SHA512_Update(c, data, len);
}

int SHA384_Final(unsigned char *md, struct SHA512state_st *c)
{
	return SHA512_Final(md, c);
}

/* ---- Digests by name ---- */

static const struct evp_md_st digests[] = {
	{ "sha1", MBEDTLS_MD_SHA1, 20 },
	{ "sha256", MBEDTLS_MD_SHA256, 32 },
	{ "sha384", MBEDTLS_MD_SHA384, 48 },
	{ "sha512", MBEDTLS_MD_SHA512, 64 },
};

const struct evp_md_st *EVP_get_digestbyname(const char *name)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		if (strcmp(digests[i].name, name) == 0)
			return &digests[i];
	}
	return NULL;
}

int EVP_MD_get_size(const struct evp_md_st *md)
{
	return md ? md->bytes : -1;
}
