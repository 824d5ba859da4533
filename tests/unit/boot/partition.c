/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/partition.c: which images of secure partitions pass, and how one is laid out.
 */
#include "boot/partition.h"

#include <stdlib.h>

#include "boot/sha256.h"
#include "monitor/abi/image.h"
#include "tests/unit/unit.h"

#define PAGE	   4096u
#define PAGES	   4u /* header, one of text, two of read-only data */
#define DATA_PAGES 3u
#define BLOCK	   sizeof(struct redoubt_image_signature)
#define P256_BYTES (BLOCK + 91u + 64u)
#define RSA_BYTES  (BLOCK + 422u + 384u)
#define OWN_SPACE  0x8000u /* bytes from section to section */

/* A file in a buffer with room for any block behind it; `size` says how much of it there is. */
static struct file {
	uint8_t *bytes;
	size_t size;
} file[BOOTINFO_PARTITIONS];

static struct partitions found;
static char complaint[PARTITION_COMPLAINT];

static struct redoubt_image *header(unsigned i)
{
	return (struct redoubt_image *)(void *)file[i].bytes;
}

static struct redoubt_image_signature *block(unsigned i)
{
	return (struct redoubt_image_signature *)(void *)(file[i].bytes + PAGES * PAGE);
}

static void make_file(unsigned i, const char *id)
{
	file[i] = (struct file){ calloc(1, PAGES * PAGE + RSA_BYTES + 1), PAGES * PAGE };
	*header(i) = (struct redoubt_image){
		.magic = IMAGE_MAGIC,
		.version = IMAGE_VERSION,
		.header_size = sizeof(struct redoubt_image),
		.pages = PAGES,
		.text_pages = 1,
		.rodata_pages = 2,
		.data_pages = DATA_PAGES,
		.vps = 1,
		.svn = 7 + i,
		.flags = IMAGE_DEBUG,
	};
	memcpy(header(i)->id, id, strlen(id));
	for (unsigned at = PAGE; at < PAGES * PAGE; at++)
		file[i].bytes[at] = (uint8_t)(at * 7 + at / 256 + i);
}

static void sign(unsigned i, uint32_t algorithm)
{
	bool rsa = algorithm == IMAGE_SIGNATURE_RSA3072;

	*block(i) = (struct redoubt_image_signature){ IMAGE_SIGNATURE_MAGIC, algorithm,
		rsa ? 422 : 91, rsa ? 384 : 64, { 0 } };
	file[i].size = PAGES * PAGE + (rsa ? RSA_BYTES : P256_BYTES);
}

static int set_up(void **state)
{
	static const char *const ids[] = { "vtpm", "codeint", "cred",
		"0-a-31-characters-long-name-xyz" };

	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++)
		make_file(i, ids[i]);
	return 0;
}

static int tear_down(void **state)
{
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++)
		free(file[i].bytes);
	return 0;
}

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
	memcpy(at, &value, bytes);
}

/* Our own image with the first `count` files as .part0 and on; nothing stands behind the last. */
static struct blob make_own(unsigned count)
{
	size_t size = count ? count * OWN_SPACE + file[count - 1].size : OWN_SPACE;
	uint8_t *pe = calloc(1, size);

	memcpy(pe, "MZ", 2);
	put(pe + 0x3c, 0x40, 4);
	memcpy(pe + 0x40, "PE\0\0", 4);
	put(pe + 0x46, count, 2);
	put(pe + 0x54, 0xf0, 2);
	for (unsigned i = 0; i < count; i++) {
		uint8_t *entry = pe + 0x148 + (size_t)i * 40;

		memcpy(entry, ".part0", 6);
		entry[5] = (uint8_t)('0' + i);
		put(entry + 8, (uint32_t)file[i].size, 4);
		put(entry + 12, (i + 1) * OWN_SPACE, 4);
		memcpy(pe + (size_t)(i + 1) * OWN_SPACE, file[i].bytes, file[i].size);
	}
	return (struct blob){ pe, size };
}

/* Judges an own image of so many files; frees it, so `found` counts and no more. */
static bool find(unsigned count)
{
	struct blob own = make_own(count);
	bool good = partitions_find(own, &found, complaint);

	free((void *)(uintptr_t)own.data);
	return good;
}

static void refused(unsigned count, const char *want)
{
	memset(complaint, 0, sizeof(complaint));
	assert_false(find(count));
	if (!strstr(complaint, want))
		print_error("%s, not: %s\n", complaint, want);
	assert_non_null(strstr(complaint, want));
}

static void as_many_as_there_are_pass(void **state)
{
	for (unsigned count = 0; count <= BOOTINFO_PARTITIONS; count++) {
		assert_true(find(count));
		assert_int_equal(found.count, count);
	}
}

static void a_number_may_be_left_out(void **state)
{
	struct blob own = make_own(3);
	uint8_t *pe = (uint8_t *)(uintptr_t)own.data;

	pe[0x148 + 5] = '3';
	pe[0x148 + 40 + 5] = '7';
	assert_true(partitions_find(own, &found, complaint));
	assert_int_equal(found.count, 2);
	assert_string_equal(partition_id(found.file[0]), "cred");
	assert_string_equal(partition_id(found.file[1]), "vtpm");
	free(pe);
}

/* Each field with each kind of wrong value, and the words that are found for it. */
static void wrong_headers_are_refused(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *part;
	} wrong[] = {
#define FIELD(field, value, part) { offsetof(struct redoubt_image, field), value, part }
		FIELD(magic, 1, "start as one"),
		FIELD(version, 0, "version that"),
		FIELD(version, 2, "version that"),
		FIELD(header_size, PAGE - 1, "version that"),
		FIELD(pages, PAGES - 1, "fit together"),
		FIELD(pages, PAGES + 1, "fit together"),
		FIELD(pages, 0, "fit together"),
		FIELD(text_pages, 0, "fit together"),
		FIELD(text_pages, 2, "fit together"),
		FIELD(text_pages, 0xffffffff, "fit together"),
		FIELD(rodata_pages, 0, "fit together"),
		FIELD(rodata_pages, 0xfffffffe, "fit together"),
		FIELD(data_pages, 0, "private memory"),
		FIELD(data_pages, IMAGE_MAX_DATA_PAGES + 1, "private memory"),
		FIELD(data_pages, 0xffffffff, "private memory"),
		FIELD(vps, 0, "virtual processors"),
		FIELD(vps, IMAGE_MAX_VPS + 1, "virtual processors"),
		FIELD(svn, 0, "security version"),
		FIELD(svn, IMAGE_MAX_SVN + 1, "security version"),
		FIELD(flags, IMAGE_FLAGS + 1, "flags"),
		FIELD(flags, 0x80000000, "flags"),
		FIELD(reserved0, 1, "reserved byte"),
		FIELD(reserved[0], 1, "reserved byte"),
		FIELD(reserved[4012], 0x01000000, "reserved byte"),
		FIELD(id, 0, "without a name (.part1) is damaged or built wrong: its id"),
		FIELD(id, 0x2f2e2e61, "without a name (.part1) is damaged or built wrong: its id"),
		FIELD(id[8], 0x61, "its id"),
		FIELD(id[28], 0x61616161, "its id"),
	};

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		memcpy(file[1].bytes + wrong[i].offset, &wrong[i].value, 4);
		refused(3, wrong[i].part);
		assert_non_null(strstr(complaint, ".part1"));
		tear_down(state);
		set_up(state);
	}
}

/* All parts within their limits, their sum not; the file is as long as it says. */
static void too_many_pages_are_refused(void **state)
{
	header(0)->text_pages = IMAGE_MAX_PAGES;
	header(0)->pages = IMAGE_MAX_PAGES + 3;
	refused(1,
	    "The image of secure partition vtpm (.part0) is damaged or built wrong: its parts");
}

static void a_cut_file_is_refused(void **state)
{
	for (size_t size = 0; size < PAGES * PAGE; size += size < PAGES * PAGE - 8 ? 1111 : 1) {
		file[0].size = size;
		refused(1, "(.part0) is damaged or built wrong: it is cut short.");
	}
	file[0].size = PAGE;
	refused(1, "secure partition vtpm (");
	file[0].size = PAGE - 1;
	refused(1, "secure partition without a name (");
}

static void a_signature_block_has_its_form(void **state)
{
	for (uint32_t algorithm = IMAGE_SIGNATURE_ECDSA_P256; algorithm <= IMAGE_SIGNATURE_RSA3072;
	     algorithm++) {
		sign(0, algorithm);
		assert_true(find(1));
		file[0].size--;
		refused(1, "no signature block");
		file[0].size += 2;
		refused(1, "no signature block");
		for (unsigned byte = 0; byte < BLOCK; byte++) {
			sign(0, algorithm);
			file[0].bytes[PAGES * PAGE + byte] ^= 0x20;
			refused(1, "no signature block");
		}
	}
	sign(0, IMAGE_SIGNATURE_ECDSA_P256);
	block(0)->algorithm = IMAGE_SIGNATURE_RSA3072;
	refused(1, "no signature block");
	sign(0, IMAGE_SIGNATURE_ECDSA_P256);
	block(0)->algorithm = 3;
	refused(1, "no signature block");
	for (size_t behind = 1; behind < BLOCK; behind++) {
		file[0].size = PAGES * PAGE + behind;
		refused(1, "no signature block");
	}
}

/* Sizes that fit the file and not the algorithm. */
static void a_key_has_one_size(void **state)
{
	for (uint32_t algorithm = IMAGE_SIGNATURE_ECDSA_P256; algorithm <= IMAGE_SIGNATURE_RSA3072;
	     algorithm++) {
		sign(0, algorithm);
		file[0].size++;
		block(0)->key_size++;
		refused(1, "no signature block");
		block(0)->key_size--;
		block(0)->signature_size++;
		refused(1, "no signature block");
		sign(0, algorithm);
		block(0)->key_size++;
		block(0)->signature_size--;
		refused(1, "no signature block");
	}
}

static void no_id_is_there_twice(void **state)
{
	for (unsigned first = 0; first < BOOTINFO_PARTITIONS; first++)
		for (unsigned second = first + 1; second < BOOTINFO_PARTITIONS; second++) {
			char want[128];

			memcpy(header(second)->id, header(first)->id, IMAGE_ID_BYTES);
			snprintf(want, sizeof(want), "have the id %s; .part%u is the second.",
			    header(first)->id, second);
			refused(BOOTINFO_PARTITIONS, want);
			tear_down(state);
			set_up(state);
		}
	/* What begins like another is another. */
	memset(header(1)->id, 0, IMAGE_ID_BYTES);
	memcpy(header(1)->id, "vtpm2", 6);
	memset(header(2)->id, 0, IMAGE_ID_BYTES);
	memcpy(header(2)->id, "vtp", 4);
	assert_true(find(3));
}

static void the_longest_complaint_fits(void **state)
{
	header(3)->vps = 0;
	refused(4, "secure partition 0-a-31-characters-long-name-xyz (.part3) is");
	assert_int_equal(complaint[strlen(complaint) - 1], '.');
}

static void hash_pages(const void *pages, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, pages, PAGES * PAGE);
	sha256_end(&hash, digest);
}

/* Placed in exactly the memory that is asked for; private memory is left alone. */
static void an_image_is_placed(void **state)
{
	struct bootinfo_partition placed, want;
	uint8_t *target = aligned_alloc(PAGE, (PAGES + DATA_PAGES) * PAGE);
	struct blob own;

	sign(1, IMAGE_SIGNATURE_RSA3072);
	own = make_own(2);
	assert_true(partitions_find(own, &found, complaint));
	assert_int_equal(partition_pages(found.file[1]), PAGES + DATA_PAGES);
	assert_string_equal(partition_id(found.file[1]), "codeint");
	memset(target, 0xa5, (PAGES + DATA_PAGES) * PAGE);
	memset(&placed, 0xff, sizeof(placed));
	partition_place(found.file[1], target, &placed);
	assert_memory_equal(target, file[1].bytes, PAGES * PAGE);
	for (unsigned i = PAGES * PAGE; i < (PAGES + DATA_PAGES) * PAGE; i++)
		assert_int_equal(target[i], 0xa5);
	want = (struct bootinfo_partition){
		.image_base = (uint64_t)(uintptr_t)target,
		.data_base = (uint64_t)(uintptr_t)target + PAGES * PAGE,
		.text_pages = 1,
		.rodata_pages = 2,
		.data_pages = DATA_PAGES,
		.svn = 8,
		.flags = IMAGE_DEBUG,
		.id = "codeint",
	};
	hash_pages(file[1].bytes, want.measurement);
	assert_memory_equal(&placed, &want, sizeof(want));
	assert_int_equal(partition_placed_pages(&placed), PAGES + DATA_PAGES);
	free((void *)(uintptr_t)own.data);
	free(target);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(as_many_as_there_are_pass),
	TEST(a_number_may_be_left_out),
	TEST(wrong_headers_are_refused),
	TEST(too_many_pages_are_refused),
	TEST(a_cut_file_is_refused),
	TEST(a_signature_block_has_its_form),
	TEST(a_key_has_one_size),
	TEST(no_id_is_there_twice),
	TEST(the_longest_complaint_fits),
	TEST(an_image_is_placed),
};

UNIT_MAIN(tests)
