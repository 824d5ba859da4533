/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * codeint/judge.c and signature.c with the library itself, on files that OpenSSL signed
 * (tests/trustlets/files.py; $CODEINT_FILES is their folder).
 */
#include "guest/trustlets/codeint/judge.h"

#include <stdlib.h>

#include "guest/trustlets/rt/sha256.h"
#include "monitor/abi/call.h"
#include "tests/unit/trustlets/fake.h"

#define BLOCK 32u /* struct redoubt_image_signature */

/* What stands between the program and the library's memory, and between judge and file. */
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void __real_copy_in_once(void *to, const volatile void *from, size_t bytes);
void __wrap_copy_in_once(void *to, const volatile void *from, size_t bytes);

static size_t allocations, failing; /* that one fails; 0: none does */
static bool hostile;		    /* what was copied is overwritten behind the judge's back */

void *__wrap_calloc(size_t count, size_t bytes)
{
	return ++allocations == failing ? NULL : __real_calloc(count, bytes);
}

void __wrap_copy_in_once(void *to, const volatile void *from, size_t bytes)
{
	__real_copy_in_once(to, from, bytes);
	if (hostile)
		memset((void *)(uintptr_t)from, 0xaa, bytes);
}

/* ---- Files ---- */

struct file {
	uint8_t *bytes; /* memory of exactly that size, so that the sanitizer sees what is beyond */
	size_t size;
};

static struct file take(const char *name)
{
	struct file file = { NULL, 0 };
	char path[512];
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s.img", getenv("CODEINT_FILES"), name);
	from = fopen(path, "rb");
	assert_non_null(from);
	fseek(from, 0, SEEK_END);
	file.size = (size_t)ftell(from);
	file.bytes = malloc(file.size);
	rewind(from);
	assert_int_equal(fread(file.bytes, 1, file.size, from), file.size);
	fclose(from);
	return file;
}

static size_t pages_size(const struct file *file)
{
	return (size_t)((const struct redoubt_image *)file->bytes)->pages * IMAGE_PAGE;
}

/* Whose key stands in the file, by the run-time's own SHA-256. */
static struct signer signer_of(const struct file *file)
{
	const uint8_t *block = file->bytes + pages_size(file);
	uint32_t key_size = ((const struct redoubt_image_signature *)block)->key_size;
	struct signer signer = { 0 };
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, block + BLOCK, key_size);
	sha256_end(&hash, signer.key);
	return signer;
}

static struct signer trusted[2];
static const struct policy policy = { .signers = trusted, .signer_count = COUNT(trusted) };
static struct judge judge;

/* Trusts those who signed ec.img and rsa.img; nothing was accepted yet. */
static void start(void)
{
	struct file ec = take("ec"), rsa = take("rsa");

	trusted[0] = signer_of(&ec);
	trusted[1] = signer_of(&rsa);
	judge = (struct judge){ .policy = &policy };
	free(ec.bytes);
	free(rsa.bytes);
}

/* The status; a refusal names no signer and is not remembered. */
static uint64_t judged(const struct file *file)
{
	static const struct signer none;
	size_t count = judge.history.count;
	struct signer signer;
	uint64_t status = judge_file(&judge, file->bytes, file->size, &signer);

	if (status != REDOUBT_OK) {
		assert_memory_equal(&signer, &none, sizeof(none));
		assert_int_equal(judge.history.count, count);
	}
	return status;
}

static uint64_t judged_by_name(const char *name)
{
	struct file file = take(name);
	uint64_t status = judged(&file);

	free(file.bytes);
	return status;
}

/* ---- Tests ---- */

static void right_files_are_accepted(void **state)
{
	static const char *const names[] = { "ec", "rsa", "ec_new", "rsa_alpha", "large" };

	start();
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file file = take(names[i]);
		struct signer wanted = signer_of(&file), signer;

		assert_int_equal(judge_file(&judge, file.bytes, file.size, &signer), REDOUBT_OK);
		assert_memory_equal(&signer, &wanted, sizeof(wanted));
		free(file.bytes);
	}
}

static void others_are_refused(void **state)
{
	static const struct {
		const char *name;
		uint64_t status;
	} rows[] = {
		{ "unsigned", CODEINT_UNSIGNED },
		{ "other", CODEINT_UNKNOWN_SIGNER },
		{ "debug", CODEINT_DEBUG_IMAGE },
		{ "rsa_pkcs1", CODEINT_BAD_SIGNATURE },
		{ "rsa_salt0", CODEINT_BAD_SIGNATURE },
		{ "rsa_salt20", CODEINT_BAD_SIGNATURE },
		{ "rsa_salt_max", CODEINT_BAD_SIGNATURE },
		{ "rsa_mgf_sha512", CODEINT_BAD_SIGNATURE },
	};

	start();
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (judged_by_name(rows[i].name) != rows[i].status)
			fail_msg("%s: %lx", rows[i].name, judged_by_name(rows[i].name));
	}
	assert_int_equal(judged_by_name("ec"), REDOUBT_OK);
	assert_int_equal(judged_by_name("ec_old"), CODEINT_OLD_SVN);
}

/* What a change at this place of a right file must lead to. */
static bool fits(const struct file *file, size_t at, uint64_t status)
{
	size_t pages = pages_size(file), key = pages + BLOCK, signature = file->size - 64;

	if (((const struct redoubt_image_signature *)(file->bytes + pages))->algorithm ==
	    IMAGE_SIGNATURE_RSA3072)
		signature = file->size - 384;
	if (at < IMAGE_PAGE)
		return status == CODEINT_BAD_SIGNATURE || status == CODEINT_BAD_FORM;
	if (at < pages || at >= signature)
		return status == CODEINT_BAD_SIGNATURE;
	return status == CODEINT_BAD_FORM || (at >= key && status == CODEINT_UNKNOWN_SIGNER);
}

/* One bit of each byte of the block, and bits of the pages: N / 50 of them. */
static void every_bit_counts(void **state)
{
	static const char *const names[] = { "ec", "rsa" };

	start();
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file file = take(names[i]);
		size_t pages = pages_size(&file), count = file.size - pages + rounds() / 50;

		for (size_t n = 0; n < count; n++) {
			size_t at = n < file.size - pages ? pages + n : random_next() % pages;
			uint8_t bit = (uint8_t)(1u << random_next() % 8);
			uint64_t status;

			file.bytes[at] ^= bit;
			status = judged(&file);
			file.bytes[at] ^= bit;
			if (!fits(&file, at, status))
				fail_msg("%s: bit %x of byte %zu: %lx", names[i], bit, at, status);
		}
		assert_int_equal(judged(&file), REDOUBT_OK);
		free(file.bytes);
	}
}

static void every_length_counts(void **state)
{
	struct file file;
	size_t size, pages;

	start();
	file = take("ec");
	size = file.size;
	pages = pages_size(&file);
	for (size_t length = 0; length < size + 1000; length += length < pages - 70 ? 61 : 1) {
		struct file cut = { calloc(1, length + !length), length };
		uint64_t wanted = length == pages ? CODEINT_UNSIGNED : CODEINT_BAD_FORM;

		memcpy(cut.bytes, file.bytes, length < size ? length : size);
		assert_int_equal(judged(&cut), length == size ? REDOUBT_OK : wanted);
		free(cut.bytes);
	}
	free(file.bytes);
}

/* The order of P-256's group: FIPS 186-5 by way of SP 800-186, 3.2.1.3. */
static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2,
	0xfc, 0x63, 0x25, 0x51 };

static const uint8_t zero[32];

/* r and s out of their range, alone and together; n + r and so on do not fit in 32 bytes. */
static void edges_of_ecdsa(void **state)
{
	const uint8_t *const edges[] = { zero, order };
	uint8_t one[32] = { [31] = 1 }, ones[32], kept[64];
	const uint8_t *parts[] = { edges[0], edges[1], one, ones };
	struct file file;
	uint8_t *signature;

	start();
	memset(ones, 0xff, sizeof(ones));
	file = take("ec");
	signature = file.bytes + file.size - 64;
	memcpy(kept, signature, sizeof(kept));
	for (unsigned i = 0; i < 5 * 5 - 1; i++) {
		memcpy(signature, i % 5 < 4 ? parts[i % 5] : kept, 32);
		memcpy(signature + 32, i / 5 < 4 ? parts[i / 5] : kept + 32, 32);
		assert_int_equal(judged(&file), CODEINT_BAD_SIGNATURE);
	}
	free(file.bytes);
}

/* s and n - s are both signatures of the same: known, and stated in codeint's README. */
static void the_other_signature_is_one_too(void **state)
{
	struct file file;
	uint8_t *s;
	int borrow = 0;

	start();
	file = take("ec");
	s = file.bytes + file.size - 32;
	for (int i = 31; i >= 0; i--) {
		int difference = order[i] - s[i] - borrow;

		borrow = difference < 0;
		s[i] = (uint8_t)difference;
	}
	assert_int_equal(judged(&file), REDOUBT_OK);
	free(file.bytes);
}

/* 0, 1, n - 1, n, n + 1, n + the right one if it fits, all ones. */
static void edges_of_rsa(void **state)
{
	struct file file;
	uint8_t *signature, *modulus;

	start();
	file = take("rsa");
	signature = file.bytes + file.size - 384;
	modulus = signature - 5 - 384;
	for (int last = -1; last <= 1; last++) {
		memset(signature, 0, 384);
		signature[383] = (uint8_t)(last + 1);
		assert_int_equal(judged(&file), CODEINT_BAD_SIGNATURE);
		memcpy(signature, modulus, 384);
		signature[383] = (uint8_t)(modulus[383] + last); /* odd: neither carries */
		assert_int_equal(judged(&file), CODEINT_BAD_SIGNATURE);
	}
	memset(signature, 0xff, 384);
	assert_int_equal(judged(&file), CODEINT_BAD_SIGNATURE);
	free(file.bytes);
}

/* The first, the second, and so on: whichever allocation fails, nothing is accepted. */
static void without_memory_nothing_is_accepted(void **state)
{
	static const char *const names[] = { "ec", "rsa", "rsa_salt20" };

	start();
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file file = take(names[i]);
		uint64_t good = judged(&file), status;
		size_t most;

		allocations = 0;
		assert_int_equal(judged(&file), good);
		most = allocations;
		assert_true(most > 4);
		for (failing = 1; failing <= most; failing++) {
			allocations = 0;
			status = judged(&file);
			if (status != CODEINT_NO_ROOM)
				fail_msg("%s: %zu of %zu: %lx", names[i], failing, most, status);
		}
		failing = 0;
		assert_int_equal(judged(&file), good);
		free(file.bytes);
	}
}

/* T37: header and block are judged as copies; who changes the originals changes nothing. */
static void what_is_copied_is_not_read_again(void **state)
{
	static const char *const names[] = { "ec", "rsa" };

	start();
	hostile = true;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file file = take(names[i]);

		assert_int_equal(judged(&file), REDOUBT_OK);
		assert_int_equal(file.bytes[0], 0xaa);
		assert_int_equal(judged(&file), CODEINT_BAD_FORM);
		free(file.bytes);
	}
	hostile = false;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(right_files_are_accepted),
	cmocka_unit_test(others_are_refused),
	cmocka_unit_test(every_bit_counts),
	cmocka_unit_test(every_length_counts),
	cmocka_unit_test(edges_of_ecdsa),
	cmocka_unit_test(the_other_signature_is_one_too),
	cmocka_unit_test(edges_of_rsa),
	cmocka_unit_test(without_memory_nothing_is_accepted),
	cmocka_unit_test(what_is_copied_is_not_read_again),
};

UNIT_MAIN(tests)
