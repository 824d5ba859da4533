/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EVP's keys, which are RSA keys here: encryption, decryption, signing, verifying. Private
 * operations are blinded and checked by the library before their result leaves.
 *
 * As libtpms asks for them: the label of OAEP is taken over, a PSS signature's salt is as long as
 * its digest, and a signature with a salt of any length is right.
 */
#include <mbedtls/rsa.h>
#include <stdlib.h>

#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"

struct evp_pkey_st {
	struct rsa_st *rsa;
};

struct evp_pkey_ctx_st {
	struct rsa_st *rsa;
	int padding;
	const struct evp_md_st *digest, *oaep;
	unsigned char *label;
	size_t label_bytes;
};

struct evp_pkey_st *EVP_PKEY_new(void)
{
	return calloc(1, sizeof(struct evp_pkey_st));
}

void EVP_PKEY_free(struct evp_pkey_st *key)
{
	if (!key)
		return;
	RSA_free(key->rsa);
	free(key);
}

int EVP_PKEY_assign(struct evp_pkey_st *key, int type, void *what)
{
	if (type != OSSL_PKEY_RSA || !what)
		return 0;
	RSA_free(key->rsa);
	key->rsa = what;
	return 1;
}

struct rsa_st *EVP_PKEY_get1_RSA(struct evp_pkey_st *key)
{
	if (key->rsa)
		shim_rsa_hold(key->rsa);
	return key->rsa;
}

struct evp_pkey_ctx_st *EVP_PKEY_CTX_new(struct evp_pkey_st *key, struct engine_st *engine)
{
	struct evp_pkey_ctx_st *c = key->rsa ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	shim_rsa_hold(key->rsa);
	c->rsa = key->rsa;
	c->padding = OSSL_PAD_PKCS1;
	return c;
}

void EVP_PKEY_CTX_free(struct evp_pkey_ctx_st *c)
{
	if (!c)
		return;
	RSA_free(c->rsa);
	free(c->label);
	free(c);
}

int EVP_PKEY_CTX_set_rsa_padding(struct evp_pkey_ctx_st *c, int padding)
{
	if (padding != OSSL_PAD_PKCS1 && padding != OSSL_PAD_NONE && padding != OSSL_PAD_OAEP &&
	    padding != OSSL_PAD_PSS)
		return 0;
	c->padding = padding;
	return 1;
}

int EVP_PKEY_CTX_set_rsa_pss_saltlen(struct evp_pkey_ctx_st *c, int length)
{
	return length == OSSL_SALT_OF_DIGEST;
}

int EVP_PKEY_CTX_set_rsa_oaep_md(struct evp_pkey_ctx_st *c, const struct evp_md_st *md)
{
	c->oaep = md;
	return md != NULL;
}

int EVP_PKEY_CTX_set0_rsa_oaep_label(struct evp_pkey_ctx_st *c, void *label, int length)
{
	if (length < 0)
		return 0;
	free(c->label);
	c->label = label;
	c->label_bytes = (size_t)length;
	return 1;
}

int EVP_PKEY_CTX_set_signature_md(struct evp_pkey_ctx_st *c, const struct evp_md_st *md)
{
	c->digest = md;
	return md != NULL;
}

int EVP_PKEY_encrypt_init(struct evp_pkey_ctx_st *c)
{
	return 1;
}

int EVP_PKEY_decrypt_init(struct evp_pkey_ctx_st *c)
{
	return 1;
}

int EVP_PKEY_sign_init(struct evp_pkey_ctx_st *c)
{
	return 1;
}

int EVP_PKEY_verify_init(struct evp_pkey_ctx_st *c)
{
	return 1;
}

/* Tells the library the padding and the digest that goes with it. */
static int set_padding(const struct evp_pkey_ctx_st *c, mbedtls_rsa_context *key)
{
	mbedtls_md_type_t type = MBEDTLS_MD_NONE;

	if (c->padding == OSSL_PAD_PKCS1)
		return mbedtls_rsa_set_padding(key, MBEDTLS_RSA_PKCS_V15, type);
	if (c->padding == OSSL_PAD_OAEP)
		type = c->oaep ? (mbedtls_md_type_t)c->oaep->type : MBEDTLS_MD_SHA1;
	if (c->padding == OSSL_PAD_PSS && c->digest)
		type = (mbedtls_md_type_t)c->digest->type;
	return mbedtls_rsa_set_padding(key, MBEDTLS_RSA_PKCS_V21, type);
}

static int encrypt(const struct evp_pkey_ctx_st *c, mbedtls_rsa_context *key, unsigned char *out,
    const unsigned char *in, size_t in_len)
{
	switch (c->padding) {
	case OSSL_PAD_NONE:
		return in_len == mbedtls_rsa_get_len(key) ? mbedtls_rsa_public(key, in, out) : -1;
	case OSSL_PAD_PKCS1:
		return mbedtls_rsa_rsaes_pkcs1_v15_encrypt(key, shim_random, NULL, in_len, in, out);
	case OSSL_PAD_OAEP:
		return mbedtls_rsa_rsaes_oaep_encrypt(key, shim_random, NULL, c->label,
		    c->label_bytes, in_len, in, out);
	default:
		return -1;
	}
}

int EVP_PKEY_encrypt(struct evp_pkey_ctx_st *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len)
{
	mbedtls_rsa_context key;
	size_t room = out ? *out_len : 0;
	int status = shim_rsa_public(c->rsa, &key);

	if (status == 0)
		status = set_padding(c, &key);
	if (status == 0) {
		*out_len = mbedtls_rsa_get_len(&key);
		if (out)
			status = room < *out_len ? -1 : encrypt(c, &key, out, in, in_len);
	}
	mbedtls_rsa_free(&key);
	return status == 0;
}

/* *out_len: the room, then the length of the text. */
static int decrypt(const struct evp_pkey_ctx_st *c, mbedtls_rsa_context *key, unsigned char *out,
    size_t *out_len, const unsigned char *in)
{
	size_t room = *out_len;

	switch (c->padding) {
	case OSSL_PAD_NONE:
		*out_len = mbedtls_rsa_get_len(key);
		return room >= *out_len ? mbedtls_rsa_private(key, shim_random, NULL, in, out) : -1;
	case OSSL_PAD_PKCS1:
		return mbedtls_rsa_rsaes_pkcs1_v15_decrypt(key, shim_random, NULL, out_len, in, out,
		    room);
	case OSSL_PAD_OAEP:
		return mbedtls_rsa_rsaes_oaep_decrypt(key, shim_random, NULL, c->label,
		    c->label_bytes, out_len, in, out, room);
	default:
		return -1;
	}
}

int EVP_PKEY_decrypt(struct evp_pkey_ctx_st *c, unsigned char *out, size_t *out_len,
    const unsigned char *in, size_t in_len)
{
	mbedtls_rsa_context *key = shim_rsa_private(c->rsa);

	if (!key || in_len != mbedtls_rsa_get_len(key) || set_padding(c, key) != 0)
		return 0;
	return decrypt(c, key, out, out_len, in) == 0;
}

int EVP_PKEY_sign(struct evp_pkey_ctx_st *c, unsigned char *sig, size_t *sig_len,
    const unsigned char *digest, size_t digest_len)
{
	mbedtls_rsa_context *key = shim_rsa_private(c->rsa);
	mbedtls_md_type_t type;
	int status;

	if (!key || !c->digest || digest_len != (size_t)c->digest->bytes ||
	    *sig_len < mbedtls_rsa_get_len(key) || set_padding(c, key) != 0)
		return 0;
	type = (mbedtls_md_type_t)c->digest->type;
	*sig_len = mbedtls_rsa_get_len(key);
	if (c->padding == OSSL_PAD_PKCS1)
		status = mbedtls_rsa_rsassa_pkcs1_v15_sign(key, shim_random, NULL, type,
		    (unsigned)digest_len, digest, sig);
	else if (c->padding == OSSL_PAD_PSS)
		status = mbedtls_rsa_rsassa_pss_sign_ext(key, shim_random, NULL, type,
		    (unsigned)digest_len, digest, c->digest->bytes, sig);
	else
		status = -1;
	return status == 0;
}

static int verify(const struct evp_pkey_ctx_st *c, mbedtls_rsa_context *key,
    const unsigned char *sig, const unsigned char *digest, size_t digest_len)
{
	mbedtls_md_type_t type = (mbedtls_md_type_t)c->digest->type;

	if (c->padding == OSSL_PAD_PKCS1)
		return mbedtls_rsa_rsassa_pkcs1_v15_verify(key, type, (unsigned)digest_len, digest,
		    sig);
	if (c->padding == OSSL_PAD_PSS)
		return mbedtls_rsa_rsassa_pss_verify_ext(key, type, (unsigned)digest_len, digest,
		    type, MBEDTLS_RSA_SALT_LEN_ANY, sig);
	return -1;
}

int EVP_PKEY_verify(struct evp_pkey_ctx_st *c, const unsigned char *sig, size_t sig_len,
    const unsigned char *digest, size_t digest_len)
{
	mbedtls_rsa_context key;
	int status = shim_rsa_public(c->rsa, &key);

	if (status == 0 &&
	    (!c->digest || digest_len != (size_t)c->digest->bytes ||
		sig_len != mbedtls_rsa_get_len(&key)))
		status = -1;
	if (status == 0)
		status = set_padding(c, &key);
	if (status == 0)
		status = verify(c, &key, sig, digest, digest_len);
	mbedtls_rsa_free(&key);
	return status == 0;
}
