/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * AES, Camellia and DES, one block at a time, on OpenSSL's key structures: libtpms has these in its
 * own, for CMAC and for its generator of random bits. The library's contexts are larger, so they
 * are made for the call from the expanded key, and wiped.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/aes.h>
#include <mbedtls/camellia.h>
#include <mbedtls/des.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/layouts.h"
#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"

#define AES_BLOCK_BYTES 16u
#define DES_BYTES	8u
#define DES_ROUND_WORDS 2u

/* -1: NULL for the key; -2: a length that there is not. */
int AES_set_encrypt_key(const unsigned char *user_key, const int bits, struct aes_key_st *key)
{
	mbedtls_aes_context c;
	int status = -2;

	if (!user_key || !key)
		return -1;
	mbedtls_aes_init(&c);
	if (mbedtls_aes_setkey_enc(&c, user_key, (unsigned)bits) == 0) {
		memcpy(key->rd_key, c.buf + c.rk_offset, (size_t)(c.nr + 1) * AES_BLOCK_BYTES);
		key->rounds = c.nr;
		status = 0;
	}
	mbedtls_aes_free(&c);
	return status;
}

void AES_encrypt(const unsigned char *in, unsigned char *out, const struct aes_key_st *key)
{
	mbedtls_aes_context c;

	mbedtls_aes_init(&c);
	c.nr = key->rounds;
	memcpy(c.buf, key->rd_key, sizeof(key->rd_key));
	if (mbedtls_aes_crypt_ecb(&c, MBEDTLS_AES_ENCRYPT, in, out) != 0)
		platform_halt("AES_encrypt", "a key that is none");
	mbedtls_aes_free(&c);
}

int Camellia_set_key(const unsigned char *user_key, const int bits, struct camellia_key_st *key)
{
	mbedtls_camellia_context c;
	int status = -2;

	if (!user_key || !key)
		return -1;
	mbedtls_camellia_init(&c);
	if (mbedtls_camellia_setkey_enc(&c, user_key, (unsigned)bits) == 0) {
		memcpy(key->rd_key, c.rk, sizeof(key->rd_key));
		key->grand_rounds = c.nr;
		status = 0;
	}
	mbedtls_camellia_free(&c);
	return status;
}

void Camellia_encrypt(const unsigned char *in, unsigned char *out,
    const struct camellia_key_st *key)
{
	mbedtls_camellia_context c;

	mbedtls_camellia_init(&c);
	c.nr = key->grand_rounds;
	memcpy(c.rk, key->rd_key, sizeof(c.rk));
	if (mbedtls_camellia_crypt_ecb(&c, MBEDTLS_CAMELLIA_ENCRYPT, in, out) != 0)
		platform_halt("Camellia_encrypt", "a key that is none");
	mbedtls_camellia_free(&c);
}

int DES_random_key(unsigned char (*key)[8])
{
	do {
		platform_random(*key, DES_BYTES);
		mbedtls_des_key_set_parity(*key);
	} while (mbedtls_des_key_check_weak(*key) != 0);
	return 1;
}

void DES_set_key_unchecked(unsigned char (*key)[8], struct DES_ks *schedule)
{
	mbedtls_des_context c;

	mbedtls_des_init(&c);
	(void)mbedtls_des_setkey_enc(&c, *key);
	memcpy(schedule->subkeys, c.sk, sizeof(schedule->subkeys));
	mbedtls_des_free(&c);
}

/* Decryption takes the same subkeys, the last round's first. */
static void des_once(const struct DES_ks *schedule, int encrypt, const unsigned char *in,
    unsigned char *out)
{
	const unsigned words = sizeof(schedule->subkeys) / sizeof(schedule->subkeys[0]);
	mbedtls_des_context c;

	mbedtls_des_init(&c);
	for (unsigned i = 0; i < words; i += DES_ROUND_WORDS)
		memcpy(&c.sk[i], &schedule->subkeys[encrypt ? i : words - DES_ROUND_WORDS - i],
		    DES_BYTES);
	(void)mbedtls_des_crypt_ecb(&c, in, out);
	mbedtls_des_free(&c);
}

void DES_ecb3_encrypt(unsigned char (*in)[8], unsigned char (*out)[8], struct DES_ks *k1,
    struct DES_ks *k2, struct DES_ks *k3, int encrypt)
{
	unsigned char between[DES_BYTES];

	des_once(encrypt ? k1 : k3, encrypt, *in, between);
	des_once(k2, !encrypt, between, between);
	des_once(encrypt ? k3 : k1, encrypt, between, *out);
}
