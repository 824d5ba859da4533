/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * digests.c against OpenSSL: digests, and the contexts in between, which must be exchangeable.
 */
#include "tests/vtpm/both.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#define LONGEST 700u
#define PARTS	6u

#define DIGEST(name, context, bytes)                                                               \
	OURS(name##_Init);                                                                         \
	OURS(name##_Update);                                                                       \
	OURS(name##_Final);                                                                        \
	static int init_##name(void *ours, void *theirs)                                           \
	{                                                                                          \
		return our_##name##_Init(ours) == 1 && name##_Init(theirs) == 1;                   \
	}                                                                                          \
	static int update_##name(void *ours, void *theirs, const void *data, size_t len)           \
	{                                                                                          \
		return our_##name##_Update(ours, data, len) == 1 &&                                \
		    name##_Update(theirs, data, len) == 1;                                         \
	}                                                                                          \
	static int final_##name(void *ours, void *theirs, unsigned char *a, unsigned char *b)      \
	{                                                                                          \
		return our_##name##_Final(a, ours) == 1 && name##_Final(b, theirs) == 1;           \
	}
DIGEST(SHA1, SHA_CTX, 20)
DIGEST(SHA256, SHA256_CTX, 32)
DIGEST(SHA384, SHA512_CTX, 48)
DIGEST(SHA512, SHA512_CTX, 64)
OURS(EVP_get_digestbyname);
OURS(EVP_MD_get_size);

union context {
	SHA_CTX sha1;
	SHA256_CTX sha256;
	SHA512_CTX sha512;
};

struct digest {
	const char *name;
	size_t context, bytes;
	int (*init)(void *ours, void *theirs);
	int (*update)(void *ours, void *theirs, const void *data, size_t len);
	int (*final)(void *ours, void *theirs, unsigned char *a, unsigned char *b);
};

#define ROW(name, context, bytes)                                                                  \
	{                                                                                          \
#name, sizeof(context), bytes, init_##name, update_##name, final_##name            \
	}
static const struct digest digests[] = {
	ROW(SHA1, SHA_CTX, 20),
	ROW(SHA256, SHA256_CTX, 32),
	ROW(SHA384, SHA512_CTX, 48),
	ROW(SHA512, SHA512_CTX, 64),
};
#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

/* OpenSSL leaves old bytes in SHA-512's data; those that count are num. */
static void assert_same(const struct digest *d, const union context *a, const union context *b)
{
	if (d->context != sizeof(SHA512_CTX)) {
		assert_memory_equal(a, b, d->context);
		return;
	}
	assert_memory_equal(a, b, offsetof(SHA512_CTX, u));
	assert_int_equal(a->sha512.num, b->sha512.num);
	assert_int_equal(a->sha512.md_len, b->sha512.md_len);
	assert_memory_equal(a->sha512.u.p, b->sha512.u.p, a->sha512.num);
}

static void one_message(const struct digest *d)
{
	unsigned char data[LONGEST], x[64], y[64];
	union context ours = { 0 }, theirs = { 0 }, between;

	assert_true(d->init(&ours, &theirs));
	assert_same(d, &ours, &theirs);
	for (size_t parts = below(PARTS); parts > 0; parts--) {
		size_t len = below(4) ? below(LONGEST) : 64 * below(5);

		fill(data, len);
		assert_true(d->update(&ours, &theirs, data, len));
		assert_same(d, &ours, &theirs);
		if (below(2)) { /* each goes on with what the other has */
			between = ours;
			ours = theirs;
			theirs = between;
		}
	}
	assert_true(d->final(&ours, &theirs, x, y));
	assert_memory_equal(x, y, d->bytes);
}

static void test_messages(void **state)
{
	for (uint64_t i = 0; i < rounds(2000); i++) {
		for (size_t k = 0; k < DIGESTS; k++)
			one_message(&digests[k]);
	}
}

/* Every length around the ends of blocks. */
static void test_lengths(void **state)
{
	unsigned char data[300], x[64], y[64];

	fill(data, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len++) {
		for (size_t k = 0; k < DIGESTS; k++) {
			union context ours = { 0 }, theirs = { 0 };

			assert_true(digests[k].init(&ours, &theirs));
			assert_true(digests[k].update(&ours, &theirs, data, len));
			assert_true(digests[k].final(&ours, &theirs, x, y));
			assert_memory_equal(x, y, digests[k].bytes);
		}
	}
}

static void set_count(const struct digest *d, union context *c, uint64_t low, uint64_t high)
{
	if (d->context == sizeof(SHA_CTX)) {
		c->sha1.Nl = (SHA_LONG)low;
		c->sha1.Nh = (SHA_LONG)high;
	} else if (d->context == sizeof(SHA256_CTX)) {
		c->sha256.Nl = (SHA_LONG)low;
		c->sha256.Nh = (SHA_LONG)high;
	} else {
		c->sha512.Nl = low;
		c->sha512.Nh = high;
	}
}

/* The count of bits carries from its low half into the high one. */
static void test_carry(void **state)
{
	unsigned char data[256] = { 0 }, x[64], y[64];

	for (uint64_t i = 0; i < rounds(200); i++) {
		const struct digest *d = &digests[below(DIGESTS)];
		union context ours = { 0 }, theirs = { 0 };
		uint64_t low = 0 - any() % 4096 * 8, high = below(3) ? any() : ~0ull;

		assert_true(d->init(&ours, &theirs));
		set_count(d, &ours, low, high);
		set_count(d, &theirs, low, high);
		assert_true(d->update(&ours, &theirs, data, below(sizeof(data))));
		assert_same(d, &ours, &theirs);
		assert_true(d->final(&ours, &theirs, x, y));
		assert_memory_equal(x, y, d->bytes);
	}
}

static void test_names(void **state)
{
	static const char *const names[] = { "sha1", "sha256", "sha384", "sha512" };

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(our_EVP_MD_get_size(our_EVP_get_digestbyname(names[i])),
		    EVP_MD_get_size(EVP_get_digestbyname(names[i])));
	assert_null(our_EVP_get_digestbyname("md5x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_messages, both_setup),
		cmocka_unit_test_setup(test_lengths, both_setup),
		cmocka_unit_test_setup(test_carry, both_setup),
		cmocka_unit_test_setup(test_names, both_setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
