/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Curves and points. libtpms makes a group anew for each operation, of its own few curves: a group
 * is kept for ever and found again by p, a and b, so that the library's tables for its generator
 * serve more than once. What is not among the library's curves gets the parameters that libtpms
 * gives.
 *
 * Scalars may be 0 or larger than the order: they are reduced, and 0 gives the point at infinity.
 * Multiplications are the library's with random projective coordinates, in constant time. The
 * cofactor is taken to be 1, as it is for all curves of a TPM.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/ecp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "vtpm/platform/ossl_shim/ossl.h"
#include "vtpm/platform/ossl_shim/shim.h"
#include "vtpm/platform/platform.h"

#define GROUPS 16u /* libtpms has eight */

/* `complete`: the generator and its order are there. */
struct ec_group_st {
	mbedtls_ecp_group group;
	mbedtls_mpi a; /* as given, since the library leaves -3 out */
	bool complete;
};

struct ec_point_st {
	mbedtls_ecp_point point;
};

static struct ec_group_st groups[GROUPS];
static unsigned group_count;

static const mbedtls_ecp_group_id library_curves[] = { MBEDTLS_ECP_DP_SECP192R1,
	MBEDTLS_ECP_DP_SECP224R1, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_SECP521R1 };

struct mbedtls_ecp_group *shim_group(const struct ec_group_st *group)
{
	return (mbedtls_ecp_group *)(uintptr_t)&group->group;
}

const struct mbedtls_ecp_point *shim_point(const struct ec_point_st *point)
{
	return &point->point;
}

/* ---- Groups ---- */

static bool same(const mbedtls_mpi *a, const mbedtls_mpi *b)
{
	return mbedtls_mpi_cmp_mpi(a, b) == 0;
}

/* Whether a = -3 modulo p: the library has that by leaving A out. */
static int is_minus_three(const mbedtls_mpi *p, const mbedtls_mpi *a, bool *yes)
{
	mbedtls_mpi sum;
	int status;

	mbedtls_mpi_init(&sum);
	status = mbedtls_mpi_add_int(&sum, a, 3);
	*yes = status == 0 && same(&sum, p);
	mbedtls_mpi_free(&sum);
	return status;
}

/* Of a curve of the library's; false if it is none. */
static bool from_library(mbedtls_ecp_group *group, const mbedtls_mpi *p, const mbedtls_mpi *a,
    const mbedtls_mpi *b)
{
	bool minus_three;

	if (is_minus_three(p, a, &minus_three) != 0 || !minus_three)
		return false;
	for (size_t i = 0; i < sizeof(library_curves) / sizeof(library_curves[0]); i++) {
		mbedtls_ecp_group_init(group);
		if (mbedtls_ecp_group_load(group, library_curves[i]) == 0 && same(&group->P, p) &&
		    same(&group->B, b))
			return true;
		mbedtls_ecp_group_free(group);
	}
	return false;
}

/*
 * By its parameters. The library tells by the generator's coordinates of what kind a curve is, so
 * they must be something before EC_GROUP_set_generator().
 */
static int from_parameters(mbedtls_ecp_group *group, const mbedtls_mpi *p, const mbedtls_mpi *a,
    const mbedtls_mpi *b)
{
	bool minus_three;
	int status;

	mbedtls_ecp_group_init(group);
	status = is_minus_three(p, a, &minus_three);
	if (status == 0)
		status = mbedtls_mpi_copy(&group->P, p);
	if (status == 0)
		status = mbedtls_mpi_copy(&group->B, b);
	if (status == 0 &&
	    !minus_three) /* 0 too must be there: as a number without limbs it is -3 */
		status = mbedtls_mpi_cmp_int(a, 0) == 0 ? mbedtls_mpi_lset(&group->A, 0)
							: mbedtls_mpi_copy(&group->A, a);
	if (status == 0)
		status = mbedtls_mpi_lset(&group->G.X, 1);
	if (status == 0)
		status = mbedtls_mpi_lset(&group->G.Y, 1);
	group->pbits = mbedtls_mpi_bitlen(p);
	return status;
}

struct ec_group_st *EC_GROUP_new_curve_GFp(const struct bignum_st *p_number,
    const struct bignum_st *a_number, const struct bignum_st *b_number, struct bignum_ctx *ctx)
{
	const mbedtls_mpi *p = shim_const_mpi(p_number), *a = shim_const_mpi(a_number),
			  *b = shim_const_mpi(b_number);
	struct ec_group_st *group = groups;

	for (; group < groups + group_count; group++) {
		if (same(&group->group.P, p) && same(&group->a, a) && same(&group->group.B, b))
			return group;
	}
	if (group_count == GROUPS)
		platform_halt("EC_GROUP_new_curve_GFp", "more curves than a TPM has");
	mbedtls_mpi_init(&group->a);
	group->complete = from_library(&group->group, p, a, b);
	if (mbedtls_mpi_copy(&group->a, a) != 0 ||
	    (!group->complete && from_parameters(&group->group, p, a, b) != 0)) {
		mbedtls_ecp_group_free(&group->group);
		mbedtls_mpi_free(&group->a);
		return NULL;
	}
	group_count++;
	return group;
}

/* It is kept. */
void EC_GROUP_free(struct ec_group_st *group)
{
}

int EC_GROUP_set_generator(struct ec_group_st *group, const struct ec_point_st *generator,
    const struct bignum_st *order, const struct bignum_st *cofactor)
{
	mbedtls_ecp_group *to = &group->group;
	const mbedtls_mpi *n = shim_const_mpi(order);

	if (group->complete)
		return same(&to->N, n) && mbedtls_ecp_point_cmp(&to->G, &generator->point) == 0;
	if (mbedtls_ecp_copy(&to->G, &generator->point) != 0 || mbedtls_mpi_copy(&to->N, n) != 0)
		return 0;
	to->nbits = mbedtls_mpi_bitlen(n);
	group->complete = true;
	return 1;
}

/* ---- Points ---- */

struct ec_point_st *EC_POINT_new(const struct ec_group_st *group)
{
	struct ec_point_st *point = malloc(sizeof(*point));

	if (!point)
		return NULL;
	mbedtls_ecp_point_init(&point->point);
	if (mbedtls_ecp_set_zero(&point->point) != 0) {
		EC_POINT_free(point);
		return NULL;
	}
	return point;
}

void EC_POINT_free(struct ec_point_st *point)
{
	if (!point)
		return;
	mbedtls_ecp_point_free(&point->point);
	free(point);
}

void EC_POINT_clear_free(struct ec_point_st *point)
{
	EC_POINT_free(point);
}

static bool at_infinity(const mbedtls_ecp_point *point)
{
	return mbedtls_ecp_is_zero((mbedtls_ecp_point *)(uintptr_t)point);
}

int EC_POINT_set_affine_coordinates(const struct ec_group_st *group, struct ec_point_st *point,
    const struct bignum_st *x, const struct bignum_st *y, struct bignum_ctx *ctx)
{
	mbedtls_ecp_point *to = &point->point;

	if (mbedtls_mpi_copy(&to->X, shim_const_mpi(x)) != 0 ||
	    mbedtls_mpi_copy(&to->Y, shim_const_mpi(y)) != 0 || mbedtls_mpi_lset(&to->Z, 1) != 0)
		return 0;
	return mbedtls_ecp_check_pubkey(&group->group, to) == 0;
}

int EC_POINT_get_affine_coordinates(const struct ec_group_st *group,
    const struct ec_point_st *point, struct bignum_st *x, struct bignum_st *y,
    struct bignum_ctx *ctx)
{
	const mbedtls_ecp_point *from = &point->point;

	if (at_infinity(from))
		return 0;
	return (!x || mbedtls_mpi_copy(shim_mpi(x), &from->X) == 0) &&
	    (!y || mbedtls_mpi_copy(shim_mpi(y), &from->Y) == 0);
}

static int multiply(const struct ec_group_st *group, mbedtls_ecp_point *to, const mbedtls_mpi *k,
    const mbedtls_ecp_point *point)
{
	mbedtls_mpi scalar;
	int status;

	mbedtls_mpi_init(&scalar);
	status = mbedtls_mpi_mod_mpi(&scalar, k, &group->group.N);
	if (status == 0 && (mbedtls_mpi_cmp_int(&scalar, 0) == 0 || at_infinity(point)))
		status = mbedtls_ecp_set_zero(to);
	else if (status == 0)
		status = mbedtls_ecp_mul(shim_group(group), to, &scalar, point, shim_random, NULL);
	mbedtls_mpi_free(&scalar);
	return status;
}

/* `to` may be one of the two. */
static int add(const struct ec_group_st *group, mbedtls_ecp_point *to, const mbedtls_ecp_point *a,
    const mbedtls_ecp_point *b)
{
	mbedtls_ecp_point sum;
	mbedtls_mpi one;
	int status;

	if (at_infinity(a))
		return mbedtls_ecp_copy(to, b);
	if (at_infinity(b))
		return mbedtls_ecp_copy(to, a);
	mbedtls_ecp_point_init(&sum);
	mbedtls_mpi_init(&one);
	status = mbedtls_mpi_lset(&one, 1);
	if (status == 0)
		status = mbedtls_ecp_muladd(shim_group(group), &sum, &one, a, &one, b);
	if (status == 0)
		status = mbedtls_ecp_copy(to, &sum);
	mbedtls_mpi_free(&one);
	mbedtls_ecp_point_free(&sum);
	return status;
}

/* Adds a multiple to a sum. */
static int add_multiple(const struct ec_group_st *group, mbedtls_ecp_point *sum,
    const struct bignum_st *k, const mbedtls_ecp_point *point)
{
	mbedtls_ecp_point multiple;
	int status;

	mbedtls_ecp_point_init(&multiple);
	status = multiply(group, &multiple, shim_const_mpi(k), point);
	if (status == 0)
		status = add(group, sum, sum, &multiple);
	mbedtls_ecp_point_free(&multiple);
	return status;
}

int EC_POINT_add(const struct ec_group_st *group, struct ec_point_st *r,
    const struct ec_point_st *a, const struct ec_point_st *b, struct bignum_ctx *ctx)
{
	return add(group, &r->point, &a->point, &b->point) == 0;
}

/* n times the generator and the sum of m[i] times p[i]; n may be NULL. */
int EC_POINTs_mul(const struct ec_group_st *group, struct ec_point_st *r, const struct bignum_st *n,
    size_t num, const struct ec_point_st *p[], const struct bignum_st *m[], struct bignum_ctx *ctx)
{
	mbedtls_ecp_point sum;
	int status;

	mbedtls_ecp_point_init(&sum);
	status = mbedtls_ecp_set_zero(&sum);
	if (status == 0 && n)
		status = multiply(group, &sum, shim_const_mpi(n), &group->group.G);
	for (size_t i = 0; status == 0 && i < num; i++)
		status = add_multiple(group, &sum, m[i], &p[i]->point);
	if (status == 0)
		status = mbedtls_ecp_copy(&r->point, &sum);
	mbedtls_ecp_point_free(&sum);
	return status == 0;
}

int EC_POINT_mul(const struct ec_group_st *group, struct ec_point_st *r, const struct bignum_st *n,
    const struct ec_point_st *q, const struct bignum_st *m, struct bignum_ctx *ctx)
{
	return EC_POINTs_mul(group, r, n, q && m ? 1 : 0, &q, &m, ctx);
}
