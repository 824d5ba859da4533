/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/platform/sha_ni: known answers, by SHA extensions (ni) or in C (c), by the argument. A host
 * without SHA extensions skips the former.
 */
#include "vtpm/platform/sha_ni.h"

#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>

#include "guest/trustlets/rt/trustlet.h"
#include "tests/unit/unit.h"
#include "vtpm/host/has_sha.h"

#define DIGEST_MOST 32u

struct hash {
	unsigned words;
	uint32_t start[8]; /* FIPS 180-4, 5.3.1 and 5.3.3 */
	void (*blocks)(uint32_t *state, const uint8_t *data, size_t blocks);
	void (*ni_blocks)(uint32_t *state, const uint8_t *data, size_t blocks);
};

static const struct hash sha1 = { 5, { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 },
	sha1_blocks, sha1_ni_blocks };
static const struct hash sha256 = { 8,
	{ 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
	    0x5be0cd19 },
	sha256_blocks, sha256_ni_blocks };

struct vector {
	const char *message; /* hex */
	const char *digest;
};

/* ---- Which way ---- */

static bool ni; /* how this run is to be done */
static bool by_extensions;
static unsigned long in_c; /* blocks that the library's functions were given */

bool trustlet_has_sha(void)
{
	return by_extensions;
}

int __real_sha1_c_process(mbedtls_sha1_context *hash, const unsigned char data[64]);
int __wrap_sha1_c_process(mbedtls_sha1_context *hash, const unsigned char data[64]);
int __real_sha256_c_process(mbedtls_sha256_context *hash, const unsigned char data[64]);
int __wrap_sha256_c_process(mbedtls_sha256_context *hash, const unsigned char data[64]);

int __wrap_sha1_c_process(mbedtls_sha1_context *hash, const unsigned char data[64])
{
	in_c++;
	return __real_sha1_c_process(hash, data);
}

int __wrap_sha256_c_process(mbedtls_sha256_context *hash, const unsigned char data[64])
{
	in_c++;
	return __real_sha256_c_process(hash, data);
}

/* Each test begins with it. */
static void choose(void)
{
	by_extensions = ni;
	in_c = 0;
}

/* Of so many blocks since the count was `before`, all were done as they were to be. */
static void chosen(unsigned long before, size_t blocks)
{
	assert_int_equal(in_c - before, ni ? 0 : blocks);
}

/* ---- Digests ---- */

static size_t unhex(uint8_t *to, const char *text)
{
	size_t bytes = strlen(text) / 2;

	for (size_t i = 0; i < bytes; i++) {
		unsigned byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		to[i] = (uint8_t)byte;
	}
	return bytes;
}

/* The message in whole blocks (FIPS 180-4, 5.1.1), `away` bytes behind an aligned address. */
static uint8_t *padded(const uint8_t *message, size_t size, size_t away, size_t *blocks)
{
	uint8_t *memory, *end;

	*blocks = (size + 8) / SHA_BLOCK_BYTES + 1;
	memory = aligned_alloc(16, (*blocks * SHA_BLOCK_BYTES + away + 15) / 16 * 16);
	assert_non_null(memory);
	end = memory + away + *blocks * SHA_BLOCK_BYTES;
	memset(memory, 0, away + *blocks * SHA_BLOCK_BYTES);
	memcpy(memory + away, message, size);
	memory[away + size] = 0x80;
	for (unsigned i = 1; i <= 8; i++)
		end[-(int)i] = (uint8_t)((uint64_t)size * 8 >> 8 * (i - 1));
	return memory;
}

static void to_bytes(const struct hash *hash, const uint32_t *state, uint8_t *digest)
{
	for (unsigned i = 0; i < 4 * hash->words; i++)
		digest[i] = (uint8_t)(state[i / 4] >> (24 - i % 4 * 8));
}

/* Given at once or in pieces of so many blocks. */
static void digest_of(const struct hash *hash, const uint8_t *data, size_t blocks, size_t piece,
    uint8_t *digest)
{
	unsigned long before = in_c;
	uint32_t state[8];

	memcpy(state, hash->start, sizeof(state));
	for (size_t done = 0; done < blocks; done += piece) {
		size_t now = blocks - done < piece ? blocks - done : piece;

		hash->blocks(state, data + SHA_BLOCK_BYTES * done, now);
	}
	to_bytes(hash, state, digest);
	chosen(before, blocks);
}

/* Through the library, which pads itself and calls the hooks. */
static void library_digest(const struct hash *hash, const uint8_t *data, size_t size,
    uint8_t *digest)
{
	unsigned long before = in_c;

	if (hash == &sha1)
		assert_int_equal(mbedtls_sha1(data, size, digest), 0);
	else
		assert_int_equal(mbedtls_sha256(data, size, digest, 0), 0);
	chosen(before, (size + 8) / SHA_BLOCK_BYTES + 1);
}

static void check(const struct hash *hash, const uint8_t *message, size_t size, const char *hex)
{
	uint8_t wanted[DIGEST_MOST], digest[DIGEST_MOST];
	size_t blocks;

	assert_int_equal(unhex(wanted, hex), 4 * hash->words);
	library_digest(hash, message, size, digest);
	assert_memory_equal(digest, wanted, 4 * hash->words);
	for (size_t away = 0; away < 16; away++) {
		uint8_t *memory = padded(message, size, away, &blocks);

		for (size_t piece = 1; piece <= blocks && piece <= 4; piece++) {
			digest_of(hash, memory + away, blocks, piece, digest);
			assert_memory_equal(digest, wanted, 4 * hash->words);
		}
		digest_of(hash, memory + away, blocks, blocks, digest);
		assert_memory_equal(digest, wanted, 4 * hash->words);
		free(memory);
	}
}

static void check_text(const struct hash *hash, const char *text, const char *hex)
{
	check(hash, (const uint8_t *)text, strlen(text), hex);
}

static void check_vectors(const struct hash *hash, const struct vector *vectors, size_t count)
{
	uint8_t message[512];

	for (size_t i = 0; i < count; i++) {
		size_t size = unhex(message, vectors[i].message);

		check(hash, message, size, vectors[i].digest);
	}
}

/* ---- Known answers ---- */

/*
 * NIST's CAVS vectors, byte-oriented. Those of 0 to 40 bits, and of 163 bytes for SHA-1: as in the
 * tests of Mbed TLS 3.6.6 (test_suite_shax.data). The other ones for SHA-256: of the validation
 * programme's shabytetestvectors, SHA256ShortMsg (8, 440, 448, 512 bits: around what leaves room
 * for the length) and SHA256LongMsg (the first).
 */
static const struct vector sha1_cavs[] = {
	{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ "a8", "99f2aa95e36f95c2acb0eaf23998f030638f3f15" },
	{ "3000", "f944dcd635f9801f7ac90a407fbc479964dec024" },
	{ "42749e", "a444319e9b6cc1e8464c511ec0969c37d6bb2619" },
	{ "9fc3fe08", "16a0ff84fcc156fd5d3ca3a744f20a232d172253" },
	{ "b5c1c6f1af", "fec9deebfcdedaf66dda525e1be43597a73a1f93" },
	{ "ec29561244ede706b6eb30a1c371d74450a105c3f9735f7fa9fe38cf67f304a5736a106e92e17139"
	  "a6813b1c81a4f3d3fb9546ab4296fa9f722826c066869edacd73b2548035185813e22634a9da4400"
	  "0d95a281ff9f264ecce0a931222162d021cca28db5f3c2aa24945ab1e31cb413ae29810fd794cad5"
	  "dfaf29ec43cb38d198fe4ae1da2359780221405bd6712a5305da4b1b737fce7cd21c0eb7728d0823"
	  "5a9011",
	    "970111c4e77bcc88cc20459c02b69b4aa8f58217" },
};

static const struct vector sha256_cavs[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "bd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b" },
	{ "5fd4", "7c4fbf484498d21b487b9d61de8914b2eadaf2698712936d47c3ada2558f6788" },
	{ "b0bd69", "4096804221093ddccfbf46831490ea63e9e99414858f8d75ff7f642c7ca61803" },
	{ "c98c8e55", "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504" },
	{ "81a723d966", "7516fb8bb11350df2bf386bc3c33bd0f52cb4c67c6e4745e0488e62c2aea2605" },
	{ "d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
	{ "3ebfb06db8c38d5ba037f1363e118550aad94606e26835a01af05078533cc25f2f39573c04b632f6"
	  "2f68c294ab31f2a3e2a1a0d8c2be51",
	    "6595a2ef537a69ba8583dfbf7f5bec0ab1f93ce4c8ee1916eff44a93af5749c4" },
	{ "2d52447d1244d2ebc28650e7b05654bad35b3a68eedc7f8515306b496d75f3e73385dd1b00262502"
	  "4b81a02f2fd6dffb6e6d561cb7d0bd7a",
	    "cfb88d6faf2de3a69d36195acec2e255e2af2b7d933997f348e09f6ce5758360" },
	{ "5a86b737eaea8ee976a0a24da63e7ed7eefad18a101c1211e2b3650c5187c2a8a650547208251f6d"
	  "4237e661c7bf4c77f335390394c37fa1a9f9be836ac28509",
	    "42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa" },
	{ "451101250ec6f26652249d59dc974b7361d571a8101cdfd36aba3b5854d3ae086b5fdd4597721b66"
	  "e3c0dc5d8c606d9657d0e323283a5217d1f53f2f284f57b85c8a61ac8924711f895c5ed90ef17745"
	  "ed2d728abd22a5f7a13479a462d71b56c19a74a40b655c58edfe0a188ad2cf46cbf30524f65d423c"
	  "837dd1ff2bf462ac4198007345bb44dbb7b1c861298cdf61982a833afc728fae1eda2f87aa2c9480"
	  "858bec",
	    "3c593aa539fdcdae516cdf2f15000f6634185c88f505b39775fb9ab137a10aa2" },
};

static void cavs(void **state)
{
	choose();
	check_vectors(&sha1, sha1_cavs, COUNT(sha1_cavs));
	check_vectors(&sha256, sha256_cavs, COUNT(sha256_cavs));
}

#define BITS_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

/* FIPS 180-4's examples: one block, two blocks. */
static void fips(void **state)
{
	choose();
	check_text(&sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
	check_text(&sha1, BITS_448, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	check_text(&sha256, "abc",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_text(&sha256, BITS_448,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* FIPS 180-2, A.3 and B.3: a million times "a", 15,626 blocks in one call and in others. */
static void million(void **state)
{
	static uint8_t message[1000000];

	choose();
	memset(message, 'a', sizeof(message));
	check(&sha1, message, sizeof(message), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	check(&sha256, message, sizeof(message),
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* No blocks: the state stays, and no memory is read. One block: only its own state is written. */
static void none(void **state)
{
	const uint8_t block[SHA_BLOCK_BYTES] = { 1 };
	uint32_t words[10];

	choose();
	for (unsigned i = 0; i < COUNT(words); i++)
		words[i] = 0x01234567 * i;
	sha1_blocks(words + 1, NULL, 0);
	sha256_blocks(words + 1, NULL, 0);
	for (unsigned i = 0; i < COUNT(words); i++)
		assert_int_equal(words[i], 0x01234567 * i);
	sha1_blocks(words + 1, block, 1);
	for (unsigned i = 6; i < COUNT(words); i++)
		assert_int_equal(words[i], 0x01234567 * i);
	sha256_blocks(words + 1, block, 1);
	assert_int_equal(words[0], 0);
	assert_int_equal(words[9], 0x01234567u * 9);
}

/* By their own names, whatever the monitor says of the CPU. */
static void named(void **state)
{
	const struct hash *hashes[] = { &sha1, &sha256 };
	uint32_t a[8], b[8];

	choose();
	by_extensions = false;
	for (unsigned i = 0; i < COUNT(hashes); i++) {
		uint8_t data[3 * SHA_BLOCK_BYTES];

		for (unsigned k = 0; k < sizeof(data); k++)
			data[k] = (uint8_t)(k * k + i);
		memcpy(a, hashes[i]->start, sizeof(a));
		memcpy(b, a, sizeof(b));
		hashes[i]->blocks(a, data, 3);
		assert_int_equal(in_c, 3 * (i + 1));
		hashes[i]->ni_blocks(b, data, 3);
		assert_int_equal(in_c, 3 * (i + 1));
		assert_memory_equal(a, b, sizeof(a));
	}
}

static const struct CMUnitTest tests[] = { cmocka_unit_test(cavs), cmocka_unit_test(fips),
	cmocka_unit_test(million), cmocka_unit_test(none) };
static const struct CMUnitTest ni_tests[] = { cmocka_unit_test(cavs), cmocka_unit_test(fips),
	cmocka_unit_test(million), cmocka_unit_test(none), cmocka_unit_test(named) };

/* test_sha_ni ni|c */
int main(int argc, char **argv)
{
	ni = argc == 2 && strcmp(argv[1], "ni") == 0;
	if (ni && !host_has_sha()) {
		puts("1..0 # SKIP this CPU has no SHA extensions");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return ni ? cmocka_run_group_tests(ni_tests, NULL, NULL)
		  : cmocka_run_group_tests(tests, NULL, NULL);
}
