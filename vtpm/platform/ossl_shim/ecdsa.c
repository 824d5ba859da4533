/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Keys and signatures over curves. libtpms makes key pairs of EC_KEY_generate_key()'s private half
 * and asks for ECDSA; the other schemes it computes itself with ec.c.
 */
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <stdlib.h>

#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"

struct ec_key_st {
	const struct ec_group_st *group;
	struct bignum_st *d;
	mbedtls_ecp_point q;
};

struct ECDSA_SIG_st {
	struct bignum_st *r, *s;
};

struct ec_key_st *EC_KEY_new(void)
{
	struct ec_key_st *key = calloc(1, sizeof(*key));

	if (key)
		mbedtls_ecp_point_init(&key->q);
	return key;
}

void EC_KEY_free(struct ec_key_st *key)
{
	if (!key)
		return;
	BN_clear_free(key->d);
	mbedtls_ecp_point_free(&key->q);
	free(key);
}

int EC_KEY_set_group(struct ec_key_st *key, const struct ec_group_st *group)
{
	key->group = group;
	return 1;
}

int EC_KEY_set_private_key(struct ec_key_st *key, const struct bignum_st *d)
{
	BN_clear_free(key->d);
	key->d = BN_dup(d);
	return key->d != NULL;
}

int EC_KEY_set_public_key(struct ec_key_st *key, const struct ec_point_st *q)
{
	return mbedtls_ecp_copy(&key->q, shim_point(q)) == 0;
}

const struct bignum_st *EC_KEY_get0_private_key(const struct ec_key_st *key)
{
	return key->d;
}

/* The public half is not made: nobody can ask for it. */
int EC_KEY_generate_key(struct ec_key_st *key)
{
	BN_clear_free(key->d);
	key->d = BN_new();
	return key->group && key->d &&
	    mbedtls_ecp_gen_privkey(shim_group(key->group), shim_mpi(key->d), shim_random, NULL) ==
	    0;
}

struct ECDSA_SIG_st *ECDSA_SIG_new(void)
{
	return calloc(1, sizeof(struct ECDSA_SIG_st));
}

void ECDSA_SIG_free(struct ECDSA_SIG_st *sig)
{
	if (!sig)
		return;
	BN_clear_free(sig->r);
	BN_clear_free(sig->s);
	free(sig);
}

void ECDSA_SIG_get0(const struct ECDSA_SIG_st *sig, const struct bignum_st **r,
    const struct bignum_st **s)
{
	if (r)
		*r = sig->r;
	if (s)
		*s = sig->s;
}

int ECDSA_SIG_set0(struct ECDSA_SIG_st *sig, struct bignum_st *r, struct bignum_st *s)
{
	if (!r || !s)
		return 0;
	BN_clear_free(sig->r);
	BN_clear_free(sig->s);
	sig->r = r;
	sig->s = s;
	return 1;
}

/* A private key may be larger than the order: it counts modulo it. */
static int sign(const struct ec_key_st *key, const struct ECDSA_SIG_st *sig,
    const unsigned char *digest, size_t len)
{
	mbedtls_ecp_group *group = shim_group(key->group);
	mbedtls_mpi d;
	int status;

	mbedtls_mpi_init(&d);
	status = mbedtls_mpi_mod_mpi(&d, shim_const_mpi(key->d), &group->N);
	if (status == 0)
		status = mbedtls_ecdsa_sign(group, shim_mpi(sig->r), shim_mpi(sig->s), &d, digest,
		    len, shim_random, NULL);
	mbedtls_mpi_free(&d);
	return status;
}

struct ECDSA_SIG_st *ECDSA_do_sign(const unsigned char *digest, int len, struct ec_key_st *key)
{
	struct ECDSA_SIG_st *sig = ECDSA_SIG_new();

	if (!sig)
		return NULL;
	sig->r = BN_new();
	sig->s = BN_new();
	if (key->group && key->d && sig->r && sig->s && len >= 0 &&
	    sign(key, sig, digest, (size_t)len) == 0)
		return sig;
	ECDSA_SIG_free(sig);
	return NULL;
}

/* 1: right, 0: wrong. */
int ECDSA_do_verify(const unsigned char *digest, int len, const struct ECDSA_SIG_st *sig,
    struct ec_key_st *key)
{
	return len >= 0 &&
	    mbedtls_ecdsa_verify(shim_group(key->group), digest, (size_t)len, &key->q,
		shim_const_mpi(sig->r), shim_const_mpi(sig->s)) == 0;
}
