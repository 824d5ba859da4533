/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * RSA keys. libtpms hands over n, e, d and the exponents of the Chinese remainder theorem, but not
 * the factors, which the library wants for it. They are found once from e * dp = 1 (mod p-1): for
 * most g, g^(e*dp) - g is a multiple of p and not of q. The context made of them is kept for the
 * next use in a cache of a few, wiped when another key needs the place or the TPM is reset.
 */
#include <mbedtls/rsa.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"

#define CACHED	       4u
#define BASES_END      20
#define EXPONENT_BYTES 4u

struct rsa_st {
	int references;
	struct bignum_st *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

static struct cached {
	mbedtls_rsa_context context;
	mbedtls_mpi n, d;
	bool used;
	unsigned last;
} cache[CACHED];
static unsigned uses;

/* ---- The object ---- */

struct rsa_st *RSA_new(void)
{
	struct rsa_st *rsa = calloc(1, sizeof(*rsa));

	if (rsa)
		rsa->references = 1;
	return rsa;
}

void shim_rsa_hold(struct rsa_st *rsa)
{
	rsa->references++;
}

void RSA_free(struct rsa_st *rsa)
{
	if (!rsa || --rsa->references > 0)
		return;
	BN_clear_free(rsa->n);
	BN_clear_free(rsa->e);
	BN_clear_free(rsa->d);
	BN_clear_free(rsa->p);
	BN_clear_free(rsa->q);
	BN_clear_free(rsa->dp);
	BN_clear_free(rsa->dq);
	BN_clear_free(rsa->qinv);
	free(rsa);
}

/* libtpms asks for no cached values; these here are not the ones meant. */
void RSA_set_flags(struct rsa_st *rsa, int flags)
{
}

static void replace(struct bignum_st **old, struct bignum_st *new)
{
	if (!new)
		return;
	BN_clear_free(*old);
	*old = new;
}

int RSA_set0_key(struct rsa_st *rsa, struct bignum_st *n, struct bignum_st *e, struct bignum_st *d)
{
	if ((!rsa->n && !n) || (!rsa->e && !e))
		return 0;
	replace(&rsa->n, n);
	replace(&rsa->e, e);
	replace(&rsa->d, d);
	return 1;
}

void RSA_get0_key(const struct rsa_st *rsa, const struct bignum_st **n, const struct bignum_st **e,
    const struct bignum_st **d)
{
	if (n)
		*n = rsa->n;
	if (e)
		*e = rsa->e;
	if (d)
		*d = rsa->d;
}

int RSA_set0_crt_params(struct rsa_st *rsa, struct bignum_st *dmp1, struct bignum_st *dmq1,
    struct bignum_st *iqmp)
{
	if ((!rsa->dp && !dmp1) || (!rsa->dq && !dmq1) || (!rsa->qinv && !iqmp))
		return 0;
	replace(&rsa->dp, dmp1);
	replace(&rsa->dq, dmq1);
	replace(&rsa->qinv, iqmp);
	return 1;
}

void RSA_get0_factors(const struct rsa_st *rsa, const struct bignum_st **p,
    const struct bignum_st **q)
{
	if (p)
		*p = rsa->p;
	if (q)
		*q = rsa->q;
}

/* ---- Making a key ---- */

static bool take_generated(struct rsa_st *rsa, const mbedtls_rsa_context *made)
{
	replace(&rsa->n, BN_new());
	replace(&rsa->e, BN_new());
	replace(&rsa->d, BN_new());
	replace(&rsa->p, BN_new());
	replace(&rsa->q, BN_new());
	return rsa->n && rsa->e && rsa->d && rsa->p && rsa->q &&
	    mbedtls_rsa_export(made, shim_mpi(rsa->n), shim_mpi(rsa->p), shim_mpi(rsa->q),
		shim_mpi(rsa->d), shim_mpi(rsa->e)) == 0;
}

/* The library takes an exponent that fits an int, and would look for ever for one that is even. */
int RSA_generate_key_ex(struct rsa_st *rsa, int bits, struct bignum_st *e, struct bn_gencb_st *cb)
{
	unsigned char bytes[EXPONENT_BYTES];
	mbedtls_rsa_context made;
	uint32_t exponent = 0;
	bool good;

	if (mbedtls_mpi_bitlen(shim_mpi(e)) > 31 ||
	    mbedtls_mpi_write_binary(shim_mpi(e), bytes, sizeof(bytes)) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		exponent = exponent << 8 | bytes[i];
	if (exponent % 2 == 0)
		return 0;
	mbedtls_rsa_init(&made);
	good = mbedtls_rsa_gen_key(&made, shim_random, NULL, (unsigned)bits, (int)exponent) == 0 &&
	    take_generated(rsa, &made);
	mbedtls_rsa_free(&made);
	return good;
}

/* ---- Contexts of the library ---- */

int shim_rsa_public(const struct rsa_st *rsa, struct mbedtls_rsa_context *context)
{
	int status;

	mbedtls_rsa_init(context);
	if (!rsa->n || !rsa->e)
		return -1;
	status = mbedtls_rsa_import(context, shim_mpi(rsa->n), NULL, NULL, NULL, shim_mpi(rsa->e));
	return status ? status : mbedtls_rsa_complete(context);
}

/* p = gcd(g^x - g, n), if that is a factor. */
static bool factor_by(mbedtls_mpi *p, int g, const mbedtls_mpi *x, const mbedtls_mpi *n)
{
	mbedtls_mpi base;
	bool good;

	mbedtls_mpi_init(&base);
	good = mbedtls_mpi_lset(&base, g) == 0 && mbedtls_mpi_exp_mod(p, &base, x, n, NULL) == 0 &&
	    mbedtls_mpi_sub_mpi(p, p, &base) == 0 && mbedtls_mpi_mod_mpi(p, p, n) == 0 &&
	    mbedtls_mpi_gcd(p, p, n) == 0 && mbedtls_mpi_cmp_int(p, 1) > 0 &&
	    mbedtls_mpi_cmp_mpi(p, n) < 0;
	mbedtls_mpi_free(&base);
	return good;
}

static bool factors(const struct rsa_st *rsa, mbedtls_mpi *p, mbedtls_mpi *q)
{
	const mbedtls_mpi *n = shim_const_mpi(rsa->n);
	mbedtls_mpi x;
	bool good = false;

	if (!rsa->dp || BN_is_zero(rsa->dp))
		return false;
	mbedtls_mpi_init(&x);
	if (mbedtls_mpi_mul_mpi(&x, shim_const_mpi(rsa->dp), shim_const_mpi(rsa->e)) == 0) {
		for (int g = 2; g < BASES_END && !good; g++)
			good = factor_by(p, g, &x, n);
	}
	good = good && mbedtls_mpi_div_mpi(q, &x, n, p) == 0 && mbedtls_mpi_cmp_int(&x, 0) == 0;
	mbedtls_mpi_free(&x);
	return good;
}

/* The context of a private key, from its factors where they can be had. */
static int make_private(const struct rsa_st *rsa, mbedtls_rsa_context *context)
{
	mbedtls_mpi p, q;
	bool found;
	int status;

	mbedtls_rsa_init(context);
	mbedtls_mpi_init(&p);
	mbedtls_mpi_init(&q);
	found = factors(rsa, &p, &q);
	status = mbedtls_rsa_import(context, shim_mpi(rsa->n), found ? &p : NULL, found ? &q : NULL,
	    shim_mpi(rsa->d), shim_mpi(rsa->e));
	if (status == 0)
		status = mbedtls_rsa_complete(context);
	mbedtls_mpi_free(&p);
	mbedtls_mpi_free(&q);
	return status;
}

static void wipe(struct cached *entry)
{
	if (!entry->used)
		return;
	mbedtls_rsa_free(&entry->context);
	mbedtls_mpi_free(&entry->n);
	mbedtls_mpi_free(&entry->d);
	memset(entry, 0, sizeof(*entry));
}

void shim_rsa_forget(void)
{
	for (size_t i = 0; i < CACHED; i++)
		wipe(&cache[i]);
}

/* The entry of a key, or the one that was not used for longest, wiped. */
static struct cached *entry_for(const struct rsa_st *rsa)
{
	struct cached *oldest = &cache[0];

	for (struct cached *entry = cache; entry < cache + CACHED; entry++) {
		if (entry->used && mbedtls_mpi_cmp_mpi(&entry->n, shim_const_mpi(rsa->n)) == 0 &&
		    mbedtls_mpi_cmp_mpi(&entry->d, shim_const_mpi(rsa->d)) == 0)
			return entry;
		if (entry->last < oldest->last)
			oldest = entry;
	}
	wipe(oldest);
	return oldest;
}

struct mbedtls_rsa_context *shim_rsa_private(const struct rsa_st *rsa)
{
	struct cached *entry;

	if (!rsa->n || !rsa->e || !rsa->d)
		return NULL;
	entry = entry_for(rsa);
	if (!entry->used) {
		entry->used = true;
		mbedtls_mpi_init(&entry->n);
		mbedtls_mpi_init(&entry->d);
		if (make_private(rsa, &entry->context) != 0 ||
		    mbedtls_mpi_copy(&entry->n, shim_mpi(rsa->n)) != 0 ||
		    mbedtls_mpi_copy(&entry->d, shim_mpi(rsa->d)) != 0) {
			wipe(entry);
			return NULL;
		}
	}
	entry->last = ++uses;
	return &entry->context;
}
