/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/authenticode.c with images made up here: what is in the digest is known by how they were
 * made. Signatures of others judge it in judged.py.
 */
#include "boot/authenticode.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

#define PE_AT	 0x80u
#define OPTIONAL (PE_AT + 24)
#define HEADERS	 0x400u
#define FIRST	 0x400u /* the first section in the file, 0x200 bytes; the others behind it */
#define SECOND	 0x600u
#define BEHIND	 0x700u
#define ROOM	 0x900u
#define SECTIONS 3u

/* Where the format has fields of the COFF header, the optional header and a section's. */
#define COUNT_OF_SECTIONS (PE_AT + 6)
#define OPTIONAL_SIZE	  (PE_AT + 20)
#define HEADERS_SIZE	  (OPTIONAL + 60)
#define CHECKSUM	  (OPTIONAL + 64)
#define RAW_SIZE	  16u
#define RAW_AT		  20u

/* An image, by what differs; the rest is a pattern. */
struct made {
	bool wide; /* PE32+ */
	unsigned directories;
	bool swapped; /* the table has the sections in another order than the file */
	bool empty;   /* the last section in the table has no data */
	uint32_t behind, certificates;
	uint8_t file[ROOM];
	size_t size;
};

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t directories_at(const struct made *m)
{
	return OPTIONAL + (m->wide ? 112 : 96);
}

static uint32_t security_at(const struct made *m)
{
	return directories_at(m) + 4 * 8;
}

static uint32_t table_at(const struct made *m)
{
	return directories_at(m) + m->directories * 8;
}

static void put_section(struct made *m, unsigned number, uint32_t at, uint32_t bytes)
{
	uint8_t *section = m->file + table_at(m) + number * 40;

	put(section + RAW_SIZE, bytes, 4);
	put(section + RAW_AT, at, 4);
}

static void make(struct made *m)
{
	m->size = BEHIND + m->behind + m->certificates;
	for (unsigned i = 0; i < ROOM; i++)
		m->file[i] = (uint8_t)(i * 7 + (i >> 8) * 3 + 1);
	memcpy(m->file, "MZ", 2);
	put(m->file + 60, PE_AT, 4);
	memcpy(m->file + PE_AT, "PE\0\0", 4);
	put(m->file + COUNT_OF_SECTIONS, SECTIONS, 2);
	put(m->file + OPTIONAL_SIZE, table_at(m) - OPTIONAL, 2);
	put(m->file + OPTIONAL, m->wide ? 0x20b : 0x10b, 2);
	put(m->file + HEADERS_SIZE, HEADERS, 4);
	put(m->file + directories_at(m) - 4, m->directories, 4);
	if (m->directories > 4) {
		put(m->file + security_at(m), m->certificates ? BEHIND + m->behind : 0, 4);
		put(m->file + security_at(m) + 4, m->certificates, 4);
	}
	put_section(m, m->swapped ? 1 : 0, FIRST, SECOND - FIRST);
	put_section(m, m->swapped ? 0 : 1, SECOND, (m->empty ? BEHIND : BEHIND - 0x80) - SECOND);
	put_section(m, 2, m->empty ? 0xfffffff0 : BEHIND - 0x80, m->empty ? 0 : 0x80);
}

/* In memory of exactly that size: a read outside is seen. */
static bool digest_of(const uint8_t *file, size_t size, uint8_t digest[SHA256_BYTES])
{
	uint8_t *exact = malloc(size ? size : 1);
	bool good;

	memcpy(exact, file, size);
	good = authenticode_sha256((struct blob){ exact, size }, digest);
	free(exact);
	return good;
}

static bool accepts(const struct made *m)
{
	uint8_t digest[SHA256_BYTES];

	return digest_of(m->file, m->size, digest);
}

/* The pieces that the specification names, in order; all lies in the order of the file here. */
static void expected(const struct made *m, uint8_t digest[SHA256_BYTES])
{
	const uint32_t behind_checksum = CHECKSUM + 4;
	uint32_t from = behind_checksum;
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, m->file, CHECKSUM);
	if (m->directories > 4) {
		sha256_add(&hash, m->file + from, security_at(m) - from);
		from = security_at(m) + 8;
	}
	sha256_add(&hash, m->file + from, BEHIND + m->behind - from);
	sha256_end(&hash, digest);
}

static void agrees(struct made *m)
{
	uint8_t found[SHA256_BYTES], wanted[SHA256_BYTES];

	make(m);
	expected(m, wanted);
	assert_true(digest_of(m->file, m->size, found));
	assert_memory_equal(found, wanted, SHA256_BYTES);
}

/* All ways that an image differs, each with each. */
static void whole_images(void **state)
{
	static const unsigned directories[] = { 0, 4, 5, 16 };

	for (unsigned way = 0; way < 32; way++)
		for (unsigned i = 0; i < COUNT(directories); i++) {
			struct made m = { .wide = way & 1,
				.directories = directories[i],
				.swapped = way & 2,
				.empty = way & 4,
				.behind = way & 8 ? 0x31 : 0,
				.certificates = way & 16 && directories[i] > 4 ? 0x108 : 0 };

			agrees(&m);
		}
}

/* What is in nobody's digest is the checksum, the directory and the certificates, to the byte. */
static void each_byte(void **state)
{
	struct made m = { .wide = true, .directories = 16, .behind = 0x31, .certificates = 0x108 };
	uint8_t before[SHA256_BYTES], after[SHA256_BYTES];

	make(&m);
	assert_true(digest_of(m.file, m.size, before));
	for (size_t i = 0; i < m.size; i++) {
		bool outside = (i >= CHECKSUM && i < CHECKSUM + 4) ||
		    (i >= security_at(&m) && i < security_at(&m) + 4) ||
		    i >= m.size - m.certificates;
		bool good;

		m.file[i] ^= 0x80;
		good = digest_of(m.file, m.size, after);
		m.file[i] ^= 0x80;
		if (outside)
			assert_true(good);
		if (good)
			assert_int_equal(memcmp(before, after, SHA256_BYTES) == 0, outside);
	}
}

/* Bytes between sections are in nobody's digest; as many at the end of the file are in it twice. */
static void gap_between_sections(void **state)
{
	struct made m = { .wide = true, .directories = 16 };
	const uint32_t security = security_at(&m), gap = 0x40;
	uint8_t found[SHA256_BYTES], wanted[SHA256_BYTES];
	struct sha256 hash;

	make(&m);
	put_section(&m, 0, FIRST, SECOND - FIRST - gap);
	sha256_start(&hash);
	sha256_add(&hash, m.file, CHECKSUM);
	sha256_add(&hash, m.file + CHECKSUM + 4, security - CHECKSUM - 4);
	sha256_add(&hash, m.file + security + 8, SECOND - gap - security - 8);
	sha256_add(&hash, m.file + SECOND, BEHIND - SECOND);
	sha256_add(&hash, m.file + BEHIND - gap, gap);
	sha256_end(&hash, wanted);
	assert_true(digest_of(m.file, m.size, found));
	assert_memory_equal(found, wanted, SHA256_BYTES);
}

static void every_truncation(void **state)
{
	uint8_t digest[SHA256_BYTES];

	for (unsigned way = 0; way < 4; way++) {
		struct made m = { .wide = way & 1,
			.directories = 16,
			.certificates = way & 2 ? 0x108 : 0 };

		make(&m);
		for (size_t size = 0; size < m.size; size++)
			assert_false(digest_of(m.file, size, digest));
		assert_true(accepts(&m));
	}
}

/* Every field, whatever it is, at its extremes and near the ends of things. */
static void no_field_leads_outside(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 0x7f, 0xff, 0x400, 0x6ff, 0x7ff, 0x800, 0x807,
		0x808, 0x809, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	unsigned accepted = 0, refused = 0;

	for (unsigned wide = 0; wide < 2; wide++)
		for (uint32_t at = 0; at + 4 <= HEADERS; at++)
			for (unsigned i = 0; i < COUNT(values); i++) {
				struct made m = { .wide = wide,
					.directories = 16,
					.certificates = 0x108 };

				make(&m);
				put(m.file + at, values[i], at % 4 ? 2 : 4);
				*(accepts(&m) ? &accepted : &refused) += 1;
			}
	assert_true(accepted > 1000);
	assert_true(refused > 1000);
}

/* One field of a PE32+ image with certificates that is wrong; `at` behind SECTION: in the table. */
#define IN_SECTION(number, field) (OPTIONAL + 112 + 16 * 8 + (number)*40 + (field))
#define SECURITY_SIZE		  (OPTIONAL + 112 + 4 * 8 + 4)
#define SIZE			  (BEHIND + 0x108)

static const struct {
	const char *what;
	uint32_t at, value;
	unsigned bytes;
} wrong[] = {
	{ "no MZ", 0, 0x5a4c, 2 },
	{ "PE header at the end", 60, SIZE - 151, 4 },
	{ "PE header outside", 60, SIZE, 4 },
	{ "PE header far outside", 60, 0xffffffff, 4 },
	{ "no PE", PE_AT, 0x4551, 4 },
	{ "magic of a ROM", OPTIONAL, 0x107, 2 },
	{ "optional header too short for its number of directories", OPTIONAL_SIZE, 112 + 39, 2 },
	{ "optional header ends before the directories", OPTIONAL_SIZE, 111, 2 },
	{ "optional header of nothing", OPTIONAL_SIZE, 0, 2 },
	{ "optional header outside", OPTIONAL_SIZE, 0xffff, 2 },
	{ "more sections than there may be", COUNT_OF_SECTIONS, 97, 2 },
	{ "sections behind the headers", COUNT_OF_SECTIONS, 18, 2 },
	{ "as many sections as there can be", COUNT_OF_SECTIONS, 0xffff, 2 },
	{ "headers end within the table", HEADERS_SIZE, IN_SECTION(3, 0) - 1, 4 },
	{ "no headers", HEADERS_SIZE, 0, 4 },
	{ "headers reach into a section", HEADERS_SIZE, HEADERS + 1, 4 },
	{ "headers larger than the file", HEADERS_SIZE, SIZE + 1, 4 },
	{ "headers far larger than the file", HEADERS_SIZE, 0xffffffff, 4 },
	{ "certificates reach into a section", SECURITY_SIZE, 0x109, 4 },
	{ "certificates reach into the headers", SECURITY_SIZE, SIZE - HEADERS + 1, 4 },
	{ "certificates larger than the file", SECURITY_SIZE, SIZE + 1, 4 },
	{ "certificates far larger", SECURITY_SIZE, 0xffffffff, 4 },
	{ "a section in the headers", IN_SECTION(0, RAW_AT), HEADERS - 1, 4 },
	{ "a section at 0", IN_SECTION(0, RAW_AT), 0, 4 },
	{ "a section that reaches into the next", IN_SECTION(0, RAW_SIZE), SECOND - FIRST + 1, 4 },
	{ "two sections at one place", IN_SECTION(0, RAW_AT), SECOND, 4 },
	{ "a section within another", IN_SECTION(2, RAW_AT), FIRST + 16, 4 },
	{ "a section that ends in the certificates", IN_SECTION(2, RAW_SIZE), 0x81, 4 },
	{ "a section in the certificates", IN_SECTION(2, RAW_AT), BEHIND + 8, 4 },
	{ "a section behind the file", IN_SECTION(2, RAW_AT), SIZE, 4 },
	{ "a section far behind", IN_SECTION(2, RAW_AT), 0xffffffff, 4 },
	{ "a section larger than the file", IN_SECTION(2, RAW_SIZE), 0xffffffff, 4 },
};

static void wrong_images_are_refused(void **state)
{
	for (unsigned i = 0; i < COUNT(wrong); i++) {
		struct made m = { .wide = true, .directories = 16, .certificates = 0x108 };

		make(&m);
		assert_int_equal(m.size, SIZE);
		put(m.file + wrong[i].at, wrong[i].value, wrong[i].bytes);
		if (accepts(&m))
			fail_msg("accepted: %s", wrong[i].what);
	}
}

/* What is wrong in one way alone, each beside the same that is right. */
static void optional_headers(void **state)
{
	struct made narrow = { .directories = 16 }, few = { .wide = true, .directories = 4 };
	struct made none = { .wide = true };

	make(&narrow);
	assert_true(accepts(&narrow));
	put(narrow.file + OPTIONAL, 0x107, 2);
	assert_false(accepts(&narrow));
	/* The fifth directory would be the first section's name. */
	make(&few);
	memset(few.file + table_at(&few), 0, 8);
	assert_true(accepts(&few));
	put(few.file + directories_at(&few) - 4, 5, 4);
	assert_false(accepts(&few));
	make(&none);
	put(none.file + COUNT_OF_SECTIONS, 0, 2);
	assert_true(accepts(&none));
	put(none.file + OPTIONAL_SIZE, 111, 2);
	assert_false(accepts(&none));
}

/* Sections without data, as many as there may be and one more. */
static void number_of_sections(void **state)
{
	enum { LARGE = 0x2000 };
	struct made m = { .wide = true };
	uint8_t *file = calloc(1, LARGE), digest[SHA256_BYTES];

	make(&m);
	memcpy(file, m.file, table_at(&m));
	put(file + HEADERS_SIZE, LARGE, 4);
	put(file + COUNT_OF_SECTIONS, 96, 2);
	assert_true(digest_of(file, LARGE, digest));
	put(file + COUNT_OF_SECTIONS, 97, 2);
	assert_false(digest_of(file, LARGE, digest));
	free(file);
}

/* A security directory that the count leaves out is none, whatever stands there. */
static void directory_that_is_not_counted(void **state)
{
	struct made m = { .wide = true, .directories = 16 };
	uint8_t digest[SHA256_BYTES], other[SHA256_BYTES];

	make(&m);
	put(m.file + directories_at(&m) - 4, 4, 4);
	assert_true(digest_of(m.file, m.size, digest));
	put(m.file + security_at(&m) + 4, 0xffffffff, 4);
	assert_true(digest_of(m.file, m.size, other));
	assert_memory_not_equal(digest, other, SHA256_BYTES);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(whole_images),
	cmocka_unit_test(each_byte),
	cmocka_unit_test(gap_between_sections),
	cmocka_unit_test(every_truncation),
	cmocka_unit_test(no_field_leads_outside),
	cmocka_unit_test(wrong_images_are_refused),
	cmocka_unit_test(optional_headers),
	cmocka_unit_test(number_of_sections),
	cmocka_unit_test(directory_that_is_not_counted),
};

UNIT_MAIN(tests)
