/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * monitor/abi/image.h and guest/trustlets/image: every field at and over its edges.
 */
#include "guest/trustlets/image/image.h"

#include <stdlib.h>

#include "tests/unit/trustlets/fake.h"

#define PAGES	   4u
#define KEY	   (27u + 64u)
#define FILE_BYTES (PAGES * IMAGE_PAGE + sizeof(struct redoubt_image_signature) + KEY + 64)

static const uint8_t ecdsa_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
	0x00, 0x04 };

static struct {
	struct redoubt_image header;
	uint8_t rest[(PAGES - 1) * IMAGE_PAGE];
	struct redoubt_image_signature block;
	uint8_t key[KEY], signature[64];
	uint64_t behind;
} file;

static void good(void)
{
	memset(&file, 0, sizeof(file));
	file.header = (struct redoubt_image){ .magic = IMAGE_MAGIC,
		.version = 1,
		.header_size = sizeof(file.header),
		.pages = PAGES,
		.text_pages = 2,
		.rodata_pages = 1,
		.data_pages = 9,
		.vps = 1,
		.svn = 3,
		.id = "good-1" };
	file.block = (struct redoubt_image_signature){ .magic = IMAGE_SIGNATURE_MAGIC,
		.algorithm = IMAGE_SIGNATURE_ECDSA_P256,
		.key_size = KEY,
		.signature_size = 64 };
	memcpy(file.key, ecdsa_head, sizeof(ecdsa_head));
}

/* In memory of exactly that size, so that the sanitizer sees a read behind it. */
static enum image_fault judge(size_t bytes)
{
	struct image_signature found;
	void *copy = aligned_alloc(8, (bytes + 8) / 8 * 8);
	enum image_fault fault;

	memcpy(copy, &file, bytes);
	fault = image_file_check(copy, bytes, &found);
	assert_int_equal(found.algorithm != 0,
	    fault == IMAGE_OK && bytes > file.header.pages * IMAGE_PAGE);
	free(copy);
	return fault;
}

static void a_good_file_passes(void **state)
{
	struct image_signature found;

	good();
	assert_int_equal(image_file_check(&file, FILE_BYTES, &found), IMAGE_OK);
	assert_int_equal(found.algorithm, IMAGE_SIGNATURE_ECDSA_P256);
	assert_ptr_equal(found.key, file.key);
	assert_int_equal(found.key_size, KEY);
	assert_ptr_equal(found.signature, file.signature);
	assert_int_equal(found.signature_size, 64);
	assert_int_equal(image_file_check(&file, PAGES * IMAGE_PAGE, &found), IMAGE_OK);
	assert_int_equal(found.algorithm, 0);
	assert_null(found.key);
	file.header.flags = IMAGE_DEBUG;
	assert_int_equal(judge(FILE_BYTES), IMAGE_OK);
}

struct row {
	uint32_t *field;
	uint32_t value;
	enum image_fault fault;
};

static void every_field_has_its_range(void **state)
{
	struct redoubt_image *h = &file.header;
	const struct row rows[] = {
		{ &h->version, 0, IMAGE_BAD_VERSION },
		{ &h->version, 2, IMAGE_BAD_VERSION },
		{ &h->header_size, 4095, IMAGE_BAD_VERSION },
		{ &h->header_size, 4097, IMAGE_BAD_VERSION },
		{ &h->pages, 0, IMAGE_BAD_PAGES },
		{ &h->pages, 3, IMAGE_BAD_PAGES },
		{ &h->pages, 5, IMAGE_BAD_PAGES },
		{ &h->text_pages, 0, IMAGE_BAD_PAGES },
		{ &h->text_pages, 3, IMAGE_BAD_PAGES },
		{ &h->text_pages, 0xffffffff, IMAGE_BAD_PAGES },
		{ &h->rodata_pages, 0, IMAGE_BAD_PAGES },
		{ &h->rodata_pages, 0xffffffff, IMAGE_BAD_PAGES },
		{ &h->data_pages, 0, IMAGE_BAD_DATA_PAGES },
		{ &h->data_pages, 1, IMAGE_OK },
		{ &h->data_pages, IMAGE_MAX_DATA_PAGES, IMAGE_OK },
		{ &h->data_pages, IMAGE_MAX_DATA_PAGES + 1, IMAGE_BAD_DATA_PAGES },
		{ &h->vps, 0, IMAGE_BAD_VPS },
		{ &h->vps, 2, IMAGE_BAD_VPS },
		{ &h->svn, 0, IMAGE_BAD_SVN },
		{ &h->svn, 65535, IMAGE_OK },
		{ &h->svn, 65536, IMAGE_BAD_SVN },
		{ &h->flags, 2, IMAGE_BAD_FLAGS },
		{ &h->flags, 0x80000001, IMAGE_BAD_FLAGS },
		{ &h->reserved0, 1, IMAGE_BAD_RESERVED },
		{ &file.block.algorithm, 0, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.algorithm, 2, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.algorithm, 3, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.algorithm, 0xffffffff, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.key_size, KEY - 1, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.key_size, 0xffffffff, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.signature_size, 65, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.signature_size, 0xffffffff, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.reserved[0], 1, IMAGE_BAD_SIGNATURE_BLOCK },
		{ &file.block.reserved[2], 1, IMAGE_BAD_SIGNATURE_BLOCK },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		good();
		*rows[i].field = rows[i].value;
		if (judge(FILE_BYTES) != rows[i].fault)
			fail_msg("row %zu: %u, not %u", i, judge(FILE_BYTES), rows[i].fault);
	}
}

/* Sums that wrap around to what stands in `pages`, and images that are too large. */
static void sums_do_not_wrap(void **state)
{
	good();
	file.header.text_pages = 0xfffffffe;
	file.header.rodata_pages = 5;
	assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_PAGES);
	good();
	file.header.text_pages = IMAGE_MAX_PAGES - 2;
	file.header.pages = IMAGE_MAX_PAGES;
	assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_SIZE);
	file.header.text_pages++;
	file.header.pages++;
	assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_PAGES);
}

static void magics_and_reserved_bytes(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		good();
		file.header.magic ^= 1ull << bit;
		assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_MAGIC);
		good();
		file.block.magic ^= 1ull << bit;
		assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_SIGNATURE_BLOCK);
	}
	for (unsigned i = 0; i < sizeof(file.header.reserved); i += 5) {
		good();
		file.header.reserved[i] = 0x80;
		assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_RESERVED);
	}
	good();
	file.header.reserved[sizeof(file.header.reserved) - 1] = 1;
	assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_RESERVED);
}

/* Each byte of the key that is not of the point is as it must be. */
static void a_key_has_one_form(void **state)
{
	for (unsigned i = 0; i < KEY; i++) {
		good();
		file.key[i] ^= 0x20;
		assert_int_equal(judge(FILE_BYTES),
		    i < sizeof(ecdsa_head) ? IMAGE_BAD_SIGNATURE_BLOCK : IMAGE_OK);
	}
}

static void ids(void **state)
{
	static const char *const right[] = { "a", "-", "0", "a-z-09",
		"abcdefghijklmnopqrstuvwxyz01234" };
	static const char *const wrong[] = { "", "A", "a_", "a b", "a.b", "a/b", "a\x7f", "a\xe4",
		"abcdefghijklmnopqrstuvwxyz012345", "`", "{", ":" };

	for (size_t i = 0; i < COUNT(right); i++) {
		good();
		memset(file.header.id, 0, IMAGE_ID_BYTES);
		memcpy(file.header.id, right[i], strlen(right[i]));
		assert_int_equal(judge(FILE_BYTES), IMAGE_OK);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		good();
		memset(file.header.id, 0, IMAGE_ID_BYTES);
		memcpy(file.header.id, wrong[i], strlen(wrong[i]));
		assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_ID);
	}
	good();
	file.header.id[IMAGE_ID_BYTES - 1] = 'a'; /* behind a zero */
	assert_int_equal(judge(FILE_BYTES), IMAGE_BAD_ID);
}

static void every_length_but_two_is_wrong(void **state)
{
	good();
	for (size_t bytes = 0; bytes <= FILE_BYTES + 8; bytes++) {
		enum image_fault wanted = bytes < PAGES * IMAGE_PAGE ? IMAGE_BAD_SIZE
								     : IMAGE_BAD_SIGNATURE_BLOCK;

		if (bytes == PAGES * IMAGE_PAGE || bytes == FILE_BYTES)
			wanted = IMAGE_OK;
		if (bytes % 64 && bytes < PAGES * IMAGE_PAGE - 64 && bytes > 64)
			continue;
		assert_int_equal(judge(bytes), wanted);
	}
}

/* The block alone, as one that was copied out of a file is judged. */
static void a_block_alone(void **state)
{
	size_t bytes = sizeof(file.block) + KEY + 64;
	struct image_signature found;

	good();
	assert_int_equal(image_signature_check(&file.block, bytes, &found), IMAGE_OK);
	assert_ptr_equal(found.key, file.key);
	assert_ptr_equal(found.signature, file.signature);
	for (size_t wrong = 1; wrong < bytes + 8; wrong++) {
		if (wrong == bytes)
			continue;
		assert_int_equal(image_signature_check(&file.block, wrong, &found),
		    IMAGE_BAD_SIGNATURE_BLOCK);
		assert_null(found.key);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_good_file_passes),
	cmocka_unit_test(every_field_has_its_range),
	cmocka_unit_test(sums_do_not_wrap),
	cmocka_unit_test(magics_and_reserved_bytes),
	cmocka_unit_test(a_key_has_one_form),
	cmocka_unit_test(ids),
	cmocka_unit_test(every_length_but_two_is_wrong),
	cmocka_unit_test(a_block_alone),
};

UNIT_MAIN(tests)
