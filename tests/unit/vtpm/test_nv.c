/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/nv.c: what a file is made of, against a plain reading; what is refused, with its reason, and
 * that nothing is left of it then (T63).
 */
#include <stdlib.h>

#include "guest/trustlets/rt/sha256.h"
#include "tests/unit/trustlets/gcm.h"
#include "tests/unit/vtpm/nv_made.h"

#define OVERHEAD 264u
#define STATE	 21u
#define SMALL	 (OVERHEAD + 8 + 24)

_Alignas(8) static uint8_t file[NV_FILE_MAX];
static uint8_t payload[NV_PAYLOAD_MAX], filling[NV_FILE_MAX];
static struct nv_header header;
static struct nv_content content;

static int start(void **state)
{
	made_start();
	for (size_t i = 0; i < sizeof(filling); i++)
		filling[i] = (uint8_t)(1 + random_next() % 255);
	return 0;
}

/* A small file in `file`. */
static void make_small(void)
{
	struct nv_header right = made_header(1, 5);
	uint8_t sections[64];
	size_t size = made_payload(filling, STATE, sections);

	made_file(&right, sections, size, file);
}

/* Opens a copy of exactly that size; nothing but the right verdict may remain. */
static enum nv_verdict open_copy(const uint8_t *from, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum nv_verdict verdict;

	memcpy(copy, from, size);
	memset(payload, 0xee, 512);
	memset(&header, 0xee, sizeof(header));
	memset(&content, 0xee, sizeof(content));
	verdict = nv_open((struct nv_bytes){ copy, size }, payload, &header, &content);
	free(copy);
	return verdict;
}

static void expect_nothing_left(void)
{
	static const struct nv_header no_header;
	static const struct nv_content no_content;

	assert_memory_equal(&header, &no_header, sizeof(header));
	assert_memory_equal(&content, &no_content, sizeof(content));
	for (size_t i = 0; i + 8 <= 512; i++)
		assert_memory_not_equal(payload + i, filling, 8);
}

static void expect_opens(const uint8_t *from, size_t size)
{
	assert_int_equal(open_copy(from, size), NV_OK);
	assert_int_equal(content.part[0].size, STATE);
	assert_memory_equal(content.part[0].bytes, filling, STATE);
}

/* ---- What it is made of ---- */

static uint64_t number_at(size_t at, unsigned bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | file[at + bytes];
	return number;
}

static void expect_bytes(size_t at, int value)
{
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(file[at + i], value);
}

static void seal_small(struct nv_header *as)
{
	struct nv_content one = { { { filling, STATE } } };

	*as = made_header(0x21, 5);
	as->first = 3;
	as->kind = NV_COPIED;
	memset(as->origin_lineage, 0x43, 32);
	memset(as->origin_digest, 0x54, 32);
	assert_int_equal(nv_size(&one), SMALL);
	assert_int_equal(nv_seal(as, &one, file), NV_OK);
}

static void a_header_is_what_it_is_said_to_be(void **state)
{
	struct nv_header as;

	seal_small(&as);
	assert_memory_equal(file, "RDTVTPM1", 8);
	assert_int_equal(number_at(8, 4), 1);
	assert_int_equal(number_at(12, 4), SMALL);
	assert_int_equal(number_at(16, 4), 216);
	assert_int_equal(number_at(20, 4), 32);
	assert_int_equal(number_at(24, 8), 5);
	assert_int_equal(number_at(32, 8), 3);
	assert_int_equal(number_at(40, 8), 7 | MONITOR_SVN << 32);
	assert_int_equal(number_at(48, 4), 2);
	assert_int_equal(number_at(52, 4), 0);
	expect_bytes(56, 0x21);
	expect_bytes(88, 5);
	expect_bytes(120, 0x43);
	expect_bytes(152, 0x54);
	assert_memory_equal(file, &as, sizeof(as));
}

/* Key, ciphertext and tag by the plain reading of GCM; the digest over all that is in front. */
static void the_rest_is_what_it_is_said_to_be(void **state)
{
	static const uint8_t nonce[12];
	uint8_t base[TRUSTLET_KEY_BYTES], key[32], sections[32] = { 1, 0, 0, 0, STATE };
	uint8_t wanted[32 + 16];
	struct nv_header as;
	struct sha256 hash;
	struct hmac mac;

	seal_small(&as);
	memcpy(sections + 8, filling, STATE);
	assert_true(trustlet_key("vtpm state", 7 | MONITOR_SVN << 32, base));
	hmac_start(&mac, base, sizeof(base));
	hmac_add(&mac, file + 184, 32);
	hmac_end(&mac, key);
	plain_gcm(key, nonce, (struct plain_text){ file, 216 }, (struct plain_text){ sections, 32 },
	    wanted);
	assert_memory_equal(file + 216, wanted, sizeof(wanted));
	sha256_start(&hash);
	sha256_add(&hash, file, SMALL - 32);
	sha256_end(&hash, wanted);
	assert_memory_equal(file + SMALL - 32, wanted, 32);
}

static void no_two_have_the_same_salt(void **state)
{
	struct nv_header a, b;

	seal_small(&a);
	seal_small(&b);
	assert_memory_not_equal(a.salt, b.salt, 32);
}

/* ---- What comes back ---- */

static const size_t most[NV_PARTS] = { 160 * 1024, 64 * 1024, 4096, 16 * 1024, 4096, 4096 };

/* Parts of `mask`, each `less` shorter than it may be. */
static struct nv_content parts(unsigned mask, size_t less)
{
	struct nv_content made = { 0 };

	for (unsigned i = 0; i < NV_PARTS; i++)
		if (mask & 1u << i)
			made.part[i] = (struct nv_bytes){ filling + i, most[i] - less };
	return made;
}

static void each_set_of_parts_comes_back(void **state)
{
	for (unsigned mask = 1; mask < 1u << NV_PARTS; mask += 2) {
		struct nv_content in = parts(mask, mask % 11), out;
		struct nv_header as = made_header(2, 9);
		size_t size = nv_size(&in);

		assert_in_range(size, 1, NV_FILE_MAX);
		assert_int_equal(nv_seal(&as, &in, file), NV_OK);
		assert_int_equal(nv_open((struct nv_bytes){ file, size }, payload, &header, &out),
		    NV_OK);
		assert_memory_equal(&header, &as, sizeof(as));
		for (unsigned i = 0; i < NV_PARTS; i++) {
			assert_int_equal(out.part[i].size, in.part[i].size);
			if (in.part[i].size)
				assert_memory_equal(out.part[i].bytes, in.part[i].bytes,
				    in.part[i].size);
		}
	}
}

static void contents_that_there_are_not(void **state)
{
	struct nv_header as = made_header(2, 9);
	struct nv_content none = { 0 }, in;

	assert_int_equal(nv_seal(&as, &none, file), NV_BAD_CONTENT);
	for (unsigned i = 0; i < NV_PARTS; i++) {
		in = parts(0x3f, 0);
		in.part[i].size++;
		assert_int_equal(nv_seal(&as, &in, file), NV_BAD_CONTENT);
		in.part[i].size = 0;
		assert_int_equal(nv_seal(&as, &in, file), NV_BAD_CONTENT);
	}
	in = parts(0x3e, 0);
	assert_int_equal(nv_seal(&as, &in, file), NV_BAD_CONTENT);
}

static void a_newer_image_opens_it_and_an_older_one_does_not(void **state)
{
	make_small();
	fake.svn = SVN + 1;
	expect_opens(file, SMALL);
	fake.svn = SVN - 1;
	assert_int_equal(open_copy(file, SMALL), NV_NEWER);
	expect_nothing_left();
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(payload[i], 0);
}

static void without_a_root_key(void **state)
{
	struct nv_content one = { { { filling, STATE } } };
	struct nv_header as = made_header(1, 5);

	make_small();
	fake.refuse = REDOUBT_CALL_key_derive;
	assert_int_equal(open_copy(file, SMALL), NV_NO_KEY);
	expect_nothing_left();
	assert_int_equal(nv_seal(&as, &one, file), NV_NO_KEY);
	for (size_t i = 216; i + 8 < SMALL; i++)
		assert_memory_not_equal(file + i, filling, 8);
}

/* ---- T63: what is refused ---- */

static void t63_a_file_of_another_machine(void **state)
{
	make_small();
	made_machine = 1;
	assert_int_equal(open_copy(file, SMALL), NV_NOT_GENUINE);
	expect_nothing_left();
}

static enum nv_verdict verdict_of_bit(size_t bit)
{
	if (bit < 64)
		return NV_BAD_MAGIC;
	if (bit >= 96 && bit < 128)
		return NV_BAD_SIZE;
	return NV_DAMAGED;
}

static void t63_each_bit(void **state)
{
	make_small();
	for (size_t bit = 0; bit < 8 * SMALL; bit++) {
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(open_copy(file, SMALL), verdict_of_bit(bit));
		expect_nothing_left();
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	expect_opens(file, SMALL);
}

/* By who can compute a SHA-256 and has no key. */
static bool verdict_of_mended_bit(size_t bit, enum nv_verdict verdict)
{
	size_t at = bit / 8;

	if (at >= 8 && at < 12)
		return verdict == NV_BAD_VERSION;
	if (bit == 52 * 8) /* the one flag that there is */
		return verdict == NV_NOT_GENUINE;
	if ((at >= 16 && at < 24) || (at >= 52 && at < 56))
		return verdict == NV_BAD_FIELD;
	if (at >= 120 && at < 184) /* a manufactured one has no origin */
		return verdict == NV_BAD_FIELD;
	if (at >= 40 && at < 48)
		return verdict == NV_NEWER || verdict == NV_NOT_GENUINE;
	if (at >= 24 && at < 56)
		return verdict == NV_BAD_FIELD || verdict == NV_NOT_GENUINE;
	return verdict == NV_NOT_GENUINE;
}

static void t63_each_bit_with_the_digest_mended(void **state)
{
	make_small();
	for (size_t bit = 64; bit < 8 * (SMALL - 32); bit++) {
		enum nv_verdict verdict;

		if (bit / 8 >= 12 && bit / 8 < 16)
			continue; /* of another length: below */
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
		made_mended(file, SMALL);
		verdict = open_copy(file, SMALL);
		expect_nothing_left();
		if (!verdict_of_mended_bit(bit, verdict))
			fail_msg("bit %zu: %s", bit, nv_sentence(verdict));
		file[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	made_mended(file, SMALL);
	expect_opens(file, SMALL);
}

static void t63_each_length(void **state)
{
	make_small();
	memcpy(file + SMALL, filling, 64);
	for (size_t size = 0; size < SMALL + 64; size++) {
		if (size == SMALL)
			continue;
		assert_int_equal(open_copy(file, size), size ? NV_BAD_SIZE : NV_BLANK);
		expect_nothing_left();
	}
}

/* It says that it is as long as it is, and has a right digest there. */
static void t63_each_length_made_good(void **state)
{
	for (uint32_t size = OVERHEAD; size < SMALL + 64; size++) {
		uint32_t text = size - OVERHEAD;

		make_small();
		if (size == SMALL)
			continue;
		memcpy(file + 12, &size, 4);
		memcpy(file + 20, &text, 4);
		made_mended(file, size);
		assert_int_equal(open_copy(file, size), NV_NOT_GENUINE);
		expect_nothing_left();
	}
}

static void sizes_that_no_state_has(void **state)
{
	static const uint32_t sizes[] = { 0, 1, OVERHEAD - 1, NV_FILE_MAX + 1, 1u << 31, ~0u };

	for (unsigned i = 0; i < COUNT(sizes); i++) {
		make_small();
		memcpy(file + 12, &sizes[i], 4);
		assert_int_equal(open_copy(file, SMALL), NV_BAD_SIZE);
		assert_int_equal(open_copy(file, NV_FILE_MAX), NV_BAD_SIZE);
	}
}

/* What stands behind a state in its slot means nothing; a part of it is no slot. */
static void a_slot_begins_with_a_state(void **state)
{
	make_small();
	memcpy(file + SMALL, filling, NV_FILE_MAX - SMALL);
	expect_opens(file, NV_FILE_MAX);
	assert_int_equal(open_copy(file, NV_FILE_MAX - 1), NV_BAD_SIZE);
}

static void what_was_never_written(void **state)
{
	static const size_t sizes[] = { 0, 1, OVERHEAD - 1, OVERHEAD, 4096, NV_FILE_MAX };

	memset(file, 0, sizeof(file));
	for (unsigned i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(open_copy(file, sizes[i]), NV_BLANK);
		if (!sizes[i])
			continue;
		file[sizes[i] - 1] = 1;
		assert_int_equal(open_copy(file, sizes[i]),
		    sizes[i] < OVERHEAD ? NV_BAD_SIZE : NV_BAD_MAGIC);
		file[sizes[i] - 1] = 0;
	}
}

/* ---- What a header may not say, though it is sealed ---- */

static void wrong_generation(struct nv_header *as)
{
	as->generation = 0;
	as->first = 0;
}

static void last_generation(struct nv_header *as)
{
	as->generation = UINT64_MAX;
}

static void wrong_first(struct nv_header *as)
{
	as->first = as->generation + 1;
}

static void no_first(struct nv_header *as)
{
	as->first = 0;
}

static void no_kind(struct nv_header *as)
{
	as->kind = 0;
}

static void kind_that_there_is_not(struct nv_header *as)
{
	as->kind = NV_RESTORED + 1;
	memset(as->origin_digest, 1, 32);
}

static void no_lineage(struct nv_header *as)
{
	memset(as->lineage, 0, 32);
}

static void manufactured_from(struct nv_header *as)
{
	as->origin_digest[31] = 1;
}

static void copied_from_nothing(struct nv_header *as)
{
	as->kind = NV_COPIED;
	as->origin_digest[0] = 1;
}

static void replaced_itself(struct nv_header *as)
{
	as->kind = NV_REPLACED;
	as->origin_digest[0] = 1;
	memcpy(as->origin_lineage, as->lineage, 32);
}

static void imported_from_nothing(struct nv_header *as)
{
	as->kind = NV_IMPORTED;
}

static void headers_that_say_what_cannot_be(void **state)
{
	static void (*const wrong[])(struct nv_header *) = { wrong_generation, last_generation,
		wrong_first, no_first, no_kind, kind_that_there_is_not, no_lineage,
		manufactured_from, copied_from_nothing, replaced_itself, imported_from_nothing };
	struct nv_content one = { { { filling, STATE } } };
	uint8_t sections[64];
	size_t size = made_payload(filling, STATE, sections);

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		struct nv_header as = made_header(1, 5);

		wrong[i](&as);
		made_file(&as, sections, size, file);
		assert_int_equal(open_copy(file, SMALL), NV_BAD_FIELD);
		expect_nothing_left();
		assert_int_equal(nv_seal(&as, &one, file), NV_BAD_FIELD);
	}
}

/* ---- Payloads that are genuine and no state ---- */

static const struct {
	uint32_t words[14];
	size_t size;
} payloads[] = {
	{ { 0 }, 0 },			     /* nothing */
	{ { 1 }, 4 },			     /* half a section's head */
	{ { 1, 0 }, 8 },		     /* without data */
	{ { 0, 4, 7, 0 }, 16 },		     /* no type */
	{ { 7, 4, 7, 0 }, 16 },		     /* a type that there is not */
	{ { 2, 4, 7, 0 }, 16 },		     /* no permanent state */
	{ { 1, 4, 7 }, 12 },		     /* without its padding */
	{ { 1, 4, 7, 1 }, 16 },		     /* padding that is not zero */
	{ { 1, 9, 7, 0 }, 16 },		     /* longer than there is */
	{ { 1, 0xfffffff9, 7, 0 }, 16 },     /* wraps when padded */
	{ { 1, 0xffffffff, 7, 0 }, 16 },     /* the same */
	{ { 1, 4, 7, 0, 0, 0 }, 24 },	     /* something behind it */
	{ { 1, 4, 7, 0, 1, 4, 7, 0 }, 32 },  /* twice */
	{ { 2, 4, 7, 0, 1, 4, 7, 0 }, 32 },  /* in another order */
	{ { 1, 4, 7, 0, 7, 4, 7, 0 }, 32 },  /* the second is unknown */
	{ { 1, 4, 7, 0, 2, 12, 7, 0 }, 32 }, /* the second is too long */
};

/* Into memory of exactly that size: nothing behind it is looked at. */
static void expect_no_state_in(size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	assert_int_equal(nv_open((struct nv_bytes){ file, OVERHEAD + size }, exact, &header,
			     &content),
	    NV_BAD_CONTENT);
	free(exact);
}

static void payloads_that_are_no_state(void **state)
{
	for (unsigned i = 0; i < COUNT(payloads); i++) {
		struct nv_header as = made_header(1, 5);

		made_file(&as, (const uint8_t *)payloads[i].words, payloads[i].size, file);
		assert_int_equal(open_copy(file, OVERHEAD + payloads[i].size), NV_BAD_CONTENT);
		expect_nothing_left();
		for (size_t k = 0; k < payloads[i].size; k++)
			assert_int_equal(payload[k], 0);
		expect_no_state_in(payloads[i].size);
	}
}

static void parts_longer_than_they_may_be(void **state)
{
	static uint8_t sections[NV_PAYLOAD_MAX];

	for (uint32_t i = 0; i < NV_PARTS; i++) {
		struct nv_header as = made_header(1, 5);
		size_t at = i ? made_payload(filling, STATE, sections) : 0;
		size_t size = at + made_payload(filling, most[i] + 1, sections + at);

		sections[at] = (uint8_t)(i + 1);
		made_file(&as, sections, size, file);
		assert_int_equal(open_copy(file, OVERHEAD + size), NV_BAD_CONTENT);
		assert_int_equal(sections[at + 4], 1);
		sections[at + 4] = 0; /* one byte less is right, with the padding zero */
		memset(sections + size - 8, 0, 8);
		made_file(&as, sections, size - 8, file);
		assert_int_equal(open_copy(file, OVERHEAD + size - 8), NV_OK);
	}
}

static void each_verdict_has_a_sentence(void **state)
{
	for (unsigned i = 0; i < NV_VERDICTS; i++) {
		assert_non_null(nv_sentence(i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(nv_sentence(i), nv_sentence(k));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(a_header_is_what_it_is_said_to_be, start),
	cmocka_unit_test_setup(the_rest_is_what_it_is_said_to_be, start),
	cmocka_unit_test_setup(no_two_have_the_same_salt, start),
	cmocka_unit_test_setup(each_set_of_parts_comes_back, start),
	cmocka_unit_test_setup(contents_that_there_are_not, start),
	cmocka_unit_test_setup(a_newer_image_opens_it_and_an_older_one_does_not, start),
	cmocka_unit_test_setup(without_a_root_key, start),
	cmocka_unit_test_setup(t63_a_file_of_another_machine, start),
	cmocka_unit_test_setup(t63_each_bit, start),
	cmocka_unit_test_setup(t63_each_bit_with_the_digest_mended, start),
	cmocka_unit_test_setup(t63_each_length, start),
	cmocka_unit_test_setup(t63_each_length_made_good, start),
	cmocka_unit_test_setup(sizes_that_no_state_has, start),
	cmocka_unit_test_setup(a_slot_begins_with_a_state, start),
	cmocka_unit_test_setup(what_was_never_written, start),
	cmocka_unit_test_setup(headers_that_say_what_cannot_be, start),
	cmocka_unit_test_setup(payloads_that_are_no_state, start),
	cmocka_unit_test_setup(parts_longer_than_they_may_be, start),
	cmocka_unit_test_setup(each_verdict_has_a_sentence, start),
};

UNIT_MAIN(tests)
