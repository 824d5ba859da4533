/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/dmar.c: tables as QEMU gives them, tables with the structures that boards have, and each way
 * to spoil one.
 */
#include "tests/unit/boot/iommu_tables.h"

#define HEAD	      48u
#define WIDTH	      36u
#define ENDPOINT      1u
#define BRIDGE	      2u
#define IOAPIC	      3u
#define HPET	      4u
#define NAMESPACE     5u
#define DAMAGED	      IOMMU_TABLES_DAMAGED
#define CONTRADICTORY IOMMU_TABLES_CONTRADICTORY

/* QEMU 7.2, q35 with intel-iommu alone, and with more devices and interrupt remapping. */
static const uint8_t qemu_plain[] = { 0x44, 0x4d, 0x41, 0x52, 0x78, 0, 0, 0, 1, 0x0d, 0x42, 0x4f,
	0x43, 0x48, 0x53, 0x20, 0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20, 1, 0, 0, 0, 0x42,
	0x58, 0x50, 0x43, 1, 0, 0, 0, 0x26, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0, 0, 0, 0,
	0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, 0x03, 0x08, 0, 0, 0, 0xff, 0, 0, 1, 0x08, 0, 0, 0, 0, 0, 0,
	1, 0x08, 0, 0, 0, 0, 1, 0, 1, 0x08, 0, 0, 0, 0, 0x02, 0, 1, 0x08, 0, 0, 0, 0, 0x1f, 0, 1,
	0x08, 0, 0, 0, 0, 0x1f, 0x02, 1, 0x08, 0, 0, 0, 0, 0x1f, 0x03 };
static const uint8_t qemu_bridge[] = { 0x44, 0x4d, 0x41, 0x52, 0x90, 0, 0, 0, 1, 0xb7, 0x42, 0x4f,
	0x43, 0x48, 0x53, 0x20, 0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20, 1, 0, 0, 0, 0x42,
	0x58, 0x50, 0x43, 1, 0, 0, 0, 0x2f, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x58, 0, 0, 0, 0,
	0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, 0x03, 0x08, 0, 0, 0, 0xff, 0, 0, 1, 0x08, 0, 0, 0, 0, 0, 0,
	1, 0x08, 0, 0, 0, 0, 1, 0, 1, 0x08, 0, 0, 0, 0, 0x02, 0, 1, 0x08, 0, 0, 0, 0, 0x03, 0, 0x02,
	0x08, 0, 0, 0, 0, 0x04, 0, 1, 0x08, 0, 0, 0, 0, 0x1f, 0, 1, 0x08, 0, 0, 0, 0, 0x1f, 0x02, 1,
	0x08, 0, 0, 0, 0, 0x1f, 0x03, 0x02, 0, 0x08, 0, 1, 0, 0, 0 };

/* ---- Structures ---- */

static uint32_t structure(uint32_t type, uint32_t segment)
{
	uint32_t at = here();

	add(type, 2);
	add(8, 2);
	add(0, 2);
	add(segment, 2);
	return at;
}

static uint32_t drhd(uint32_t flags, uint32_t segment, uint64_t base)
{
	uint32_t at = structure(0, segment);

	memory[TABLE + at + 4] = (uint8_t)flags;
	add(base, 8);
	close_structure(at);
	return at;
}

static uint32_t rmrr(uint64_t base, uint64_t limit)
{
	uint32_t at = structure(1, 0);

	add(base, 8);
	add(limit, 8);
	close_structure(at);
	return at;
}

/* Adds a scope of one or two steps to the structure at `at`. */
static uint32_t scope(uint32_t at, uint32_t type, uint32_t bus, uint32_t path)
{
	uint32_t start = here();
	bool long_path = path > 0xffff;

	add(type, 1);
	add(long_path ? 10 : 8, 1);
	add(0, 3);
	add(bus, 1);
	add(path, long_path ? 4 : 2);
	close_structure(at);
	return start;
}

static void other(uint32_t type, uint32_t length)
{
	uint32_t at = structure(type, 0);

	while (here() - at < length)
		add(0x20, 1);
	close_structure(at);
}

static void start(void)
{
	list_tables(TABLE, 0);
	begin(TABLE, "DMAR", HEAD);
	memory[TABLE + WIDTH] = 38;
}

static int set_up(void **state)
{
	memset(memory, 0, sizeof(memory));
	start();
	return 0;
}

static struct bootinfo_iommu vtd(uint64_t base, uint32_t flags)
{
	return (struct bootinfo_iommu){ .base = base,
		.kind = BOOTINFO_IOMMU_VTD,
		.flags = flags,
		.pages = 1 };
}

/* As a laptop has it: a unit for its display, one for the rest, two ranges, a device by name. */
static void laptop(void)
{
	uint32_t at;

	start();
	scope(drhd(0, 0, 0xfed90000), ENDPOINT, 0, 0x0002);
	at = drhd(1, 0, 0xfed91000);
	scope(at, IOAPIC, 0xf0, 0x001f);
	scope(at, HPET, 0, 0x000f);
	scope(at, NAMESPACE, 0, 0x0017);
	at = rmrr(0xa2ef2000, 0xa2f02fff);
	scope(at, ENDPOINT, 0, 0x001d);
	scope(at, ENDPOINT, 0, 0x0014);
	scope(rmrr(0xa3800000, 0xa7ffffff), ENDPOINT, 0, 0x0002);
	other(4, 0x1c);
	finish(TABLE);
}

/* ---- What is found ---- */

static void qemus_tables_are_read(void **state)
{
	struct bootinfo_iommu unit = vtd(0xfed90000, 0);

	copy_table(TABLE, qemu_plain, sizeof(qemu_plain));
	finds(1, 0);
	unit_is(0, &unit);
	assert_int_equal(found.address_bits, 39);
	copy_table(TABLE, qemu_bridge, sizeof(qemu_bridge));
	finds(1, 0);
	unit_is(0, &unit);
	assert_int_equal(found.address_bits, 48);
	assert_int_equal(found.skipped, 0);
}

static void a_laptops_table_is_read(void **state)
{
	struct bootinfo_iommu display = vtd(0xfed90000, 0);
	struct bootinfo_iommu rest = vtd(0xfed91000, BOOTINFO_IOMMU_ALL);

	laptop();
	finds(2, 2);
	unit_is(0, &display);
	unit_is(1, &rest);
	range_is(0, 0xa2ef2000, 0x11);
	range_is(1, 0xa3800000, 0x4800);
	assert_int_equal(found.address_bits, 39);
	assert_int_equal(found.skipped, 0);
}

/* Segments, more than one page of registers, units sorted; every other structure there is. */
static void a_servers_table_is_read(void **state)
{
	uint32_t at = drhd(0, 1, 0xe0ffc000);

	memory[TABLE + at + 5] = 0xf1; /* two pages; the other bits are reserved */
	scope(at, BRIDGE, 0x80, 0x0002);
	scope(at, BRIDGE, 0x80, 0x00000102);
	at = drhd(0, 0, 0xd37fc000);
	scope(at, BRIDGE, 0x80, 0x0002); /* the same place in another segment */
	drhd(1, 0, 0xc5ffc000);
	drhd(1, 1, 0xc5ffd000);
	at = structure(2, 0);
	scope(at, BRIDGE, 0x80, 0x0002);
	other(3, 20);
	at = structure(5, 0);
	scope(at, ENDPOINT, 0, 0x0014);
	at = structure(6, 0);
	scope(at, ENDPOINT, 0, 0x0014);
	finish(TABLE);
	finds(4, 0);
	assert_int_equal(found.unit[0].base, 0xc5ffc000);
	assert_int_equal(found.unit[0].flags, BOOTINFO_IOMMU_ALL);
	assert_int_equal(found.unit[1].base, 0xc5ffd000);
	assert_int_equal(found.unit[1].segment, 1);
	assert_int_equal(found.unit[2].base, 0xd37fc000);
	assert_int_equal(found.unit[3].base, 0xe0ffc000);
	assert_int_equal(found.unit[3].pages, 2);
	assert_int_equal(found.skipped, 0);
}

static void a_table_without_units_is_none(void **state)
{
	finish(TABLE);
	finds(0, 0);
	rmrr(0xa0000000, 0xa0000fff);
	finish(TABLE);
	finds(0, 1);
}

static void unknown_types_are_skipped(void **state)
{
	uint32_t at;

	other(7, 9);
	at = drhd(1, 0, 0xfed90000);
	scope(at, 6, 0, 0);
	at = rmrr(0xa0000000, 0xa0000fff);
	scope(at, 0, 0, 0);
	other(0xffff, 8);
	finish(TABLE);
	finds(1, 1);
	assert_int_equal(found.skipped, 4);
}

/* ---- What is refused ---- */

static void heads_are_checked(void **state)
{
	drhd(0, 0, 0xfed90000);
	memory[TABLE + WIDTH] = 51;
	finish(TABLE);
	finds(1, 0);
	memory[TABLE + WIDTH] = 52;
	finish(TABLE);
	refused(DAMAGED, WIDTH, "addresses have more bits than any machine's");
	memory[TABLE + WIDTH] = 255;
	finish(TABLE);
	refused(DAMAGED, WIDTH, "addresses have more bits than any machine's");
	end = TABLE + HEAD - 1;
	finish(TABLE);
	refused(DAMAGED, 0, "the table is shorter than its head");
}

/* Each type with its shortest length, and one byte less; nothing and less than a head, too. */
static void structures_have_their_lengths(void **state)
{
	static const uint32_t minimum[] = { 16, 24, 8, 20, 8, 8, 8 };

	for (uint32_t type = 0; type < COUNT(minimum); type++)
		for (uint32_t length = 0; length <= minimum[type]; length++) {
			uint32_t at;

			start();
			at = rmrr(0xa0000000, 0xa0000fff);
			put(TABLE + at, type, 2);
			put(TABLE + at + 2, length, 2);
			end = TABLE + at + minimum[type];
			if (type == 0)
				put(TABLE + at + 8, 0xa0000000, 8);
			finish(TABLE);
			if (length == minimum[type])
				finds(type == 0, type == 1);
			else
				refused(DAMAGED, at,
				    "a structure is shorter than one of its type can be");
		}
}

static void structures_end_within_the_table(void **state)
{
	uint32_t at;

	laptop();
	at = drhd(0, 1, 0xfed92000);
	put(TABLE + at + 2, 17, 2);
	finish(TABLE);
	refused(DAMAGED, at, "a structure ends beyond the table");
	put(TABLE + at + 2, 0xffff, 2);
	finish(TABLE);
	refused(DAMAGED, at, "a structure ends beyond the table");
	for (uint32_t left = 1; left < 4; left++) {
		end = TABLE + at + left;
		finish(TABLE);
		refused(DAMAGED, at, "the table ends within the head of a structure");
	}
	put(TABLE + at, 0x1234, 2); /* of a type that is not known */
	put(TABLE + at + 2, 3, 2);
	end = TABLE + at + 16;
	finish(TABLE);
	refused(DAMAGED, at, "a structure is shorter than one of its type can be");
	put(TABLE + at + 2, 17, 2);
	finish(TABLE);
	refused(DAMAGED, at, "a structure ends beyond the table");
}

/* In every structure that has scopes. */
static void scopes_have_their_lengths(void **state)
{
	static const uint8_t types[] = { 0, 1, 2, 5, 6 };
	static const struct {
		unsigned length;
		const char *complaint;
	} cases[] = {
		{ 0, "a device scope has no path" },
		{ 6, "a device scope has no path" },
		{ 7, "a device scope has no path" },
		{ 9, "a device scope's path ends within a step" },
		{ 11, "a device scope ends beyond its structure" },
		{ 255, "a device scope ends beyond its structure" },
	};

	for (unsigned t = 0; t < COUNT(types); t++)
		for (unsigned i = 0; i < COUNT(cases); i++) {
			uint32_t at, bad;

			start();
			at = types[t] == 0  ? drhd(1, 0, 0xfed90000)
			    : types[t] == 1 ? rmrr(0xa0000000, 0xa0000fff)
					    : structure(types[t], 0);
			scope(at, ENDPOINT, 0, 1);
			bad = scope(at, ENDPOINT, 0, 0x10001);
			memory[TABLE + bad + 1] = (uint8_t)cases[i].length;
			finish(TABLE);
			refused(DAMAGED, bad, cases[i].complaint);
			end = TABLE + bad + 1;
			close_structure(at);
			finish(TABLE);
			refused(DAMAGED, bad, "a device scope ends beyond its structure");
		}
}

static void a_units_scopes_are_of_known_types(void **state)
{
	uint32_t at = drhd(0, 0, 0xfed90000);
	uint32_t bad = scope(at, NAMESPACE, 0, 0);

	finish(TABLE);
	finds(1, 0);
	for (unsigned type = 0; type < 256; type += type ? 1 : 6) {
		memory[TABLE + bad] = (uint8_t)type;
		finish(TABLE);
		refused(IOMMU_TABLES_UNSUPPORTED, bad,
		    "a unit's device scope is of a type that is not known");
	}
}

static void the_unit_for_all_is_one_and_last(void **state)
{
	uint32_t at;

	drhd(1, 0, 0xfed90000);
	drhd(0, 1, 0xfed91000);
	at = drhd(1, 0, 0xfed92000);
	finish(TABLE);
	refused(CONTRADICTORY, at, "a segment has two units for all its devices");
	memory[TABLE + at + 4] = 0;
	finish(TABLE);
	refused(CONTRADICTORY, at, "a unit comes behind the one for all devices of its segment");
	memory[TABLE + at + 6] = 1;
	finish(TABLE);
	finds(3, 0);
}

static void a_device_has_one_unit(void **state)
{
	uint32_t first = drhd(0, 0, 0xfed90000), second, bad;

	scope(first, ENDPOINT, 0, 0x0002);
	scope(first, BRIDGE, 0, 0x0000001c);
	scope(first, BRIDGE, 0, 0x0001001c);
	scope(first, BRIDGE, 0, 0x0001001c); /* twice in one unit says nothing wrong */
	second = drhd(0, 0, 0xfed91000);
	scope(second, ENDPOINT, 0, 0x0102);
	scope(second, ENDPOINT, 1, 0x0002);
	bad = scope(second, ENDPOINT, 0, 0x0002001c);
	finish(TABLE);
	finds(2, 0);
	put(TABLE + bad + 6, 0x0a02001c, 4); /* a path of one step, and the scope behind it */
	finish(TABLE);
	finds(2, 0);
	put(TABLE + bad + 6, 0x0001001c, 4);
	finish(TABLE);
	refused(CONTRADICTORY, bad, "a device is in the scopes of two units");
	put(TABLE + second + 6, 1, 2);
	finish(TABLE);
	finds(2, 0);
	put(TABLE + second + 6, 0, 2);
	end = TABLE + bad;
	bad = scope(second, IOAPIC, 0, 0x0002); /* however it is typed */
	finish(TABLE);
	refused(CONTRADICTORY, bad, "a device is in the scopes of two units");
}

static void ranges_are_checked(void **state)
{
	static const struct {
		uint64_t base, limit;
		const char *complaint;
	} cases[] = {
		{ 0xa0000000, 0x9fffffff, "a reserved range ends before it begins" },
		{ 1, 0, "a reserved range ends before it begins" },
		{ 0xa0000000, 0xa0000000, "a reserved range does not consist of pages" },
		{ 0xa0000000, 0xa0001000, "a reserved range does not consist of pages" },
		{ 0xa0000800, 0xa00017ff, "a reserved range does not consist of pages" },
		{ 0xa0000001, 0xa0001000, "a reserved range does not consist of pages" },
		{ 0, 0, "a reserved range does not consist of pages" },
		{ 0, ~0ull, "a reserved range is empty or larger than 1 GiB" },
		{ 0x80000000, 0xc0000fff, "a reserved range is empty or larger than 1 GiB" },
		{ 1ull << 52, (1ull << 52) + 0xfff, "a reserved range lies beyond all memory" },
		{ ~0ull - 0xfff, ~0ull, "a reserved range lies beyond all memory" },
		{ (1ull << 52) - 0x1000, (1ull << 52) + 0xfff,
		    "a reserved range lies beyond all memory" },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint32_t at;

		start();
		drhd(1, 0, 0xfed90000);
		rmrr(0x80000000, 0xbfffffff);
		rmrr((1ull << 52) - 0x1000, (1ull << 52) - 1);
		at = rmrr(cases[i].base, cases[i].limit);
		finish(TABLE);
		refused(DAMAGED, at, cases[i].complaint);
		assert_int_equal(found.range_count, 2); /* what was read before counts */
		range_is(0, 0x80000000, 0x40000);
		range_is(1, (1ull << 52) - 0x1000, 1);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(qemus_tables_are_read, set_up),
	cmocka_unit_test_setup(a_laptops_table_is_read, set_up),
	cmocka_unit_test_setup(a_servers_table_is_read, set_up),
	cmocka_unit_test_setup(a_table_without_units_is_none, set_up),
	cmocka_unit_test_setup(unknown_types_are_skipped, set_up),
	cmocka_unit_test_setup(heads_are_checked, set_up),
	cmocka_unit_test_setup(structures_have_their_lengths, set_up),
	cmocka_unit_test_setup(structures_end_within_the_table, set_up),
	cmocka_unit_test_setup(scopes_have_their_lengths, set_up),
	cmocka_unit_test_setup(a_units_scopes_are_of_known_types, set_up),
	cmocka_unit_test_setup(the_unit_for_all_is_one_and_last, set_up),
	cmocka_unit_test_setup(a_device_has_one_unit, set_up),
	cmocka_unit_test_setup(ranges_are_checked, set_up),
};

UNIT_MAIN(tests)
