/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * block.c and ciphers.c against OpenSSL.
 */
#include "tests/vtpm/both.h"

#include <openssl/aes.h>
#include <openssl/camellia.h>
#include <openssl/des.h>
#include <openssl/evp.h>

#include "vtpm/platform/ossl_shim/ossl.h"

#define LONGEST 200u

OURS(AES_set_encrypt_key);
OURS(AES_encrypt);
OURS(Camellia_set_key);
OURS(Camellia_encrypt);
OURS(DES_set_key_unchecked);
OURS(DES_ecb3_encrypt);
OURS(DES_random_key);
OURS(EVP_CIPHER_CTX_new);
OURS(EVP_CIPHER_CTX_free);
OURS(EVP_CIPHER_CTX_set_padding);
OURS(EVP_CIPHER_CTX_get_iv_length);
OURS(EVP_CIPHER_CTX_iv);
OURS(EVP_EncryptInit_ex);
OURS(EVP_EncryptUpdate);
OURS(EVP_EncryptFinal_ex);
OURS(EVP_DecryptInit_ex);
OURS(EVP_DecryptUpdate);
OURS(EVP_DecryptFinal);

#define CIPHER(name, algorithm, bits, mode) OURS(EVP_##name);
OSSL_CIPHERS
#undef CIPHER

enum mode { ECB, CBC, CFB, OFB, CTR };
static const struct cipher {
	const char *name;
	const EVP_CIPHER *(*ours)(void), *(*theirs)(void);
	enum mode mode;
} ciphers[] = {
#define CIPHER(name, algorithm, bits, mode) { #name, our_EVP_##name, EVP_##name, mode },
	OSSL_CIPHERS
#undef CIPHER
};
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

/* ---- One block ---- */

static void test_aes(void **state)
{
	unsigned char key[32], in[16], x[16], y[16];

	for (uint64_t i = 0; i < rounds(600); i++) {
		int bits = 128 + 64 * (int)(i % 3);
		AES_KEY ours, theirs;

		fill(key, sizeof(key));
		fill(in, sizeof(in));
		assert_int_equal(our_AES_set_encrypt_key(key, bits, &ours), 0);
		assert_int_equal(AES_set_encrypt_key(key, bits, &theirs), 0);
		assert_int_equal(ours.rounds, theirs.rounds);
		our_AES_encrypt(in, x, &ours);
		AES_encrypt(in, y, &theirs);
		assert_memory_equal(x, y, sizeof(x));
		our_AES_encrypt(in, in, &ours);
		assert_memory_equal(in, y, sizeof(in));
	}
}

static void test_camellia(void **state)
{
	unsigned char key[32], in[16], x[16], y[16];

	for (uint64_t i = 0; i < rounds(600); i++) {
		int bits = 128 + 64 * (int)(i % 3);
		CAMELLIA_KEY ours, theirs;

		fill(key, sizeof(key));
		fill(in, sizeof(in));
		assert_int_equal(our_Camellia_set_key(key, bits, &ours), 0);
		assert_int_equal(Camellia_set_key(key, bits, &theirs), 0);
		our_Camellia_encrypt(in, x, &ours);
		Camellia_encrypt(in, y, &theirs);
		assert_memory_equal(x, y, sizeof(x));
	}
}

static void test_triple_des(void **state)
{
	DES_cblock key[3], in, x, y;
	DES_key_schedule ours[3], theirs[3];

	for (uint64_t i = 0; i < rounds(600); i++) {
		int encrypt = (int)(i & 1);

		fill(key, sizeof(key));
		fill(in, sizeof(in));
		for (size_t k = 0; k < 3; k++) {
			our_DES_set_key_unchecked(&key[k], &ours[k]);
			DES_set_key_unchecked(&key[k], &theirs[k]);
		}
		our_DES_ecb3_encrypt(&in, &x, &ours[0], &ours[1], &ours[2], encrypt);
		DES_ecb3_encrypt(&in, &y, &theirs[0], &theirs[1], &theirs[2], encrypt);
		assert_memory_equal(x, y, sizeof(x));
	}
}

static void test_des_keys(void **state)
{
	DES_cblock one, other;

	for (uint64_t i = 0; i < rounds(200); i++) {
		assert_int_equal(our_DES_random_key(&one), 1);
		assert_int_equal(our_DES_random_key(&other), 1);
		assert_int_equal(DES_check_key_parity(&one), 1);
		assert_int_equal(DES_is_weak_key(&one), 0);
		assert_memory_not_equal(one, other, sizeof(one));
	}
}

static void test_bad_keys(void **state)
{
	unsigned char key[32] = { 0 };
	CAMELLIA_KEY camellia;
	AES_KEY aes;

	assert_int_equal(our_AES_set_encrypt_key(key, 100, &aes), -2);
	assert_int_equal(our_AES_set_encrypt_key(NULL, 128, &aes), -1);
	assert_int_equal(our_Camellia_set_key(key, 100, &camellia), -2);
	assert_int_equal(our_Camellia_set_key(NULL, 128, &camellia), -1);
}

/* ---- Modes ---- */

/* One direction of both; the text in `x` and `y`. */
struct pair {
	EVP_CIPHER_CTX *ours, *theirs;
	int decrypt;
};

static void start(struct pair *p, const struct cipher *c, const unsigned char *key,
    const unsigned char *iv)
{
	p->ours = our_EVP_CIPHER_CTX_new();
	p->theirs = EVP_CIPHER_CTX_new();
	assert_int_equal((p->decrypt ? our_EVP_DecryptInit_ex : our_EVP_EncryptInit_ex)(p->ours,
			     c->ours(), NULL, key, iv),
	    1);
	assert_int_equal((p->decrypt ? EVP_DecryptInit_ex : EVP_EncryptInit_ex)(p->theirs,
			     c->theirs(), NULL, key, iv),
	    1);
	assert_int_equal(our_EVP_CIPHER_CTX_set_padding(p->ours, 0), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(p->theirs, 0), 1);
}

static void update(const struct pair *p, unsigned char *x, unsigned char *y,
    const unsigned char *text, size_t len)
{
	int a = 0, b = 0;

	assert_int_equal((p->decrypt ? our_EVP_DecryptUpdate : our_EVP_EncryptUpdate)(p->ours, x,
			     &a, text, (int)len),
	    1);
	assert_int_equal((p->decrypt ? EVP_DecryptUpdate : EVP_EncryptUpdate)(p->theirs, y, &b,
			     text, (int)len),
	    1);
	assert_int_equal(a, b);
	assert_int_equal(a, len);
	assert_memory_equal(x, y, len);
}

static void end(const struct pair *p, const struct cipher *c)
{
	unsigned char rest[32];
	int length = 0, a = 0, b = 0;

	assert_int_equal((p->decrypt ? our_EVP_DecryptFinal : our_EVP_EncryptFinal_ex)(p->ours,
			     rest, &a),
	    1);
	assert_int_equal((p->decrypt ? EVP_DecryptFinal : EVP_EncryptFinal_ex)(p->theirs, rest, &b),
	    1);
	assert_int_equal(a, b);
	length = our_EVP_CIPHER_CTX_get_iv_length(p->ours);
	assert_int_equal(length, EVP_CIPHER_CTX_get_iv_length(p->theirs));
	assert_memory_equal(our_EVP_CIPHER_CTX_iv(p->ours), EVP_CIPHER_CTX_iv(p->theirs),
	    (size_t)length);
	our_EVP_CIPHER_CTX_free(p->ours);
	EVP_CIPHER_CTX_free(p->theirs);
}

/* A message in parts, IVs that are about to overflow among them. */
static void one_cipher(const struct cipher *c)
{
	unsigned char key[32], iv[16], text[LONGEST], x[LONGEST], y[LONGEST];
	size_t unit = c->mode == ECB || c->mode == CBC ? 16 : 1;
	struct pair p = { NULL, NULL, (int)below(2) };

	fill(key, sizeof(key));
	fill(iv, sizeof(iv));
	fill(text, sizeof(text));
	if (below(3) == 0)
		memset(iv + below(16), 0xff, 16 - below(16) > 8 ? 1 : 0);
	if (below(4) == 0)
		memset(iv, 0xff, sizeof(iv));
	start(&p, c, key, iv);
	for (size_t parts = 1 + below(3); parts > 0; parts--)
		update(&p, x, y, text, unit * (1 + below(LONGEST / unit - 1)));
	end(&p, c);
}

static void test_modes(void **state)
{
	for (uint64_t i = 0; i < rounds(100); i++) {
		for (size_t k = 0; k < CIPHERS; k++)
			one_cipher(&ciphers[k]);
	}
}

/* As libtpms does it: the text is where it was. */
static void test_in_place(void **state)
{
	for (size_t k = 0; k < CIPHERS; k++) {
		for (int decrypt = 0; decrypt < 2; decrypt++) {
			unsigned char key[32], iv[16], text[96], y[96];
			struct pair p = { NULL, NULL, decrypt };
			int length = 0;

			fill(key, sizeof(key));
			fill(iv, sizeof(iv));
			fill(text, sizeof(text));
			start(&p, &ciphers[k], key, iv);
			(decrypt ? EVP_DecryptUpdate : EVP_EncryptUpdate)(p.theirs, y, &length,
			    text, sizeof(text));
			(decrypt ? our_EVP_DecryptUpdate : our_EVP_EncryptUpdate)(p.ours, text,
			    &length, text, sizeof(text));
			assert_memory_equal(text, y, sizeof(text));
			end(&p, &ciphers[k]);
		}
	}
}

/* What is not whole blocks is refused, as by OpenSSL at the end; so is padding. */
static void test_refused(void **state)
{
	unsigned char key[32] = { 1 }, iv[16] = { 2 }, text[17] = { 3 }, out[64];
	EVP_CIPHER_CTX *c = our_EVP_CIPHER_CTX_new();
	int length = 0;

	for (size_t k = 0; k < CIPHERS; k++) {
		if (ciphers[k].mode != ECB && ciphers[k].mode != CBC)
			continue;
		assert_int_equal(our_EVP_EncryptInit_ex(c, ciphers[k].ours(), NULL, key, iv), 1);
		assert_int_equal(our_EVP_EncryptUpdate(c, out, &length, text, sizeof(text)), 0);
	}
	assert_int_equal(our_EVP_CIPHER_CTX_set_padding(c, 1), 0);
	assert_int_equal(our_EVP_EncryptInit_ex(c, NULL, NULL, key, iv), 0);
	our_EVP_CIPHER_CTX_free(c);
	our_EVP_CIPHER_CTX_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_aes, both_setup),
		cmocka_unit_test_setup(test_camellia, both_setup),
		cmocka_unit_test_setup(test_triple_des, both_setup),
		cmocka_unit_test_setup(test_des_keys, both_setup),
		cmocka_unit_test_setup(test_bad_keys, both_setup),
		cmocka_unit_test_setup(test_modes, both_setup),
		cmocka_unit_test_setup(test_in_place, both_setup),
		cmocka_unit_test_setup(test_refused, both_setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
