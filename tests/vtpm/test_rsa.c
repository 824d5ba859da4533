/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rsa.c and pkey.c against OpenSSL: what one encrypts or signs the other decrypts or verifies. Ours
 * gets a key as libtpms hands it over: without the factors.
 */
#include "tests/vtpm/both.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define MODULUS_MAX 512u /* bytes */
#define KEYS	    6u	 /* more than the cache holds */

OURS(BN_new);
OURS(BN_bin2bn);
OURS(BN_bn2bin);
OURS(BN_cmp);
OURS(BN_set_word);
OURS(RSA_new);
OURS(RSA_free);
OURS(RSA_set_flags);
OURS(RSA_set0_key);
OURS(RSA_get0_key);
OURS(RSA_set0_crt_params);
OURS(RSA_get0_factors);
OURS(RSA_generate_key_ex);
OURS(EVP_get_digestbyname);
OURS(EVP_PKEY_new);
OURS(EVP_PKEY_free);
OURS(EVP_PKEY_assign);
OURS(EVP_PKEY_get1_RSA);
OURS(EVP_PKEY_CTX_new);
OURS(EVP_PKEY_CTX_free);
OURS(EVP_PKEY_CTX_set_rsa_padding);
OURS(EVP_PKEY_CTX_set_rsa_pss_saltlen);
OURS(EVP_PKEY_CTX_set_rsa_oaep_md);
OURS(EVP_PKEY_CTX_set0_rsa_oaep_label);
OURS(EVP_PKEY_CTX_set_signature_md);
OURS(EVP_PKEY_encrypt_init);
OURS(EVP_PKEY_encrypt);
OURS(EVP_PKEY_decrypt_init);
OURS(EVP_PKEY_decrypt);
OURS(EVP_PKEY_sign_init);
OURS(EVP_PKEY_sign);
OURS(EVP_PKEY_verify_init);
OURS(EVP_PKEY_verify);
extern void shim_rsa_forget(void);

static struct key {
	RSA *rsa; /* OpenSSL's */
	EVP_PKEY *ours, *theirs;
	size_t bytes;
} keys[KEYS];

static const char *const digests[] = { "sha1", "sha256", "sha384", "sha512" };

static BIGNUM *moved(const BIGNUM *a)
{
	unsigned char bytes[MODULUS_MAX];

	return our_BN_bin2bn(bytes, BN_bn2bin(a, bytes), NULL);
}

static EVP_PKEY *our_key(const RSA *rsa, int with_crt)
{
	const BIGNUM *n, *e, *d, *dp, *dq, *qinv;
	EVP_PKEY *key = our_EVP_PKEY_new();
	RSA *ours = our_RSA_new();

	RSA_get0_key(rsa, &n, &e, &d);
	RSA_get0_crt_params(rsa, &dp, &dq, &qinv);
	our_RSA_set_flags(ours, RSA_FLAG_NO_BLINDING);
	assert_int_equal(our_RSA_set0_key(ours, moved(n), moved(e), moved(d)), 1);
	if (with_crt)
		assert_int_equal(our_RSA_set0_crt_params(ours, moved(dp), moved(dq), moved(qinv)),
		    1);
	assert_int_equal(our_EVP_PKEY_assign(key, EVP_PKEY_RSA, ours), 1);
	return key;
}

static int make_keys(void **state)
{
	static const int bits[KEYS] = { 1024, 2048, 3072, 1024, 1024, 2048 };

	both_setup(state);
	for (size_t i = 0; i < KEYS; i++) {
		struct key *key = &keys[i];
		BIGNUM *e = BN_new();

		key->rsa = RSA_new();
		BN_set_word(e, i == 3 ? 3 : RSA_F4);
		assert_int_equal(RSA_generate_key_ex(key->rsa, bits[i], e, NULL), 1);
		key->theirs = EVP_PKEY_new();
		assert_int_equal(EVP_PKEY_assign_RSA(key->theirs, key->rsa), 1);
		key->ours = our_key(key->rsa, i != 4);
		key->bytes = (size_t)bits[i] / 8;
		BN_free(e);
	}
	return 0;
}

struct pair {
	EVP_PKEY_CTX *ours, *theirs;
};

static struct pair contexts(const struct key *key, int padding)
{
	struct pair c = { our_EVP_PKEY_CTX_new(key->ours, NULL),
		EVP_PKEY_CTX_new(key->theirs, NULL) };

	assert_int_equal(our_EVP_PKEY_encrypt_init(c.ours), 1);
	assert_int_equal(EVP_PKEY_encrypt_init(c.theirs), 1);
	assert_int_equal(our_EVP_PKEY_CTX_set_rsa_padding(c.ours, padding), 1);
	return c;
}

static void drop(struct pair c)
{
	our_EVP_PKEY_CTX_free(c.ours);
	EVP_PKEY_CTX_free(c.theirs);
}

static void set_oaep(struct pair c, const char *digest, const char *label)
{
	size_t len = strlen(label) + 1;
	void *mine = malloc(len), *other = OPENSSL_malloc(len);

	memcpy(mine, label, len);
	memcpy(other, label, len);
	assert_int_equal(our_EVP_PKEY_CTX_set_rsa_oaep_md(c.ours, our_EVP_get_digestbyname(digest)),
	    1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(c.theirs, EVP_get_digestbyname(digest)), 1);
	assert_int_equal(our_EVP_PKEY_CTX_set0_rsa_oaep_label(c.ours, mine, (int)len), 1);
	assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(c.theirs, other, (int)len), 1);
}

/* ---- Encryption ---- */

/* Both must decrypt a text to the same, or both refuse it. */
static void assert_decrypts(struct pair c, const unsigned char *text, size_t len,
    const unsigned char *plain, size_t plain_len)
{
	unsigned char out[MODULUS_MAX];
	size_t room = sizeof(out);

	assert_int_equal(our_EVP_PKEY_decrypt(c.ours, out, &room, text, len), 1);
	assert_int_equal(room, plain_len);
	assert_memory_equal(out, plain, plain_len);
}

static void prepare(struct pair c, int padding, const char *digest, int decrypt)
{
	if (decrypt) {
		assert_int_equal(our_EVP_PKEY_decrypt_init(c.ours), 1);
		assert_int_equal(EVP_PKEY_decrypt_init(c.theirs), 1);
	}
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c.theirs, padding), 1);
	if (padding == RSA_PKCS1_OAEP_PADDING)
		set_oaep(c, digest, "DUPLICATE");
}

static void one_encryption(const struct key *key, int padding, const char *digest, size_t len)
{
	unsigned char plain[MODULUS_MAX], ours[MODULUS_MAX], theirs[MODULUS_MAX], out[MODULUS_MAX];
	struct pair c = contexts(key, padding);
	size_t a = sizeof(ours), b = sizeof(theirs), room = sizeof(out);

	fill(plain, sizeof(plain));
	plain[0] = 0; /* below the modulus */
	prepare(c, padding, digest, 0);
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, ours, &a, plain, len), 1);
	assert_int_equal(EVP_PKEY_encrypt(c.theirs, theirs, &b, plain, len), 1);
	assert_int_equal(a, key->bytes);
	assert_int_equal(b, key->bytes);
	if (padding == RSA_NO_PADDING)
		assert_memory_equal(ours, theirs, a);
	drop(c);
	c = contexts(key, padding);
	prepare(c, padding, digest, 1);
	assert_decrypts(c, theirs, b, plain, len);
	assert_int_equal(EVP_PKEY_decrypt(c.theirs, out, &room, ours, a), 1);
	assert_int_equal(room, len);
	assert_memory_equal(out, plain, len);
	if (padding != RSA_NO_PADDING) {
		theirs[below(b - 1) + 1] ^= 1;
		room = sizeof(out);
		assert_int_equal(our_EVP_PKEY_decrypt(c.ours, out, &room, theirs, b), 0);
	}
	drop(c);
}

static void test_encrypt(void **state)
{
	for (uint64_t i = 0; i < rounds(8); i++) {
		for (size_t k = 0; k < KEYS; k++) {
			const struct key *key = &keys[k];
			const char *digest = digests[below(2)];

			one_encryption(key, RSA_NO_PADDING, NULL, key->bytes);
			one_encryption(key, RSA_PKCS1_PADDING, NULL, below(key->bytes - 11) + 1);
			one_encryption(key, RSA_PKCS1_OAEP_PADDING, digest,
			    below(key->bytes - 2 * 32 - 2) + 1);
		}
	}
}

/* Not smaller than the modulus, too long, no room: 0, from both. */
static void test_encrypt_refused(void **state)
{
	unsigned char plain[MODULUS_MAX], out[MODULUS_MAX];
	const struct key *key = &keys[1];
	struct pair c = contexts(key, RSA_NO_PADDING);
	size_t a = sizeof(out), b = sizeof(out);

	memset(plain, 0xff, sizeof(plain));
	EVP_PKEY_CTX_set_rsa_padding(c.theirs, RSA_NO_PADDING);
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, out, &a, plain, key->bytes), 0);
	assert_true(EVP_PKEY_encrypt(c.theirs, out, &b, plain, key->bytes) <= 0);
	plain[0] = 0;
	a = sizeof(out);
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, out, &a, plain, key->bytes - 1), 0);
	a = key->bytes - 1;
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, out, &a, plain, key->bytes), 0);
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, NULL, &a, plain, key->bytes), 1);
	assert_int_equal(a, key->bytes);
	assert_int_equal(our_EVP_PKEY_CTX_set_rsa_padding(c.ours, RSA_PKCS1_PADDING), 1);
	assert_int_equal(our_EVP_PKEY_encrypt(c.ours, out, &a, plain, key->bytes - 10), 0);
	assert_int_equal(our_EVP_PKEY_CTX_set_rsa_padding(c.ours, 17), 0);
	a = sizeof(out);
	assert_int_equal(our_EVP_PKEY_decrypt(c.ours, out, &a, plain, key->bytes - 1), 0);
	drop(c);
}

/* ---- Signatures ---- */

static void prepare_signing(struct pair c, int padding, const char *digest, int verify)
{
	assert_int_equal((verify ? EVP_PKEY_verify_init : EVP_PKEY_sign_init)(c.theirs), 1);
	assert_int_equal((verify ? our_EVP_PKEY_verify_init : our_EVP_PKEY_sign_init)(c.ours), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c.theirs, padding), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(c.theirs, EVP_get_digestbyname(digest)), 1);
	assert_int_equal(our_EVP_PKEY_CTX_set_signature_md(c.ours,
			     our_EVP_get_digestbyname(digest)),
	    1);
}

static void one_signature(const struct key *key, int padding, size_t which, int salt)
{
	unsigned char digest[64], ours[MODULUS_MAX], theirs[MODULUS_MAX];
	size_t a = sizeof(ours), b = sizeof(theirs), len;
	struct pair c = contexts(key, padding);

	len = (size_t)EVP_MD_get_size(EVP_get_digestbyname(digests[which]));
	fill(digest, sizeof(digest));
	prepare_signing(c, padding, digests[which], 0);
	if (padding == RSA_PKCS1_PSS_PADDING) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(c.theirs, salt), 1);
		assert_int_equal(our_EVP_PKEY_CTX_set_rsa_pss_saltlen(c.ours,
				     RSA_PSS_SALTLEN_DIGEST),
		    1);
	}
	assert_int_equal(our_EVP_PKEY_sign(c.ours, ours, &a, digest, len), 1);
	assert_int_equal(EVP_PKEY_sign(c.theirs, theirs, &b, digest, len), 1);
	assert_int_equal(a, b);
	if (padding == RSA_PKCS1_PADDING)
		assert_memory_equal(ours, theirs, a);
	drop(c);
	c = contexts(key, padding);
	prepare_signing(c, padding, digests[which], 1);
	if (padding == RSA_PKCS1_PSS_PADDING) /* exactly the digest's length */
		EVP_PKEY_CTX_set_rsa_pss_saltlen(c.theirs, RSA_PSS_SALTLEN_DIGEST);
	assert_int_equal(EVP_PKEY_verify(c.theirs, ours, a, digest, len), 1);
	assert_int_equal(our_EVP_PKEY_verify(c.ours, theirs, b, digest, len), 1);
	digest[below(len)] ^= 4;
	assert_int_equal(our_EVP_PKEY_verify(c.ours, theirs, b, digest, len), 0);
	assert_int_equal(our_EVP_PKEY_verify(c.ours, theirs, b - 1, digest, len), 0);
	assert_int_equal(our_EVP_PKEY_sign(c.ours, ours, &a, digest, len - 1), 0);
	drop(c);
}

static void test_sign(void **state)
{
	static const int salts[] = { RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, 0, 11 };

	for (uint64_t i = 0; i < rounds(4); i++) {
		for (size_t k = 0; k < KEYS; k++) {
			size_t which = below(keys[k].bytes >= 256 ? 4 : 2);

			one_signature(&keys[k], RSA_PKCS1_PADDING, which, 0);
			one_signature(&keys[k], RSA_PKCS1_PSS_PADDING, which, salts[below(4)]);
		}
		if (i % 2)
			shim_rsa_forget();
	}
}

/* ---- Making keys ---- */

static BIGNUM *back(const BIGNUM *a)
{
	unsigned char bytes[MODULUS_MAX];

	return BN_bin2bn(bytes, our_BN_bn2bin(a, bytes), NULL);
}

static void test_generate(void **state)
{
	static const int sizes[] = { 1024, 2048 };
	const BIGNUM *n, *e, *d, *p, *q;

	for (size_t i = 0; i < 2; i++) {
		RSA *ours = our_RSA_new(), *theirs = RSA_new();
		BIGNUM *exponent = our_BN_new();

		our_BN_set_word(exponent, i ? RSA_F4 : 0x10003);
		assert_int_equal(our_RSA_generate_key_ex(ours, sizes[i], exponent, NULL), 1);
		our_RSA_get0_key(ours, &n, &e, &d);
		our_RSA_get0_factors(ours, &p, &q);
		assert_int_equal(our_BN_cmp(e, exponent), 0);
		RSA_set0_key(theirs, back(n), back(e), back(d));
		RSA_set0_factors(theirs, back(p), back(q));
		assert_int_equal(RSA_check_key(theirs), 1);
		assert_int_equal(RSA_bits(theirs), sizes[i]);
		our_BN_set_word(exponent, 0x100000001);
		assert_int_equal(our_RSA_generate_key_ex(ours, sizes[i], exponent, NULL), 0);
		our_BN_set_word(exponent, 4);
		assert_int_equal(our_RSA_generate_key_ex(ours, sizes[i], exponent, NULL), 0);
		our_RSA_free(ours);
		RSA_free(theirs);
	}
}

static void test_references(void **state)
{
	EVP_PKEY *key = our_EVP_PKEY_new();
	RSA *rsa = our_RSA_new();

	assert_int_equal(our_EVP_PKEY_assign(key, EVP_PKEY_EC, rsa), 0);
	assert_null(our_EVP_PKEY_CTX_new(key, NULL));
	assert_int_equal(our_EVP_PKEY_assign(key, EVP_PKEY_RSA, rsa), 1);
	assert_ptr_equal(our_EVP_PKEY_get1_RSA(key), rsa);
	our_EVP_PKEY_free(key);
	assert_int_equal(our_RSA_set0_key(rsa, NULL, NULL, NULL), 0);
	our_RSA_free(rsa);
	our_RSA_free(NULL);
	our_EVP_PKEY_free(NULL);
	our_EVP_PKEY_CTX_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encrypt),
		cmocka_unit_test(test_encrypt_refused),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_references),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_keys, NULL);
}
