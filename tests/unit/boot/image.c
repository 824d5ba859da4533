/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/image.c: sections of a PE image, and which monitor images pass. Beside it boot/sha256.c,
 * boot/text.c and boot/record_valid.c.
 */
#include "boot/image.h"

#include <stdlib.h>

#include "boot/record_valid.h"
#include "boot/sha256.h"
#include "boot/text.h"
#include "monitor/abi/cpuid.h"
#include "tests/unit/unit.h"

#define PAGE	  4096u
#define FILE_SIZE (4 * PAGE)
#define RELOCS	  3u
#define PAYLOAD	  (FILE_SIZE + RELOCS * 4)

static uint8_t *payload; /* exactly as long as it should be, so that reads beyond it are seen */

static struct monitor_image *header(void)
{
	return (struct monitor_image *)payload;
}

static struct blob blob(void)
{
	return (struct blob){ payload, PAYLOAD };
}

static void seal(void)
{
	struct sha256 hash;

	memset(header()->digest, 0, 32);
	sha256_start(&hash);
	sha256_add(&hash, payload, PAYLOAD);
	sha256_end(&hash, header()->digest);
}

static int set_up(void **state)
{
	static const uint32_t relocs[RELOCS] = { 2 * PAGE, 2 * PAGE + 8, FILE_SIZE - 8 };

	payload = calloc(1, PAYLOAD);
	*header() = (struct monitor_image){
		.magic = MONITOR_IMAGE_MAGIC,
		.version = MONITOR_IMAGE_VERSION,
		.vendor = REDOUBT_VENDOR_VMX,
		.file_size = FILE_SIZE,
		.load_size = FILE_SIZE + 2 * PAGE,
		.entry = PAGE + 16,
		.reloc_count = RELOCS,
		.fixed_pages = 10,
		.pages_per_cpu = 4,
		.text = { PAGE, PAGE },
		.rodata = { 2 * PAGE, PAGE },
		.data = { 3 * PAGE, 3 * PAGE },
	};
	memcpy(payload + FILE_SIZE, relocs, sizeof(relocs));
	for (unsigned i = 0; i < RELOCS; i++)
		memset(payload + relocs[i], (int)i + 1, 1);
	seal();
	return 0;
}

static int tear_down(void **state)
{
	free(payload);
	return 0;
}

static void refused(const char *part)
{
	const char *complaint = monitor_image_check(blob(), REDOUBT_VENDOR_VMX);

	assert_non_null(complaint);
	if (!strstr(complaint, part))
		print_error("%s, not: %s\n", complaint, part);
	assert_non_null(strstr(complaint, part));
}

static void a_whole_image_passes(void **state)
{
	assert_null(monitor_image_check(blob(), REDOUBT_VENDOR_VMX));
	assert_non_null(monitor_image_check(blob(), REDOUBT_VENDOR_SVM));
}

static void every_damaged_byte_is_found(void **state)
{
	for (unsigned i = 0; i < PAYLOAD; i += i < 256 || i >= FILE_SIZE ? 1 : 97) {
		payload[i] ^= 0x10;
		assert_non_null(monitor_image_check(blob(), REDOUBT_VENDOR_VMX));
		payload[i] ^= 0x10;
	}
	assert_null(monitor_image_check(blob(), REDOUBT_VENDOR_VMX));
}

static void a_cut_image_is_found(void **state)
{
	for (size_t size = 0; size < PAYLOAD; size += size < PAYLOAD - 16 ? 500 : 1) {
		uint8_t *part = malloc(size ? size : 1);

		memcpy(part, payload, size);
		assert_non_null(
		    monitor_image_check((struct blob){ part, size }, REDOUBT_VENDOR_VMX));
		free(part);
	}
}

/* Each field with a wrong value, sealed with a digest that fits. */
static void wrong_headers_are_refused(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
		const char *part;
	} wrong[] = {
#define FIELD(field, value, part) { offsetof(struct monitor_image, field), value, part }
		FIELD(magic, 1, "does not start"),
		FIELD(version, 2, "version"),
		FIELD(vendor, 2, "another vendor"),
		FIELD(file_size, FILE_SIZE + PAGE, "damaged"),
		FIELD(file_size, FILE_SIZE - 1, "damaged"),
		FIELD(file_size, 0, "damaged"),
		FIELD(file_size, 0xfffff000, "damaged"),
		FIELD(load_size, FILE_SIZE - PAGE, "damaged"),
		FIELD(load_size, FILE_SIZE + 2 * PAGE + 1, "damaged"),
		FIELD(load_size, FILE_SIZE + 3 * PAGE, "do not fit together"),
		FIELD(load_size, 0xfffff000, "damaged"),
		FIELD(entry, 0, "do not fit together"),
		FIELD(entry, 2 * PAGE, "do not fit together"),
		FIELD(reloc_count, RELOCS + 1, "damaged"),
		FIELD(reloc_count, 0x40000000 + RELOCS, "damaged"),
		FIELD(fixed_pages, 0xffffffff, "damaged"),
		FIELD(pages_per_cpu, 0x100001, "damaged"),
		FIELD(text.offset, 0, "do not fit together"),
		FIELD(text.size, 0, "do not fit together"),
		FIELD(text.size, 8 * PAGE, "do not fit together"),
		FIELD(rodata.offset, PAGE, "do not fit together"),
		FIELD(rodata.size, 0xfffff000, "do not fit together"),
		FIELD(data.offset, 2 * PAGE, "do not fit together"),
		FIELD(data.size, 2 * PAGE, "do not fit together"),
		FIELD(data.size, 3 * PAGE + 8, "do not fit together"),
	};

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		memcpy(payload + wrong[i].offset, &wrong[i].value, 4);
		seal();
		refused(wrong[i].part);
		tear_down(state);
		set_up(state);
	}
}

static void wrong_relocations_are_refused(void **state)
{
	static const uint32_t wrong[] = { 0, PAGE, 2 * PAGE - 1, FILE_SIZE - 7, FILE_SIZE,
		0xffffffff };

	for (unsigned i = 0; i < COUNT(wrong); i++) {
		memcpy(payload + FILE_SIZE + 4, &wrong[i], 4);
		seal();
		refused("do not fit together");
	}
}

static void an_image_is_placed_and_moved(void **state)
{
	uint64_t *target = aligned_alloc(PAGE, header()->load_size), *other;
	uint64_t base = (uint64_t)(uintptr_t)target;

	memset(target, 0xff, header()->load_size);
	monitor_image_place(blob(), (uint8_t *)target);
	assert_int_equal(target[2 * PAGE / 8], base + 1);
	assert_int_equal(target[2 * PAGE / 8 + 1], base + 2);
	assert_int_equal(target[FILE_SIZE / 8 - 1], base + 3);
	for (unsigned i = FILE_SIZE / 8; i < header()->load_size / 8; i++)
		assert_int_equal(target[i], 0);
	other = aligned_alloc(PAGE, header()->load_size);
	monitor_image_place(blob(), (uint8_t *)other);
	assert_int_equal(other[2 * PAGE / 8] - (uint64_t)(uintptr_t)other, 1);
	free(other);
	free(target);
}

/* ---- Sections of a PE image ---- */

#define PE_SIZE 0x3000u

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
	memcpy(at, &value, bytes);
}

static uint8_t *make_pe(void)
{
	uint8_t *pe = calloc(1, PE_SIZE);

	memcpy(pe, "MZ", 2);
	put(pe + 0x3c, 0x40, 4);
	memcpy(pe + 0x40, "PE\0\0", 4);
	put(pe + 0x46, 2, 2);
	put(pe + 0x54, 0xf0, 2);
	memcpy(pe + 0x148, ".text", 5);
	memcpy(pe + 0x170, ".payload", 8);
	put(pe + 0x178, 0x123, 4);
	put(pe + 0x17c, 0x2000, 4);
	return pe;
}

static bool find(uint8_t *pe, size_t size, const char *name, struct blob *section)
{
	return image_section((struct blob){ pe, size }, name, section);
}

static void a_section_is_found(void **state)
{
	uint8_t *pe = make_pe();
	struct blob section;

	assert_true(find(pe, PE_SIZE, ".payload", &section));
	assert_ptr_equal(section.data, pe + 0x2000);
	assert_int_equal(section.size, 0x123);
	assert_true(find(pe, PE_SIZE, ".text", &section));
	assert_false(find(pe, PE_SIZE, ".payloa", &section));
	assert_false(find(pe, PE_SIZE, ".payload2", &section));
	assert_false(find(pe, PE_SIZE, ".texts", &section));
	assert_false(find(pe, PE_SIZE, "", &section));
	free(pe);
}

static void headers_that_lie_are_refused(void **state)
{
	static const struct {
		unsigned at, bytes;
		uint32_t value;
	} lies[] = { { 0, 2, 0 }, { 0x3c, 4, PE_SIZE - 8 }, { 0x3c, 4, 0xffffffff }, { 0x40, 4, 0 },
		{ 0x46, 2, 1 }, { 0x46, 2, 0xffff }, { 0x54, 2, 0xffff }, { 0x178, 4, 0x1001 },
		{ 0x178, 4, 0xffffffff }, { 0x17c, 4, PE_SIZE }, { 0x17c, 4, 0xfffffff0 } };
	struct blob section;

	for (unsigned i = 0; i < COUNT(lies); i++) {
		uint8_t *pe = make_pe();

		put(pe + lies[i].at, lies[i].value, lies[i].bytes);
		assert_false(find(pe, PE_SIZE, ".payload", &section));
		free(pe);
	}
}

static void a_cut_pe_is_refused(void **state)
{
	uint8_t *pe = make_pe();
	struct blob section;

	for (size_t size = 0; size < 0x2123; size += size < 0x200 ? 1 : 0x100) {
		uint8_t *part = malloc(size ? size : 1);

		memcpy(part, pe, size);
		assert_false(find(part, size, ".payload", &section));
		free(part);
	}
	free(pe);
}

/* ---- SHA-256, text, records ---- */

static void digests_are_those_of_the_standard(void **state)
{
	static const struct {
		const char *text;
		unsigned repeat;
		uint8_t first[4];
	} known[] = { { "", 1, { 0xe3, 0xb0, 0xc4, 0x42 } },
		{ "abc", 1, { 0xba, 0x78, 0x16, 0xbf } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		    { 0x24, 0x8d, 0x6a, 0x61 } },
		{ "a", 1000000, { 0xcd, 0xc7, 0x6e, 0x5c } } };

	for (unsigned i = 0; i < COUNT(known); i++) {
		struct sha256 hash;
		uint8_t digest[32];

		sha256_start(&hash);
		for (unsigned n = 0; n < known[i].repeat; n++)
			sha256_add(&hash, known[i].text, strlen(known[i].text));
		sha256_end(&hash, digest);
		assert_memory_equal(digest, known[i].first, 4);
	}
}

static void text_is_formatted(void **state)
{
	char out[32];

	text_format(out, sizeof(out), "%s|%c|%u|%x|%%", "ab", 'c', 4294967295u, 0xdeadu);
	assert_string_equal(out, "ab|c|4294967295|dead|%");
	text_format(out, sizeof(out), "%lu %016lx", 18446744073709551615ul, 0xabcul);
	assert_string_equal(out, "18446744073709551615 0000000000");
	text_format(out, sizeof(out), "%4u|%02x|%x", 7u, 5u, 0u);
	assert_string_equal(out, "   7|05|0");
	assert_int_equal(text_format(out, 4, "abcdef"), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(text_format(out, 1, "abc"), 0);
	assert_int_equal(text_format(NULL, 0, "abc"), 0);
}

static void records_are_judged(void **state)
{
	struct panic_record record = { .magic = PANIC_RECORD_MAGIC, .length = 5, .text = "panic" };
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, &record.length, 4);
	sha256_add(&hash, "panic", 5);
	sha256_end(&hash, record.digest);
	assert_true(record_valid(&record));
	record.text[0] = 'P';
	assert_false(record_valid(&record));
	record.text[0] = 'p';
	record.length = 4;
	assert_false(record_valid(&record));
	record.length = PANIC_TEXT_BYTES + 1;
	assert_false(record_valid(&record));
	record.length = 5;
	record.magic++;
	assert_false(record_valid(&record));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(a_whole_image_passes, set_up, tear_down),
	cmocka_unit_test_setup_teardown(every_damaged_byte_is_found, set_up, tear_down),
	cmocka_unit_test_setup_teardown(a_cut_image_is_found, set_up, tear_down),
	cmocka_unit_test_setup_teardown(wrong_headers_are_refused, set_up, tear_down),
	cmocka_unit_test_setup_teardown(wrong_relocations_are_refused, set_up, tear_down),
	cmocka_unit_test_setup_teardown(an_image_is_placed_and_moved, set_up, tear_down),
	cmocka_unit_test(a_section_is_found),
	cmocka_unit_test(headers_that_lie_are_refused),
	cmocka_unit_test(a_cut_pe_is_refused),
	cmocka_unit_test(digests_are_those_of_the_standard),
	cmocka_unit_test(text_is_formatted),
	cmocka_unit_test(records_are_judged),
};

UNIT_MAIN(tests)
