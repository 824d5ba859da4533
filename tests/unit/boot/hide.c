/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/hide.c on tables built here: devices. Tables are hidden in iommu.c's test.
 */
#include "boot/hide.h"
#include "tests/unit/unit.h"

#define BASE 0x100000u
#define SIZE 4096u
#define RSDP 0u
#define XSDT 64u
#define RSDT 192u
#define FADT 256u
#define DSDT 1024u
#define SSDT 2048u
#define NAME "MSFT0101"

static uint8_t memory[SIZE];
static uint64_t locked; /* cannot be written */
static unsigned writes;

static const uint8_t *map(void *context, uint64_t address, uint64_t length)
{
	assert_ptr_equal(context, &locked);
	if (address < BASE || address - BASE > SIZE || length > SIZE - (address - BASE))
		return NULL;
	return memory + (address - BASE);
}

static bool write_byte(void *context, uint64_t address, uint8_t value)
{
	assert_ptr_equal(context, &locked);
	assert_true(address >= BASE && address - BASE < SIZE);
	writes++;
	if (address == BASE + locked)
		return false;
	memory[address - BASE] = value;
	return true;
}

static const struct acpi_memory ways = { map, write_byte, &locked };

static void put(unsigned at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory[at + i] = (uint8_t)(value >> 8 * i);
}

static unsigned length_of(unsigned at)
{
	return memory[at + 4] | (unsigned)memory[at + 5] << 8;
}

static uint8_t sum(unsigned at, unsigned length)
{
	uint8_t all = 0;

	for (unsigned i = 0; i < length; i++)
		all = (uint8_t)(all + memory[at + i]);
	return all;
}

static void fix(unsigned at, unsigned length, unsigned sum_at)
{
	memory[sum_at] = 0;
	memory[sum_at] = (uint8_t)-sum(at, length);
}

static void table(unsigned at, const char *signature, unsigned length)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, length, 4);
	fix(at, length, at + 9);
}

/* Name (_HID, "...") at `at`. */
static void name(unsigned at, const char *text)
{
	static const uint8_t hid[] = { 0x08, '_', 'H', 'I', 'D', 0x0d };

	memcpy(memory + at, hid, sizeof(hid));
	memcpy(memory + at + sizeof(hid), text, strlen(text) + 1);
}

#define TEXT_AT 6u /* in a name */

/* FADT and an SSDT in the XSDT, the FADT in the RSDT as well. */
static int build(void **state)
{
	memset(memory, 0, SIZE);
	locked = 1u << 20;
	writes = 0;
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 16, BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + XSDT, 8);
	fix(RSDP, 20, RSDP + 8);
	fix(RSDP, 36, RSDP + 32);
	put(XSDT + 36, BASE + FADT, 8);
	put(XSDT + 44, BASE + SSDT, 8);
	table(XSDT, "XSDT", 52);
	put(RSDT + 36, BASE + FADT, 4);
	table(RSDT, "RSDT", 40);
	put(FADT + 40, BASE + DSDT, 4);
	table(FADT, "FACP", 116);
	name(DSDT + 50, "PNP0C31");
	name(DSDT + 80, NAME);
	table(DSDT, "DSDT", 200);
	name(SSDT + 36, NAME);
	name(SSDT + 100 - TEXT_AT - 9, NAME); /* its last byte is the table's */
	table(SSDT, "SSDT", 100);
	return 0;
}

static bool hide(void)
{
	return hide_device(BASE + RSDP, &ways, NAME);
}

static void everywhere_and_nothing_else(void **state)
{
	uint8_t before[SIZE];

	memcpy(before, memory, SIZE);
	assert_true(hide());
	before[DSDT + 80 + TEXT_AT] = before[SSDT + 36 + TEXT_AT] = before[SSDT + 100 - 9] = 'X';
	before[DSDT + 9] = memory[DSDT + 9];
	before[SSDT + 9] = memory[SSDT + 9];
	assert_memory_equal(before, memory, SIZE);
	assert_int_equal(sum(DSDT, length_of(DSDT)), 0);
	assert_int_equal(sum(SSDT, length_of(SSDT)), 0);
	assert_int_equal(writes, 6); /* the DSDT is reached twice, and changed once */
	assert_true(hide());
	assert_int_equal(writes, 6);
}

static void a_whole_string_or_none(void **state)
{
	name(DSDT + 80, NAME "2");
	memory[SSDT + 36 + 5] = 0x0e; /* no string */
	memory[SSDT + 99] = 'x';      /* its end is not there */
	fix(DSDT, 200, DSDT + 9);
	fix(SSDT, 100, SSDT + 9);
	assert_true(hide());
	assert_int_equal(writes, 0);
}

static void beyond_the_end_is_not_looked_at(void **state)
{
	put(SSDT + 4, 99, 4);
	fix(SSDT, 99, SSDT + 9);
	assert_true(hide());
	assert_int_equal(memory[SSDT + 100 - 9], 'M');
	assert_int_equal(memory[SSDT + 36 + TEXT_AT], 'X');
}

static void a_damaged_table_is_left_alone(void **state)
{
	memory[SSDT + 9]++;
	put(DSDT + 4, 35, 4);
	assert_true(hide());
	assert_int_equal(writes, 0);
}

static void what_cannot_be_changed_stays(void **state)
{
	const unsigned places[] = { DSDT + 80 + TEXT_AT, DSDT + 9 };
	uint8_t before[SIZE];

	for (unsigned i = 0; i < 2; i++) {
		build(NULL);
		memcpy(before, memory, SIZE);
		locked = places[i];
		assert_false(hide());
		assert_memory_equal(before + DSDT, memory + DSDT, 200);
		assert_int_equal(memory[SSDT + 36 + TEXT_AT], 'X');
	}
}

static void without_tables(void **state)
{
	assert_true(hide_device(0, &ways, NAME));
	put(FADT + 40, 0, 4);
	fix(FADT, 116, FADT + 9);
	put(XSDT + 44, 0, 8);
	fix(XSDT, 52, XSDT + 9);
	assert_true(hide());
	assert_int_equal(writes, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(everywhere_and_nothing_else, build),
	cmocka_unit_test_setup(a_whole_string_or_none, build),
	cmocka_unit_test_setup(beyond_the_end_is_not_looked_at, build),
	cmocka_unit_test_setup(a_damaged_table_is_left_alone, build),
	cmocka_unit_test_setup(what_cannot_be_changed_stays, build),
	cmocka_unit_test_setup(without_tables, build),
};

UNIT_MAIN(tests)
