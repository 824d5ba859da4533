/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers. Memory that held one is wiped when it is given back, whichever free is called.
 *
 * BN_mod_exp() takes odd moduli only, as the library does; libtpms's are.
 */
#include <mbedtls/bignum.h>
#include <stdbool.h>
#include <stdlib.h>

#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"

#define CTX_NUMBERS 64u
#define CTX_FRAMES  16u
#define WORD_BYTES  8u

struct bignum_st {
	mbedtls_mpi mpi;
};

/* Numbers that are taken between BN_CTX_start() and BN_CTX_end(); frames may be nested. */
struct bignum_ctx {
	struct bignum_st *number[CTX_NUMBERS];
	unsigned count, frame[CTX_FRAMES], frames;
};

struct mbedtls_mpi *shim_mpi(struct bignum_st *a)
{
	return a ? &a->mpi : NULL;
}

const struct mbedtls_mpi *shim_const_mpi(const struct bignum_st *a)
{
	return a ? &a->mpi : NULL;
}

struct bignum_st *BN_new(void)
{
	struct bignum_st *a = malloc(sizeof(*a));

	if (a)
		mbedtls_mpi_init(&a->mpi);
	return a;
}

void BN_clear_free(struct bignum_st *a)
{
	if (!a)
		return;
	mbedtls_mpi_free(&a->mpi);
	free(a);
}

void BN_free(struct bignum_st *a)
{
	BN_clear_free(a);
}

/* BN_FLG_CONSTTIME: the library's functions are as constant as they get without being asked. */
void BN_set_flags(struct bignum_st *a, int flags)
{
}

struct bignum_st *BN_bin2bn(const unsigned char *s, int len, struct bignum_st *ret)
{
	struct bignum_st *to = ret ? ret : BN_new();

	if (!to || len < 0 || mbedtls_mpi_read_binary(&to->mpi, s, (size_t)len) != 0) {
		if (!ret)
			BN_free(to);
		return NULL;
	}
	return to;
}

int BN_num_bits(const struct bignum_st *a)
{
	return (int)mbedtls_mpi_bitlen(&a->mpi);
}

int BN_bn2bin(const struct bignum_st *a, unsigned char *to)
{
	size_t bytes = mbedtls_mpi_size(&a->mpi);

	return mbedtls_mpi_write_binary(&a->mpi, to, bytes) == 0 ? (int)bytes : -1;
}

int BN_is_zero(const struct bignum_st *a)
{
	return mbedtls_mpi_bitlen(&a->mpi) == 0;
}

/* NULL comes behind every number. */
int BN_cmp(const struct bignum_st *a, const struct bignum_st *b)
{
	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	return mbedtls_mpi_cmp_mpi(&a->mpi, &b->mpi);
}

struct bignum_st *BN_copy(struct bignum_st *to, const struct bignum_st *from)
{
	return mbedtls_mpi_copy(&to->mpi, &from->mpi) == 0 ? to : NULL;
}

struct bignum_st *BN_dup(const struct bignum_st *a)
{
	struct bignum_st *copy = a ? BN_new() : NULL;

	if (copy && !BN_copy(copy, a)) {
		BN_free(copy);
		return NULL;
	}
	return copy;
}

static int set_word(mbedtls_mpi *to, unsigned long w)
{
	unsigned char bytes[WORD_BYTES];

	for (unsigned i = 0; i < WORD_BYTES; i++)
		bytes[i] = (unsigned char)(w >> 8 * (WORD_BYTES - 1 - i));
	return mbedtls_mpi_read_binary(to, bytes, WORD_BYTES);
}

int BN_set_word(struct bignum_st *a, unsigned long w)
{
	return set_word(&a->mpi, w) == 0;
}

int BN_add_word(struct bignum_st *a, unsigned long w)
{
	mbedtls_mpi word;
	bool good;

	mbedtls_mpi_init(&word);
	good = set_word(&word, w) == 0 && mbedtls_mpi_add_mpi(&a->mpi, &a->mpi, &word) == 0;
	mbedtls_mpi_free(&word);
	return good;
}

int BN_sub(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *b)
{
	return mbedtls_mpi_sub_mpi(&r->mpi, &a->mpi, &b->mpi) == 0;
}

int BN_mul(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *b,
    struct bignum_ctx *ctx)
{
	return mbedtls_mpi_mul_mpi(&r->mpi, &a->mpi, &b->mpi) == 0;
}

int BN_div(struct bignum_st *quotient, struct bignum_st *rest, const struct bignum_st *a,
    const struct bignum_st *divisor, struct bignum_ctx *ctx)
{
	return mbedtls_mpi_div_mpi(shim_mpi(quotient), shim_mpi(rest), &a->mpi, &divisor->mpi) == 0;
}

int BN_mod_exp(struct bignum_st *r, const struct bignum_st *a, const struct bignum_st *p,
    const struct bignum_st *m, struct bignum_ctx *ctx)
{
	return mbedtls_mpi_exp_mod(&r->mpi, &a->mpi, &p->mpi, &m->mpi, NULL) == 0;
}

struct bignum_st *BN_mod_inverse(struct bignum_st *ret, const struct bignum_st *a,
    const struct bignum_st *n, struct bignum_ctx *ctx)
{
	struct bignum_st *to = ret ? ret : BN_new();

	if (to && mbedtls_mpi_inv_mod(&to->mpi, &a->mpi, &n->mpi) == 0)
		return to;
	if (!ret)
		BN_free(to);
	return NULL;
}

struct bignum_ctx *BN_CTX_new(void)
{
	return calloc(1, sizeof(struct bignum_ctx));
}

static void give_back(struct bignum_ctx *c, unsigned from)
{
	while (c->count > from)
		BN_clear_free(c->number[--c->count]);
}

void BN_CTX_free(struct bignum_ctx *c)
{
	if (!c)
		return;
	give_back(c, 0);
	free(c);
}

void BN_CTX_start(struct bignum_ctx *c)
{
	if (c->frames == CTX_FRAMES)
		platform_halt("BN_CTX_start", "too many frames");
	c->frame[c->frames++] = c->count;
}

struct bignum_st *BN_CTX_get(struct bignum_ctx *c)
{
	struct bignum_st *a = c->count < CTX_NUMBERS ? BN_new() : NULL;

	if (a)
		c->number[c->count++] = a;
	return a;
}

void BN_CTX_end(struct bignum_ctx *c)
{
	if (c && c->frames > 0)
		give_back(c, c->frame[--c->frames]);
}
