/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/random.c, drbg.c, sha256.c: published vectors, and sources that fail.
 */
#include "guest/trustlets/rt/drbg.h"
#include "tests/unit/trustlets/fake.h"

static size_t unhex(uint8_t *to, const char *text)
{
	size_t n = 0;

	for (; *text; text += 2) {
		unsigned byte;

		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		to[n++] = (uint8_t)byte;
	}
	return n;
}

static void check_digest(const char *text, size_t repeated, const char *wanted)
{
	uint8_t digest[SHA256_BYTES], expected[SHA256_BYTES];
	struct sha256 hash;

	sha256_start(&hash);
	for (size_t i = 0; i < repeated; i++)
		sha256_add(&hash, text, strlen(text));
	sha256_end(&hash, digest);
	assert_int_equal(unhex(expected, wanted), SHA256_BYTES);
	assert_memory_equal(digest, expected, SHA256_BYTES);
}

/* FIPS 180-4's examples. */
static void sha256_vectors(void **state)
{
	check_digest("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_digest("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_digest("aaaaaaaaaa", 100000,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231, cases 1 and 2. */
static void hmac_vectors(void **state)
{
	uint8_t key[20], tag[SHA256_BYTES], wanted[SHA256_BYTES];
	struct hmac mac;

	memset(key, 0x0b, sizeof(key));
	hmac_start(&mac, key, sizeof(key));
	hmac_add(&mac, "Hi There", 8);
	hmac_end(&mac, tag);
	unhex(wanted, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_memory_equal(tag, wanted, sizeof(wanted));
	hmac_start(&mac, (const uint8_t *)"Jefe", 4);
	hmac_add(&mac, "what do ya want ", 16);
	hmac_add(&mac, "for nothing?", 12);
	hmac_end(&mac, tag);
	unhex(wanted, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_memory_equal(tag, wanted, sizeof(wanted));
}

static void check_drbg(const char *seed, const char *reseed, const char *wanted)
{
	uint8_t bytes[64], out[128], expected[128];
	struct drbg drbg;

	drbg_start(&drbg, bytes, unhex(bytes, seed));
	if (reseed)
		drbg_add(&drbg, bytes, unhex(bytes, reseed));
	drbg_get(&drbg, out, sizeof(out));
	drbg_get(&drbg, out, sizeof(out));
	assert_int_equal(unhex(expected, wanted), sizeof(expected));
	assert_memory_equal(out, expected, sizeof(out));
}

/* NIST's CAVS 14.3, HMAC_DRBG, SHA-256, first count: without and with a reseed. */
static void drbg_vectors(void **state)
{
	check_drbg("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"
		   "659ba96c601dc69fc902940805ec0ca8",
	    NULL,
	    "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89"
	    "d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc1"
	    "07694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
	    "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8");
	check_drbg("06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d"
		   "0e66f71edc43e42a45ad3c6fc6cdc4df",
	    "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552",
	    "76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb"
	    "2b1bc215000209208cd506cb28da2a51bdb03826aaf2bd2335d576d519160842"
	    "e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a802254"
	    "22918250ff66a41bd2f864a6a38cc5b6499dc43f7f2bd09e1e0f8f5885935124");
}

/* ---- Sources ---- */

static uint64_t counter;
static unsigned seed_asked, plain_asked;

static bool counting(bool seed, uint64_t *word)
{
	*word = 0x100 + counter++;
	return true;
}

static bool nothing(bool seed, uint64_t *word)
{
	seed_asked += seed;
	plain_asked += !seed;
	return false;
}

static bool same(bool seed, uint64_t *word)
{
	*word = 77;
	return true;
}

static bool ones(bool seed, uint64_t *word)
{
	*word = ~0ull;
	return true;
}

static bool zeroes(bool seed, uint64_t *word)
{
	*word = 0;
	return true;
}

static bool cycle(bool seed, uint64_t *word)
{
	*word = 100 + counter++ % 7;
	return true;
}

/* One bad word among good ones. */
static uint64_t bad_word;

static bool once_bad(bool seed, uint64_t *word)
{
	*word = counter++ % 20 == 11 ? bad_word : 0x100 + counter;
	return true;
}

/* RDSEED runs dry, RDRAND does not. */
static bool only_plain(bool seed, uint64_t *word)
{
	*word = 0x100 + counter++;
	return !seed;
}

/* Comes after a while. */
static bool slow(bool seed, uint64_t *word)
{
	*word = 0x100 + counter++;
	return counter % 90 == 0;
}

static void start_random(void *arg)
{
	random_start();
}

static void get_random(void *arg)
{
	trustlet_random(arg, 32);
}

static void a_bad_generator_is_the_end(void **state)
{
	uint8_t bytes[32];

	fake_start();
	fake.hardware = nothing;
	assert_panics(start_random, NULL, "random: the CPU gives no numbers");
	assert_true(seed_asked >= 10 && plain_asked >= 10);
	fake.hardware = same;
	assert_panics(start_random, NULL, "random: the CPU's generator is stuck");
	fake.hardware = ones;
	assert_panics(start_random, NULL, "random: the CPU's generator is stuck");
	fake.hardware = zeroes;
	assert_panics(start_random, NULL, "random: the CPU's generator is stuck");
	fake.hardware = once_bad;
	bad_word = ~0ull;
	assert_panics(start_random, NULL, "random: the CPU's generator is stuck");
	bad_word = 0;
	assert_panics(start_random, NULL, "random: the CPU's generator is stuck");
	bad_word = 0x55; /* twice in the first 32 words */
	counter = 0;
	assert_panics(start_random, NULL, "random: the CPU's generator repeats itself");
	fake.hardware = cycle;
	assert_panics(start_random, NULL, "random: the CPU's generator repeats itself");
	fake.hardware = NULL;
	assert_false(ends(start_random, NULL));
	fake.hardware = ones;
	assert_panics(get_random, bytes, "random: the CPU's generator is stuck");
	fake.hardware = nothing;
	assert_panics(get_random, bytes, "random: the CPU gives no numbers");
}

static void a_slow_generator_is_waited_for(void **state)
{
	uint8_t bytes[32];

	fake_start();
	fake.hardware = only_plain;
	assert_false(ends(start_random, NULL));
	assert_false(ends(get_random, bytes));
	fake.hardware = slow;
	assert_false(ends(start_random, NULL));
}

static void without_the_loader_there_is_no_start(void **state)
{
	fake_start();
	fake.refuse = REDOUBT_CALL_entropy;
	assert_panics(start_random, NULL, "call 12: status 3");
}

static void bytes_from(uint64_t hardware, uint64_t loader, uint64_t time, uint8_t bytes[32])
{
	fake_start();
	fake.hardware = counting;
	fake.entropy = loader;
	fake.time = time;
	counter = hardware;
	random_start();
	counter = 5000;
	trustlet_random(bytes, 32);
}

/* Each source changes what comes out, alone; the same sources give the same. */
static void every_source_counts(void **state)
{
	uint8_t first[32], again[32], hardware[32], loader[32], time[32];

	bytes_from(1, 2, 3, first);
	bytes_from(1, 2, 3, again);
	bytes_from(9, 2, 3, hardware);
	bytes_from(1, 9, 3, loader);
	bytes_from(1, 2, 9, time);
	assert_memory_equal(first, again, 32);
	assert_memory_not_equal(first, hardware, 32);
	assert_memory_not_equal(first, loader, 32);
	assert_memory_not_equal(first, time, 32);
}

/* Fresh numbers go into each use: the same pool gives something else. */
static void fresh_numbers_count(void **state)
{
	uint8_t first[32], second[32];

	bytes_from(1, 2, 3, first);
	fake_start();
	fake.hardware = counting;
	fake.entropy = 2;
	fake.time = 3;
	counter = 1;
	random_start();
	counter = 6000;
	trustlet_random(second, 32);
	assert_memory_not_equal(first, second, 32);
}

static void gives_as_many_as_asked(void **state)
{
	static uint8_t bytes[200000];
	unsigned ones_seen = 0;

	fake_start();
	random_start();
	trustlet_random(bytes, 0);
	trustlet_random(bytes + 1, 199998);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[199999], 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		ones_seen += (unsigned)__builtin_popcount(bytes[i]);
	assert_in_range(ones_seen, 795000, 805000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sha256_vectors),
	cmocka_unit_test(hmac_vectors),
	cmocka_unit_test(drbg_vectors),
	cmocka_unit_test(a_bad_generator_is_the_end),
	cmocka_unit_test(a_slow_generator_is_waited_for),
	cmocka_unit_test(without_the_loader_there_is_no_start),
	cmocka_unit_test(every_source_counts),
	cmocka_unit_test(fresh_numbers_count),
	cmocka_unit_test(gives_as_many_as_asked),
};

UNIT_MAIN(tests)
