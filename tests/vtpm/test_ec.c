/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ec.c and ecdsa.c against OpenSSL, on the eight curves of a TPM. The parameters are OpenSSL's own,
 * those of the BN curves come from their defining numbers (ISO/IEC 15946-5).
 */
#include "tests/vtpm/both.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#define BYTES_MAX 90u

OURS(BN_new);
OURS(BN_free);
OURS(BN_bin2bn);
OURS(BN_bn2bin);
OURS(BN_num_bits);
OURS(EC_GROUP_new_curve_GFp);
OURS(EC_GROUP_set_generator);
OURS(EC_GROUP_free);
OURS(EC_POINT_new);
OURS(EC_POINT_free);
OURS(EC_POINT_clear_free);
OURS(EC_POINT_set_affine_coordinates);
OURS(EC_POINT_get_affine_coordinates);
OURS(EC_POINT_add);
OURS(EC_POINT_mul);
OURS(EC_POINTs_mul);
OURS(EC_KEY_new);
OURS(EC_KEY_free);
OURS(EC_KEY_set_group);
OURS(EC_KEY_set_private_key);
OURS(EC_KEY_set_public_key);
OURS(EC_KEY_get0_private_key);
OURS(EC_KEY_generate_key);
OURS(ECDSA_SIG_new);
OURS(ECDSA_SIG_free);
OURS(ECDSA_SIG_get0);
OURS(ECDSA_SIG_set0);
OURS(ECDSA_do_sign);
OURS(ECDSA_do_verify);

static BN_CTX *scratch;

struct curve {
	const char *name;
	int nid;       /* or 0: */
	const char *u; /* of a BN curve, p = 36u^4 + 36u^3 + 24u^2 + 6u + 1 */
	unsigned b;
	int x, y; /* the generator; -1: p - 1 */
	EC_GROUP *ours, *theirs;
	EC_POINT *generator;
};

static struct curve curves[] = {
	{ "P-192", .nid = NID_X9_62_prime192v1 },
	{ "P-224", .nid = NID_secp224r1 },
	{ "P-256", .nid = NID_X9_62_prime256v1 },
	{ "P-384", .nid = NID_secp384r1 },
	{ "P-521", .nid = NID_secp521r1 },
	{ "SM2", .nid = NID_sm2 },
	{ "BN-256", .u = "-6882F5C030B0A801", .b = 3, .x = 1, .y = 2 },
	{ "BN-638", .u = "3FFFFFFEFFFFFFFFFFFFFFF00000000000000001", .b = 257, .x = -1, .y = 16 },
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* ---- Making the groups ---- */

/* 36u^4 + 36u^3 + k*u^2 + 6u + 1, by Horner. */
static BIGNUM *polynomial(const BIGNUM *u, unsigned k)
{
	const unsigned factors[] = { 36, k, 6, 1 };
	BIGNUM *sum = BN_new();

	BN_set_word(sum, 36);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(BN_mul(sum, sum, u, scratch), 1);
		assert_int_equal(BN_add_word(sum, factors[i]), 1);
	}
	assert_int_equal(BN_check_prime(sum, scratch, NULL), 1);
	return sum;
}

static EC_GROUP *bn_group(const struct curve *c)
{
	BIGNUM *u = NULL, *p, *n, *a = BN_new(), *b = BN_new(), *x = BN_new(), *y = BN_new();
	EC_GROUP *group;
	EC_POINT *g;

	BN_hex2bn(&u, c->u);
	p = polynomial(u, 24);
	n = polynomial(u, 18);
	BN_set_word(b, c->b);
	BN_set_word(y, (BN_ULONG)c->y);
	if (c->x < 0)
		BN_sub(x, p, BN_value_one());
	else
		BN_set_word(x, (BN_ULONG)c->x);
	group = EC_GROUP_new_curve_GFp(p, a, b, scratch);
	g = EC_POINT_new(group);
	assert_int_equal(EC_POINT_set_affine_coordinates(group, g, x, y, scratch), 1);
	assert_int_equal(EC_GROUP_set_generator(group, g, n, BN_value_one()), 1);
	return group;
}

/* A number of OpenSSL's in the shim's own. */
static BIGNUM *moved(const BIGNUM *a)
{
	unsigned char bytes[BYTES_MAX];

	return our_BN_bin2bn(bytes, BN_bn2bin(a, bytes), NULL);
}

static EC_GROUP *our_group(const struct curve *c)
{
	BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new(), *x = BN_new(), *y = BN_new();
	EC_GROUP *group;
	EC_POINT *g;

	EC_GROUP_get_curve(c->theirs, p, a, b, scratch);
	EC_POINT_get_affine_coordinates(c->theirs, EC_GROUP_get0_generator(c->theirs), x, y,
	    scratch);
	group = our_EC_GROUP_new_curve_GFp(moved(p), moved(a), moved(b), NULL);
	assert_non_null(group);
	g = our_EC_POINT_new(group);
	assert_int_equal(our_EC_POINT_set_affine_coordinates(group, g, moved(x), moved(y), NULL),
	    1);
	assert_int_equal(our_EC_GROUP_set_generator(group, g, moved(EC_GROUP_get0_order(c->theirs)),
			     moved(BN_value_one())),
	    1);
	our_EC_POINT_free(g);
	return group;
}

static int make_groups(void **state)
{
	scratch = BN_CTX_new();
	both_setup(state);
	for (struct curve *c = curves; c < curves + CURVES; c++) {
		c->theirs = c->nid ? EC_GROUP_new_by_curve_name(c->nid) : bn_group(c);
		assert_non_null(c->theirs);
		c->ours = our_group(c);
	}
	return 0;
}

/* ---- Pairs ---- */

struct scalar {
	BIGNUM *ours, *theirs;
};

struct point {
	EC_POINT *ours, *theirs;
};

/* 0, 1, the order and its neighbours, and larger ones, more often than chance has them. */
static struct scalar any_scalar(const struct curve *c)
{
	unsigned char bytes[BYTES_MAX];
	size_t len = (size_t)(EC_GROUP_order_bits(c->theirs) + 7) / 8;
	struct scalar s = { NULL, BN_new() };
	unsigned long small = below(4);

	switch (below(6)) {
	case 0:
		BN_set_word(s.theirs, small);
		break;
	case 1:
		BN_copy(s.theirs, EC_GROUP_get0_order(c->theirs));
		BN_sub_word(s.theirs, 1);
		BN_add_word(s.theirs, small);
		break;
	case 2:
		len += 5;
		/* fall through */
	default:
		fill(bytes, len);
		BN_bin2bn(bytes, (int)len, s.theirs);
	}
	s.ours = moved(s.theirs);
	return s;
}

static struct point new_point(const struct curve *c)
{
	return (struct point){ our_EC_POINT_new(c->ours), EC_POINT_new(c->theirs) };
}

static void drop_scalar(struct scalar s)
{
	our_BN_free(s.ours);
	BN_free(s.theirs);
}

static void drop_point(struct point p)
{
	our_EC_POINT_clear_free(p.ours);
	EC_POINT_free(p.theirs);
}

static void assert_number(const BIGNUM *ours, const BIGNUM *theirs)
{
	unsigned char x[BYTES_MAX], y[BYTES_MAX];
	int length = our_BN_bn2bin(ours, x);

	assert_int_equal(length, BN_bn2bin(theirs, y));
	assert_memory_equal(x, y, (size_t)length);
}

static void assert_point(const struct curve *c, struct point p)
{
	BIGNUM *x = BN_new(), *y = BN_new(), *our_x = our_BN_new(), *our_y = our_BN_new();
	int there = EC_POINT_get_affine_coordinates(c->theirs, p.theirs, x, y, scratch);

	assert_int_equal(there,
	    our_EC_POINT_get_affine_coordinates(c->ours, p.ours, our_x, our_y, NULL));
	if (there) {
		assert_number(our_x, x);
		assert_number(our_y, y);
	}
	BN_free(x);
	BN_free(y);
	our_BN_free(our_x);
	our_BN_free(our_y);
}

static struct point times_generator(const struct curve *c, struct scalar k)
{
	struct point p = new_point(c);

	assert_int_equal(our_EC_POINT_mul(c->ours, p.ours, k.ours, NULL, NULL, NULL), 1);
	assert_int_equal(EC_POINT_mul(c->theirs, p.theirs, k.theirs, NULL, NULL, scratch), 1);
	assert_point(c, p);
	return p;
}

/* ---- Tests ---- */

static void one_multiplication(const struct curve *c)
{
	struct scalar k = any_scalar(c), m = any_scalar(c);
	struct point p = times_generator(c, k), r = new_point(c), sum = new_point(c);

	assert_int_equal(our_EC_POINT_mul(c->ours, r.ours, NULL, p.ours, m.ours, NULL), 1);
	assert_int_equal(EC_POINT_mul(c->theirs, r.theirs, NULL, p.theirs, m.theirs, scratch), 1);
	assert_point(c, r);
	assert_int_equal(our_EC_POINT_mul(c->ours, sum.ours, k.ours, r.ours, m.ours, NULL), 1);
	assert_int_equal(EC_POINT_mul(c->theirs, sum.theirs, k.theirs, r.theirs, m.theirs, scratch),
	    1);
	assert_point(c, sum);
	assert_int_equal(our_EC_POINT_add(c->ours, sum.ours, sum.ours, p.ours, NULL), 1);
	assert_int_equal(EC_POINT_add(c->theirs, sum.theirs, sum.theirs, p.theirs, scratch), 1);
	assert_point(c, sum);
	drop_scalar(k);
	drop_scalar(m);
	drop_point(p);
	drop_point(r);
	drop_point(sum);
}

static void test_multiply(void **state)
{
	for (uint64_t i = 0; i < rounds(12); i++) {
		for (size_t k = 0; k < CURVES; k++)
			one_multiplication(&curves[k]);
	}
}

/* P + P, P - P, infinity on either side, and a sum of many. */
static void one_sum(const struct curve *c)
{
	struct scalar k = any_scalar(c),
		      order_less = { NULL, BN_dup(EC_GROUP_get0_order(c->theirs)) };
	struct point p = times_generator(c, k), minus = new_point(c), r = new_point(c),
		     none = new_point(c);

	BN_sub_word(order_less.theirs, 1);
	order_less.ours = moved(order_less.theirs);
	our_EC_POINT_mul(c->ours, minus.ours, NULL, p.ours, order_less.ours, NULL);
	EC_POINT_mul(c->theirs, minus.theirs, NULL, p.theirs, order_less.theirs, scratch);
	const struct point pairs[][2] = { { p, p }, { p, minus }, { p, none }, { none, p },
		{ none, none } };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct point a = pairs[i][0], b = pairs[i][1];

		assert_int_equal(our_EC_POINT_add(c->ours, r.ours, a.ours, b.ours, NULL), 1);
		assert_int_equal(EC_POINT_add(c->theirs, r.theirs, a.theirs, b.theirs, scratch), 1);
		assert_point(c, r);
	}
	const EC_POINT *ours[] = { p.ours, minus.ours, none.ours };
	const EC_POINT *theirs[] = { p.theirs, minus.theirs, none.theirs };
	const BIGNUM *our_k[] = { k.ours, order_less.ours, k.ours };
	const BIGNUM *their_k[] = { k.theirs, order_less.theirs, k.theirs };
	assert_int_equal(our_EC_POINTs_mul(c->ours, r.ours, k.ours, 3, ours, our_k, NULL), 1);
	assert_int_equal(EC_POINTs_mul(c->theirs, r.theirs, k.theirs, 3, theirs, their_k, scratch),
	    1);
	assert_point(c, r);
	drop_scalar(k);
	drop_scalar(order_less);
	drop_point(p);
	drop_point(minus);
	drop_point(r);
	drop_point(none);
}

static void test_sums(void **state)
{
	for (uint64_t i = 0; i < rounds(6); i++) {
		for (size_t k = 0; k < CURVES; k++)
			one_sum(&curves[k]);
	}
}

/* What is on no curve is refused, and a group is found again. */
static void test_coordinates(void **state)
{
	for (size_t k = 0; k < CURVES; k++) {
		const struct curve *c = &curves[k];
		struct point p = new_point(c);
		BIGNUM *x = BN_new(), *y = BN_new();

		BN_set_word(x, 5);
		BN_set_word(y, 12345);
		assert_int_equal(EC_POINT_set_affine_coordinates(c->theirs, p.theirs, x, y,
				     scratch),
		    0);
		assert_int_equal(our_EC_POINT_set_affine_coordinates(c->ours, p.ours, moved(x),
				     moved(y), NULL),
		    0);
		assert_ptr_equal(our_group(c), c->ours);
		our_EC_GROUP_free(c->ours);
		drop_point(p);
	}
}

/* ---- ECDSA: what one signs the other verifies ---- */

struct signer {
	EC_KEY *ours, *theirs;
};

static struct signer any_key(const struct curve *c)
{
	struct signer key = { our_EC_KEY_new(), EC_KEY_new() };
	struct scalar d;
	struct point q = new_point(c);
	unsigned char bytes[BYTES_MAX];

	assert_int_equal(our_EC_KEY_set_group(key.ours, c->ours), 1);
	assert_int_equal(EC_KEY_set_group(key.theirs, c->theirs), 1);
	assert_int_equal(our_EC_KEY_generate_key(key.ours), 1);
	d.theirs = BN_bin2bn(bytes, our_BN_bn2bin(our_EC_KEY_get0_private_key(key.ours), bytes),
	    NULL);
	d.ours = moved(d.theirs);
	assert_true(BN_cmp(d.theirs, EC_GROUP_get0_order(c->theirs)) < 0 && !BN_is_zero(d.theirs));
	our_EC_POINT_mul(c->ours, q.ours, d.ours, NULL, NULL, NULL);
	EC_POINT_mul(c->theirs, q.theirs, d.theirs, NULL, NULL, scratch);
	assert_int_equal(EC_KEY_set_private_key(key.theirs, d.theirs), 1);
	assert_int_equal(EC_KEY_set_public_key(key.theirs, q.theirs), 1);
	if (below(2)) { /* a key that is larger than the order is the same key */
		BN_add(d.theirs, d.theirs, EC_GROUP_get0_order(c->theirs));
		d.ours = moved(d.theirs);
	}
	assert_int_equal(our_EC_KEY_set_private_key(key.ours, d.ours), 1);
	assert_int_equal(our_EC_KEY_set_public_key(key.ours, q.ours), 1);
	return key;
}

static ECDSA_SIG *their_signature(const ECDSA_SIG *ours)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char x[BYTES_MAX], y[BYTES_MAX];
	const BIGNUM *r, *s;

	our_ECDSA_SIG_get0(ours, &r, &s);
	ECDSA_SIG_set0(sig, BN_bin2bn(x, our_BN_bn2bin(r, x), NULL),
	    BN_bin2bn(y, our_BN_bn2bin(s, y), NULL));
	return sig;
}

static ECDSA_SIG *our_signature(const ECDSA_SIG *theirs)
{
	ECDSA_SIG *sig = our_ECDSA_SIG_new();

	assert_int_equal(our_ECDSA_SIG_set0(sig, moved(ECDSA_SIG_get0_r(theirs)),
			     moved(ECDSA_SIG_get0_s(theirs))),
	    1);
	return sig;
}

static void one_signature(const struct curve *c)
{
	unsigned char digest[64];
	int len = 1 + (int)below(sizeof(digest));
	struct signer key = any_key(c);
	ECDSA_SIG *ours, *theirs;

	fill(digest, sizeof(digest));
	ours = our_ECDSA_do_sign(digest, len, key.ours);
	theirs = ECDSA_do_sign(digest, len, key.theirs);
	assert_non_null(ours);
	assert_int_equal(our_ECDSA_do_verify(digest, len, ours, key.ours), 1);
	assert_int_equal(ECDSA_do_verify(digest, len, their_signature(ours), key.theirs), 1);
	assert_int_equal(our_ECDSA_do_verify(digest, len, our_signature(theirs), key.ours), 1);
	digest[0] ^= 0x80;
	assert_int_equal(our_ECDSA_do_verify(digest, len, ours, key.ours), 0);
	assert_int_equal(ECDSA_do_verify(digest, len, their_signature(ours), key.theirs), 0);
	our_ECDSA_SIG_free(ours);
	our_EC_KEY_free(key.ours);
	EC_KEY_free(key.theirs);
}

static void test_signatures(void **state)
{
	for (uint64_t i = 0; i < rounds(6); i++) {
		for (size_t k = 0; k < CURVES; k++)
			one_signature(&curves[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiply),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_coordinates),
		cmocka_unit_test(test_signatures),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_groups, NULL);
}
