/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * rt/seal: what a blob is made of, against a plain reading of the standards that published vectors
 * have been tried on; who opens it; what is refused, and that nothing is left then.
 */
#include "guest/trustlets/rt/seal/seal.h"

#include <stdlib.h>

#include "guest/trustlets/rt/sha256.h"
#include "tests/unit/trustlets/fake.h"
#include "tests/unit/trustlets/gcm.h"

#define MOST 4100u
#define ROOM (MOST + 8)

static uint8_t data[MOST], blob[MOST + SEAL_OVERHEAD], out[ROOM];
static size_t out_size;

static void unhex(uint8_t *to, const char *text)
{
	for (; *text; text += 2) {
		unsigned byte;

		assert_int_equal(sscanf(text, "%2x", &byte), 1);
		*to++ = (uint8_t)byte;
	}
}

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	print_error("%s:%d: %s\n", file, line, condition);
	abort();
}

static struct seal_header *header(void)
{
	return (struct seal_header *)(void *)blob;
}

static int start(void **state)
{
	fake_start();
	fake.svn = 7;
	random_start();
	for (size_t i = 0; i < MOST; i++)
		data[i] = (uint8_t)random_next();
	return 0;
}

static void seal(size_t size)
{
	assert_int_equal(trustlet_seal("label", data, size, blob), SEAL_OK);
}

static enum seal_result unseal_at(const void *from, size_t blob_size, size_t room)
{
	memset(out, 0xee, sizeof(out));
	out_size = room;
	return trustlet_unseal("label", from, blob_size, out, &out_size);
}

static enum seal_result unseal(size_t size)
{
	return unseal_at(blob, size + SEAL_OVERHEAD, size);
}

/* Refused for this reason: no size, all the room zero and nothing behind it touched. */
static void expect_refused(enum seal_result result, enum seal_result wanted, size_t room)
{
	assert_int_equal(result, wanted);
	assert_int_equal(out_size, 0);
	for (size_t i = 0; i < room; i++)
		assert_int_equal(out[i], 0);
	for (size_t i = room; i < room + 8; i++)
		assert_int_equal(out[i], 0xee);
}

/* ---- What it is made of ---- */

/* McGrew and Viega's cases 13, 14, 15 and 16, which NIST's submission has. */
static const struct vector {
	const char *key, *nonce, *aad, *text, *wanted;
} vectors[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	    "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000",
	    "000000000000000000000000", "", "00000000000000000000000000000000",
	    "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    "cafebabefacedbaddecaf888", "",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
	    "b094dac5d93471bdec1a502270e3cc6c" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static void the_plain_reading_is_right(void **state)
{
	for (unsigned i = 0; i < COUNT(vectors); i++) {
		const struct vector *v = &vectors[i];
		uint8_t key[32], nonce[12], aad[64], text[64], wanted[80], got[80];
		size_t aad_size = strlen(v->aad) / 2, size = strlen(v->text) / 2;

		unhex(key, v->key);
		unhex(nonce, v->nonce);
		unhex(aad, v->aad);
		unhex(text, v->text);
		unhex(wanted, v->wanted);
		plain_gcm(key, nonce, (struct plain_text){ aad, aad_size },
		    (struct plain_text){ text, size }, got);
		assert_memory_equal(got, wanted, size + 16);
	}
}

static void a_blob_is_what_it_is_said_to_be(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 4096, MOST };
	static const uint8_t nonce[12];
	static uint8_t wanted[MOST + SEAL_TAG];
	uint8_t base[TRUSTLET_KEY_BYTES], key[32];
	struct hmac mac;

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		seal(sizes[i]);
		assert_memory_equal(blob, "RDTSEAL1", 8);
		assert_int_equal(header()->version, 1);
		assert_int_equal(header()->size, sizes[i]);
		assert_int_equal(header()->svn, 7 | MONITOR_SVN << 32);
		assert_true(trustlet_key("label", 7 | MONITOR_SVN << 32, base));
		hmac_start(&mac, base, sizeof(base));
		hmac_add(&mac, blob + 24, 32);
		hmac_end(&mac, key);
		plain_gcm(key, nonce, (struct plain_text){ blob, 56 },
		    (struct plain_text){ data, sizes[i] }, wanted);
		assert_memory_equal(blob + 56, wanted, sizes[i] + 16);
	}
}

static void no_two_are_the_same(void **state)
{
	static uint8_t salts[64][SEAL_SALT];

	for (unsigned i = 0; i < 64; i++) {
		seal(16);
		memcpy(salts[i], header()->salt, SEAL_SALT);
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(salts[i], salts[k], SEAL_SALT);
	}
}

/* ---- Who opens it ---- */

static void what_was_sealed_comes_back(void **state)
{
	for (size_t size = 0; size <= MOST; size += size < 70 ? 1 : 403) {
		seal(size);
		assert_int_equal(unseal(size), SEAL_OK);
		assert_int_equal(out_size, size);
		assert_memory_equal(out, data, size);
		assert_int_equal(out[size], 0xee);
		assert_int_equal(unseal_at(blob, size + SEAL_OVERHEAD, size + 3), SEAL_OK);
		assert_int_equal(out_size, size);
	}
}

static void a_newer_one_opens_it_and_an_older_one_does_not(void **state)
{
	seal(16);
	fake.svn = 8;
	assert_int_equal(unseal(16), SEAL_OK);
	seal(16);
	assert_int_equal(unseal(16), SEAL_OK);
	fake.svn = 7;
	expect_refused(unseal(16), SEAL_NEWER, 16);
	fake.svn = 7;
	seal(16);
	header()->svn = 6 | MONITOR_SVN << 32; /* of the truth, nothing else may be said */
	expect_refused(unseal(16), SEAL_NOT_GENUINE, 16);
	seal(16);
	header()->svn = 7 | (MONITOR_SVN + 1) << 32;
	expect_refused(unseal(16), SEAL_NEWER, 16);
	header()->svn = 7 | (MONITOR_SVN - 1) << 32;
	expect_refused(unseal(16), SEAL_NOT_GENUINE, 16);
}

static void another_label_is_another_key(void **state)
{
	seal(16);
	memset(out, 0xee, sizeof(out));
	out_size = 16;
	expect_refused(trustlet_unseal("lebel", blob, 16 + SEAL_OVERHEAD, out, &out_size),
	    SEAL_NOT_GENUINE, 16);
}

static void without_a_key(void **state)
{
	static const uint8_t zero[16 + SEAL_OVERHEAD];

	seal(16);
	fake.refuse = REDOUBT_CALL_key_derive;
	expect_refused(unseal(16), SEAL_NO_KEY, 16);
	assert_int_equal(trustlet_seal("label", data, 16, blob), SEAL_NO_KEY);
	assert_memory_equal(blob, zero, sizeof(zero));
}

/* ---- What is refused ---- */

static void each_bit_counts(void **state)
{
	static const size_t sizes[] = { 0, 5, 16, 40 };

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		seal(sizes[i]);
		for (size_t bit = 0; bit < 8 * (sizes[i] + SEAL_OVERHEAD); bit++) {
			enum seal_result result, wanted = SEAL_NOT_GENUINE;

			blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
			result = unseal(sizes[i]);
			if (bit < 64)
				wanted = SEAL_BAD_MAGIC;
			else if (bit < 96)
				wanted = SEAL_BAD_VERSION;
			else if (bit < 128)
				wanted = SEAL_BAD_SIZE;
			else if (bit < 192 && result != SEAL_NOT_GENUINE)
				wanted = SEAL_NEWER;
			expect_refused(result, wanted, sizes[i]);
			blob[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_int_equal(unseal(sizes[i]), SEAL_OK);
	}
}

/* Copies of exactly that length, so that a byte read behind one is noticed. */
static void other_lengths(void **state)
{
	seal(40);
	for (size_t size = 0; size < sizeof(blob); size += size < 200 ? 1 : 97) {
		uint8_t *copy = malloc(size ? size : 1);

		if (size == 40 + SEAL_OVERHEAD) {
			free(copy);
			continue;
		}
		memcpy(copy, blob, size);
		expect_refused(unseal_at(copy, size, 40), SEAL_BAD_SIZE, 40);
		free(copy);
	}
}

static void too_little_room(void **state)
{
	seal(40);
	for (size_t room = 0; room < 40; room++)
		expect_refused(unseal_at(blob, 40 + SEAL_OVERHEAD, room), SEAL_NO_ROOM, room);
}

static void too_much_data(void **state)
{
	assert_int_equal(trustlet_seal("label", data, (size_t)SEAL_MOST + 1, blob), SEAL_BAD_SIZE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(the_plain_reading_is_right, start),
	cmocka_unit_test_setup(a_blob_is_what_it_is_said_to_be, start),
	cmocka_unit_test_setup(no_two_are_the_same, start),
	cmocka_unit_test_setup(what_was_sealed_comes_back, start),
	cmocka_unit_test_setup(a_newer_one_opens_it_and_an_older_one_does_not, start),
	cmocka_unit_test_setup(another_label_is_another_key, start),
	cmocka_unit_test_setup(without_a_key, start),
	cmocka_unit_test_setup(each_bit_counts, start),
	cmocka_unit_test_setup(other_lengths, start),
	cmocka_unit_test_setup(too_little_room, start),
	cmocka_unit_test_setup(too_much_data, start),
};

UNIT_MAIN(tests)
