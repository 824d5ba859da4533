/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * bn.c against OpenSSL. A pair is the same number twice, once in each library.
 */
#include "tests/vtpm/both.h"

#include <openssl/bn.h>

#define BYTES_MAX 300u

OURS(BN_new);
OURS(BN_free);
OURS(BN_clear_free);
OURS(BN_set_flags);
OURS(BN_bin2bn);
OURS(BN_bn2bin);
OURS(BN_num_bits);
OURS(BN_is_zero);
OURS(BN_cmp);
OURS(BN_copy);
OURS(BN_dup);
OURS(BN_set_word);
OURS(BN_add_word);
OURS(BN_sub);
OURS(BN_mul);
OURS(BN_div);
OURS(BN_mod_exp);
OURS(BN_mod_inverse);
OURS(BN_CTX_new);
OURS(BN_CTX_free);
OURS(BN_CTX_start);
OURS(BN_CTX_get);
OURS(BN_CTX_end);

struct pair {
	BIGNUM *ours, *theirs;
};

static BN_CTX *scratch;

static struct pair pair_of(const unsigned char *bytes, size_t len)
{
	return (
	    struct pair){ our_BN_bin2bn(bytes, (int)len, NULL), BN_bin2bn(bytes, (int)len, NULL) };
}

/* 0, 1, all ones and powers of two more often than chance has them. */
static struct pair any_pair(size_t most)
{
	unsigned char bytes[BYTES_MAX];
	size_t len = below(most + 1);

	fill(bytes, len);
	switch (below(8)) {
	case 0:
		memset(bytes, 0xff, len);
		break;
	case 1:
		memset(bytes, 0, len);
		if (len)
			bytes[below(len)] = (unsigned char)(1 << below(8));
		break;
	case 2:
		memset(bytes, 0, len / 2);
		break;
	default:
		break;
	}
	return pair_of(bytes, len);
}

static struct pair new_pair(void)
{
	return (struct pair){ our_BN_new(), BN_new() };
}

static void drop(struct pair p)
{
	our_BN_clear_free(p.ours);
	BN_clear_free(p.theirs);
}

/* Equal in every way that libtpms looks at; signs by comparison with 0. */
static void assert_pair(struct pair p)
{
	unsigned char x[2 * BYTES_MAX + 8], y[2 * BYTES_MAX + 8];
	struct pair zero = new_pair();
	int a, b;

	assert_int_equal(our_BN_num_bits(p.ours), BN_num_bits(p.theirs));
	assert_int_equal(our_BN_is_zero(p.ours), BN_is_zero(p.theirs));
	assert_int_equal(our_BN_cmp(p.ours, zero.ours), BN_cmp(p.theirs, zero.theirs));
	a = our_BN_bn2bin(p.ours, x);
	b = BN_bn2bin(p.theirs, y);
	assert_int_equal(a, b);
	assert_memory_equal(x, y, (size_t)a);
	drop(zero);
}

static void test_bytes(void **state)
{
	for (uint64_t i = 0; i < rounds(1000); i++) {
		unsigned char bytes[BYTES_MAX];
		struct pair p = any_pair(BYTES_MAX), copy = new_pair(), dup;
		size_t len = below(20);

		assert_pair(p);
		assert_ptr_equal(our_BN_copy(copy.ours, p.ours), copy.ours);
		assert_non_null(BN_copy(copy.theirs, p.theirs));
		assert_pair(copy);
		fill(bytes, len);
		assert_ptr_equal(our_BN_bin2bn(bytes, (int)len, copy.ours), copy.ours);
		assert_non_null(BN_bin2bn(bytes, (int)len, copy.theirs));
		assert_pair(copy);
		dup = (struct pair){ our_BN_dup(p.ours), BN_dup(p.theirs) };
		our_BN_set_flags(dup.ours, BN_FLG_CONSTTIME);
		assert_pair(dup);
		drop(dup);
		drop(copy);
		drop(p);
	}
	assert_null(our_BN_dup(NULL));
	our_BN_free(NULL);
	our_BN_clear_free(NULL);
}

static void test_words(void **state)
{
	for (uint64_t i = 0; i < rounds(1000); i++) {
		unsigned long word = below(2) ? any() : 0 - below(3);
		struct pair p = any_pair(40);

		assert_int_equal(our_BN_add_word(p.ours, word), 1);
		assert_int_equal(BN_add_word(p.theirs, word), 1);
		assert_pair(p);
		assert_int_equal(our_BN_set_word(p.ours, word), 1);
		assert_int_equal(BN_set_word(p.theirs, word), 1);
		assert_pair(p);
		drop(p);
	}
}

static void test_compare(void **state)
{
	for (uint64_t i = 0; i < rounds(1000); i++) {
		struct pair a = any_pair(20), b = any_pair(20);

		assert_int_equal(our_BN_cmp(a.ours, b.ours), BN_cmp(a.theirs, b.theirs));
		assert_int_equal(our_BN_cmp(a.ours, a.ours), 0);
		assert_int_equal(our_BN_cmp(a.ours, NULL), BN_cmp(a.theirs, NULL));
		assert_int_equal(our_BN_cmp(NULL, b.ours), BN_cmp(NULL, b.theirs));
		drop(a);
		drop(b);
	}
	assert_int_equal(our_BN_cmp(NULL, NULL), BN_cmp(NULL, NULL));
}

/* The result may be one of the operands; differences may be negative, and are divided. */
static void test_arithmetic(void **state)
{
	for (uint64_t i = 0; i < rounds(1000); i++) {
		struct pair a = any_pair(BYTES_MAX / 2), b = any_pair(BYTES_MAX / 2),
			    c = any_pair(BYTES_MAX / 2), r = below(2) ? new_pair() : a;

		assert_int_equal(our_BN_sub(r.ours, a.ours, b.ours), 1);
		assert_int_equal(BN_sub(r.theirs, a.theirs, b.theirs), 1);
		assert_pair(r);
		if (r.ours != a.ours)
			drop(a);
		a = below(2) ? new_pair() : r;
		assert_int_equal(our_BN_mul(a.ours, r.ours, c.ours, NULL), 1);
		assert_int_equal(BN_mul(a.theirs, r.theirs, c.theirs, scratch), 1);
		assert_pair(a);
		if (a.ours != r.ours)
			drop(r);
		drop(a);
		drop(b);
		drop(c);
	}
}

static void test_divide(void **state)
{
	for (uint64_t i = 0; i < rounds(1000); i++) {
		struct pair a = any_pair(BYTES_MAX), b = any_pair(BYTES_MAX), d = any_pair(100),
			    q = new_pair(), r = new_pair();
		size_t want = 1 + below(3);
		int done;

		our_BN_sub(a.ours, a.ours, b.ours);
		BN_sub(a.theirs, a.theirs, b.theirs);
		done = our_BN_div(want & 1 ? q.ours : NULL, want & 2 ? r.ours : NULL, a.ours,
		    d.ours, NULL);
		assert_int_equal(done,
		    BN_div(want & 1 ? q.theirs : NULL, want & 2 ? r.theirs : NULL, a.theirs,
			d.theirs, scratch));
		assert_int_equal(done, !BN_is_zero(d.theirs));
		if (done) {
			assert_pair(q);
			assert_pair(r);
		}
		drop(a);
		drop(b);
		drop(d);
		drop(q);
		drop(r);
	}
}

static void test_power(void **state)
{
	for (uint64_t i = 0; i < rounds(60); i++) {
		struct pair a = any_pair(100), e = any_pair(70), m = any_pair(64), r = new_pair();

		our_BN_mul(m.ours, m.ours, m.ours, NULL); /* of more than a few bits */
		BN_mul(m.theirs, m.theirs, m.theirs, scratch);
		if (!BN_is_odd(m.theirs)) {
			our_BN_add_word(m.ours, 1);
			BN_add_word(m.theirs, 1);
		}
		assert_int_equal(our_BN_mod_exp(r.ours, a.ours, e.ours, m.ours, NULL), 1);
		assert_int_equal(BN_mod_exp(r.theirs, a.theirs, e.theirs, m.theirs, scratch), 1);
		assert_pair(r);
		drop(a);
		drop(e);
		drop(m);
		drop(r);
	}
}

/* 0 instead of a result where there is none. */
static void test_inverse(void **state)
{
	unsigned found = 0, none = 0;

	for (uint64_t i = 0; i < rounds(300); i++) {
		struct pair a = any_pair(60), n = any_pair(60), r = new_pair();
		BIGNUM *theirs, *ours;

		our_BN_add_word(n.ours, 2); /* modulo 0 and 1 nobody asks */
		BN_add_word(n.theirs, 2);
		ours = our_BN_mod_inverse(r.ours, a.ours, n.ours, NULL);
		theirs = BN_mod_inverse(r.theirs, a.theirs, n.theirs, scratch);
		assert_int_equal(ours != NULL, theirs != NULL);
		if (ours)
			assert_pair(r);
		*(ours ? &found : &none) += 1;
		ours = our_BN_mod_inverse(NULL, a.ours, n.ours, NULL);
		if (ours)
			assert_int_equal(our_BN_cmp(ours, r.ours), 0);
		our_BN_free(ours);
		drop(a);
		drop(n);
		drop(r);
	}
	assert_true(found > 0 && none > 0);
}

static void test_frames(void **state)
{
	BN_CTX *c = our_BN_CTX_new();
	BIGNUM *a, *b;

	our_BN_CTX_start(c);
	a = our_BN_CTX_get(c);
	assert_int_equal(our_BN_set_word(a, 7), 1);
	our_BN_CTX_start(c);
	b = our_BN_CTX_get(c);
	assert_int_equal(our_BN_is_zero(b), 1);
	our_BN_CTX_end(c);
	assert_int_equal(our_BN_num_bits(a), 3);
	for (unsigned i = 0; i < 63; i++)
		assert_non_null(our_BN_CTX_get(c));
	assert_null(our_BN_CTX_get(c));
	our_BN_CTX_free(c);
	our_BN_CTX_free(NULL);
	our_BN_CTX_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bytes, both_setup),
		cmocka_unit_test_setup(test_words, both_setup),
		cmocka_unit_test_setup(test_compare, both_setup),
		cmocka_unit_test_setup(test_arithmetic, both_setup),
		cmocka_unit_test_setup(test_divide, both_setup),
		cmocka_unit_test_setup(test_power, both_setup),
		cmocka_unit_test_setup(test_inverse, both_setup),
		cmocka_unit_test_setup(test_frames, both_setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	scratch = BN_CTX_new();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
