/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EVP's ciphers: AES, Camellia and triple DES in the modes of a TPM. libtpms asks for one at a time
 * with whole messages, padding off, and reads the IV afterwards to go on with it: so the IV
 * advances as OpenSSL's does, and ECB has none. ECB and CBC take whole blocks only.
 */
#include <mbedtls/aes.h>
#include <mbedtls/camellia.h>
#include <mbedtls/des.h>
#include <mbedtls/platform_util.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/ossl.h"

#define BLOCK_MAX 16u

enum algorithm { AES, CAMELLIA, DES };
enum mode { ECB, CBC, CFB, OFB, CTR };

struct evp_cipher_st {
	enum algorithm algorithm;
	unsigned bits;
	enum mode mode;
};

struct evp_cipher_ctx_st {
	const struct evp_cipher_st *cipher;
	bool decrypt;
	size_t block, used; /* bytes of a block, and of the key stream's */
	unsigned char iv[BLOCK_MAX], stream[BLOCK_MAX];
	union {
		mbedtls_aes_context aes;
		mbedtls_camellia_context camellia;
		mbedtls_des3_context des;
	} key;
};

#define CIPHER(name, algorithm, bits, mode)                                                        \
	static const struct evp_cipher_st name = { algorithm, bits, mode };                        \
	const struct evp_cipher_st *EVP_##name(void)                                               \
	{                                                                                          \
		return &name;                                                                      \
	}
OSSL_CIPHERS
#undef CIPHER

struct evp_cipher_ctx_st *EVP_CIPHER_CTX_new(void)
{
	return calloc(1, sizeof(struct evp_cipher_ctx_st));
}

void EVP_CIPHER_CTX_free(struct evp_cipher_ctx_st *c)
{
	if (!c)
		return;
	mbedtls_platform_zeroize(c, sizeof(*c));
	free(c);
}

/* Nobody asks for padding: it is off from the start. */
int EVP_CIPHER_CTX_set_padding(struct evp_cipher_ctx_st *c, int pad)
{
	return pad == 0;
}

int EVP_CIPHER_CTX_get_iv_length(const struct evp_cipher_ctx_st *c)
{
	return c->cipher->mode == ECB ? 0 : (int)c->block;
}

const unsigned char *EVP_CIPHER_CTX_iv(const struct evp_cipher_ctx_st *c)
{
	return c->iv;
}

/* The modes that make a key stream only ever encrypt. */
static bool backwards(const struct evp_cipher_ctx_st *c)
{
	return c->decrypt && (c->cipher->mode == ECB || c->cipher->mode == CBC);
}

static int set_key(struct evp_cipher_ctx_st *c, const unsigned char *key)
{
	unsigned bits = c->cipher->bits;

	switch (c->cipher->algorithm) {
	case AES:
		mbedtls_aes_init(&c->key.aes);
		return backwards(c) ? mbedtls_aes_setkey_dec(&c->key.aes, key, bits)
				    : mbedtls_aes_setkey_enc(&c->key.aes, key, bits);
	case CAMELLIA:
		mbedtls_camellia_init(&c->key.camellia);
		return backwards(c) ? mbedtls_camellia_setkey_dec(&c->key.camellia, key, bits)
				    : mbedtls_camellia_setkey_enc(&c->key.camellia, key, bits);
	default:
		mbedtls_des3_init(&c->key.des);
		return backwards(c) ? mbedtls_des3_set3key_dec(&c->key.des, key)
				    : mbedtls_des3_set3key_enc(&c->key.des, key);
	}
}

static int start(struct evp_cipher_ctx_st *c, const struct evp_cipher_st *cipher, bool decrypt,
    const unsigned char *key, const unsigned char *iv)
{
	if (!cipher || !key)
		return 0;
	mbedtls_platform_zeroize(c, sizeof(*c));
	c->cipher = cipher;
	c->decrypt = decrypt;
	c->block = cipher->algorithm == DES ? 8 : 16;
	if (iv && cipher->mode != ECB)
		memcpy(c->iv, iv, c->block);
	return set_key(c, key) == 0;
}

static int one_block(struct evp_cipher_ctx_st *c, const unsigned char *in, unsigned char *out)
{
	switch (c->cipher->algorithm) {
	case AES:
		return mbedtls_aes_crypt_ecb(&c->key.aes,
		    backwards(c) ? MBEDTLS_AES_DECRYPT : MBEDTLS_AES_ENCRYPT, in, out);
	case CAMELLIA:
		return mbedtls_camellia_crypt_ecb(&c->key.camellia,
		    backwards(c) ? MBEDTLS_CAMELLIA_DECRYPT : MBEDTLS_CAMELLIA_ENCRYPT, in, out);
	default:
		return mbedtls_des3_crypt_ecb(&c->key.des, in, out);
	}
}

static void xor_into(unsigned char *to, const unsigned char *other, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] ^= other[i];
}

/* In and out may be the same memory. */
static int cbc_block(struct evp_cipher_ctx_st *c, const unsigned char *in, unsigned char *out)
{
	unsigned char text[BLOCK_MAX], next[BLOCK_MAX];
	int status;

	memcpy(text, in, c->block);
	memcpy(next, in, c->block);
	if (!c->decrypt)
		xor_into(text, c->iv, c->block);
	status = one_block(c, text, text);
	if (c->decrypt)
		xor_into(text, c->iv, c->block);
	else
		memcpy(next, text, c->block);
	memcpy(c->iv, next, c->block);
	memcpy(out, text, c->block);
	mbedtls_platform_zeroize(text, sizeof(text));
	return status;
}

static int whole_blocks(struct evp_cipher_ctx_st *c, unsigned char *out, const unsigned char *in,
    size_t bytes)
{
	int status = 0;

	if (bytes % c->block != 0)
		return -1;
	for (; bytes > 0; bytes -= c->block, in += c->block, out += c->block)
		status |= c->cipher->mode == ECB ? one_block(c, in, out) : cbc_block(c, in, out);
	return status;
}

/* A block of key stream more: CFB and OFB have it where the IV is. */
static int next_stream(struct evp_cipher_ctx_st *c)
{
	size_t i = c->block;
	int status;

	if (c->cipher->mode != CTR)
		return one_block(c, c->iv, c->iv);
	status = one_block(c, c->iv, c->stream);
	while (i > 0 && ++c->iv[--i] == 0)
		;
	return status;
}

static unsigned char stream_byte(struct evp_cipher_ctx_st *c, unsigned char in)
{
	unsigned char *stream = c->cipher->mode == CTR ? c->stream : c->iv;
	unsigned char out = in ^ stream[c->used];

	if (c->cipher->mode == CFB)
		stream[c->used] = c->decrypt ? in : out;
	return out;
}

static int by_stream(struct evp_cipher_ctx_st *c, unsigned char *out, const unsigned char *in,
    size_t bytes)
{
	int status = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (c->used == 0)
			status |= next_stream(c);
		out[i] = stream_byte(c, in[i]);
		c->used = (c->used + 1) % c->block;
	}
	return status;
}

static int update(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl,
    const unsigned char *in, int inl)
{
	bool blocks;

	*outl = 0;
	if (!c->cipher || inl < 0)
		return 0;
	blocks = c->cipher->mode == ECB || c->cipher->mode == CBC;
	if ((blocks ? whole_blocks : by_stream)(c, out, in, (size_t)inl) != 0)
		return 0;
	*outl = inl;
	return 1;
}

int EVP_EncryptInit_ex(struct evp_cipher_ctx_st *c, const struct evp_cipher_st *cipher,
    struct engine_st *engine, const unsigned char *key, const unsigned char *iv)
{
	return start(c, cipher, false, key, iv);
}

int EVP_EncryptUpdate(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl,
    const unsigned char *in, int inl)
{
	return update(c, out, outl, in, inl);
}

int EVP_EncryptFinal_ex(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl)
{
	*outl = 0;
	return 1;
}

int EVP_DecryptInit_ex(struct evp_cipher_ctx_st *c, const struct evp_cipher_st *cipher,
    struct engine_st *engine, const unsigned char *key, const unsigned char *iv)
{
	return start(c, cipher, true, key, iv);
}

int EVP_DecryptUpdate(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl,
    const unsigned char *in, int inl)
{
	return update(c, out, outl, in, inl);
}

int EVP_DecryptFinal(struct evp_cipher_ctx_st *c, unsigned char *out, int *outl)
{
	*outl = 0;
	return 1;
}
