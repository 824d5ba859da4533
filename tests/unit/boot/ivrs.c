/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/ivrs.c: tables as QEMU gives them, tables with the blocks that boards have, and each way to
 * spoil one.
 */
#include "tests/unit/boot/iommu_tables.h"

#define HEAD	      48u
#define IVINFO	      36u
#define DAMAGED	      IOMMU_TABLES_DAMAGED
#define CONTRADICTORY IOMMU_TABLES_CONTRADICTORY
#define UNIT	      0x0002u /* 00:00.2 */
#define REGISTERS     0xfd200000u
#define COUNTERS      0x00048000u /* in the features: four counters in two banks */
#define EFR_COUNTERS  0x200u

/* QEMU 7.2, q35 with amd-iommu alone, and with more devices and interrupt remapping. */
static const uint8_t qemu_plain[] = { 0x49, 0x56, 0x52, 0x53, 0x6c, 0, 0, 0, 1, 0x19, 0x42, 0x4f,
	0x43, 0x48, 0x53, 0x20, 0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20, 1, 0, 0, 0, 0x42,
	0x58, 0x50, 0x43, 1, 0, 0, 0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xd1, 0x3c, 0,
	0x18, 0, 0x40, 0, 0, 0, 0xd8, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 0x02, 0, 0, 0,
	0x02, 0x08, 0, 0, 0x02, 0x10, 0, 0, 0x02, 0x18, 0, 0, 0x02, 0xf8, 0, 0, 0x02, 0xfa, 0, 0,
	0x02, 0xfb, 0, 0, 0x48, 0, 0, 0, 0, 0xa0, 0, 1 };
static const uint8_t qemu_bridge[] = { 0x49, 0x56, 0x52, 0x53, 0x7c, 0, 0, 0, 1, 0xa5, 0x42, 0x4f,
	0x43, 0x48, 0x53, 0x20, 0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20, 1, 0, 0, 0, 0x42,
	0x58, 0x50, 0x43, 1, 0, 0, 0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0xd1, 0x4c, 0,
	0x18, 0, 0x40, 0, 0, 0, 0xd8, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0x44, 0, 0, 0, 0x02, 0, 0, 0,
	0x02, 0x08, 0, 0, 0x02, 0x10, 0, 0, 0x02, 0x18, 0, 0, 0x02, 0x20, 0, 0, 0x02, 0x28, 0, 0,
	0x03, 0, 1, 0, 0x04, 0xff, 1, 0, 0x02, 0xf8, 0, 0, 0x02, 0xfa, 0, 0, 0x02, 0xfb, 0, 0, 0x48,
	0, 0, 0, 0, 0xa0, 0, 1 };

/* ---- Blocks ---- */

static uint32_t ivhd(uint32_t type, uint32_t device, uint64_t base)
{
	uint32_t at = here();

	add(type | 0xb000, 2);
	add(0, 2);
	add(device, 2);
	add(0x40, 2);
	add(base, 8);
	add(0, 4);
	add(0, type == 0x10 ? 4 : 20);
	close_structure(at);
	return at;
}

static uint32_t ivmd(uint32_t type, uint64_t base, uint64_t length)
{
	uint32_t at = here();

	add(type | 0x0700, 2);
	add(0, 12);
	put(TABLE + at + 2, 32, 2);
	end = TABLE + at + 16;
	add(base, 8);
	add(length, 8);
	return at;
}

/* Adds a device entry of four bytes to the block at `at`, or of eight. */
static uint32_t entry(uint32_t at, uint32_t type, uint32_t device)
{
	uint32_t start = here();

	add(type, 1);
	add(device, 2);
	add(0, 1);
	close_structure(at);
	return start;
}

static uint32_t wide_entry(uint32_t at, uint32_t type, uint32_t device, uint32_t source)
{
	uint32_t start = entry(at, type, device);

	add(0, 1);
	add(source, 2);
	add(1, 1);
	close_structure(at);
	return start;
}

static uint32_t named_entry(uint32_t at, uint32_t device, uint32_t name_length)
{
	uint32_t start = entry(at, 0xf0, device);

	add(0, 8);
	add(0, 8);
	add(2, 1);
	add(name_length, 1);
	for (uint32_t i = 0; i < name_length; i++)
		add('0', 1);
	close_structure(at);
	return start;
}

/*
 * What a board's unit has: nearly all devices, those behind a bridge by its name, three interrupt
 * sources.
 */
static void all_entries(uint32_t at)
{
	entry(at, 3, 0x0003);
	entry(at, 4, 0xfffe);
	wide_entry(at, 0x43, 0xff00, 0x00a5);
	entry(at, 4, 0xffff);
	entry(at, 0, 0);
	wide_entry(at, 0x48, 0, 0x00a0);
	wide_entry(at, 0x48, 0, 0x00a0);
	wide_entry(at, 0x48, 0, 0x0001);
}

static void start(void)
{
	list_tables(TABLE, 0);
	begin(TABLE, "IVRS", HEAD);
	put(TABLE + IVINFO, 0x00203043, 4);
}

static int set_up(void **state)
{
	memset(memory, 0, sizeof(memory));
	start();
	return 0;
}

static struct bootinfo_iommu amdvi(uint64_t base, uint16_t device, uint32_t pages)
{
	return (struct bootinfo_iommu){ .base = base,
		.kind = BOOTINFO_IOMMU_AMDVI,
		.flags = BOOTINFO_IOMMU_ALL,
		.device = device,
		.pages = pages };
}

/* As a laptop has it: the unit by a block of each type, two ranges among them. */
static void laptop(void)
{
	uint32_t at;

	start();
	at = ivhd(0x10, UNIT, REGISTERS);
	put(TABLE + at + 20, 0x80048f6e, 4);
	all_entries(at);
	at = ivhd(0x11, UNIT, REGISTERS);
	put(TABLE + at + 20, COUNTERS, 4);
	put(TABLE + at + 24, 0x246577efa2254afa, 8);
	all_entries(at);
	ivmd(0x21, 0x7d900000, 0x100000);
	ivmd(0x21, 0xb6000000, 0x20000);
	at = ivhd(0x40, UNIT, REGISTERS);
	put(TABLE + at + 20, COUNTERS, 4);
	put(TABLE + at + 24, 0x246577efa2254afa, 8);
	all_entries(at);
	named_entry(at, 0x00a5, 4);
	named_entry(at, 0x0060, 0);
	named_entry(at, 0x00a5, 9);
	finish(TABLE);
}

/* ---- What is found ---- */

static void qemus_tables_are_read(void **state)
{
	struct bootinfo_iommu unit = amdvi(0xfed80000, 0x18, 4);

	copy_table(TABLE, qemu_plain, sizeof(qemu_plain));
	finds(1, 0);
	unit_is(0, &unit);
	assert_int_equal(found.address_bits, 40);
	copy_table(TABLE, qemu_bridge, sizeof(qemu_bridge));
	finds(1, 0);
	unit_is(0, &unit);
	assert_int_equal(found.skipped, 0);
}

static void a_laptops_table_is_read(void **state)
{
	struct bootinfo_iommu unit = amdvi(REGISTERS, UNIT, 128);

	laptop();
	finds(1, 2);
	unit_is(0, &unit);
	range_is(0, 0x7d900000, 0x100);
	range_is(1, 0xb6000000, 0x20);
	assert_int_equal(found.address_bits, 48);
	assert_int_equal(found.skipped, 0);
}

/* Each die has a unit, for buses of its own; here in the order of their types. */
static void a_servers_table_is_read(void **state)
{
	static const uint32_t types[] = { 0x10, 0x11, 0x40 };
	static const uint64_t bases[] = { 0xe2100000, 0xb4100000, 0xc8500000 };
	uint32_t at;

	for (unsigned t = 0; t < COUNT(types); t++)
		for (unsigned i = 0; i < COUNT(bases); i++) {
			at = ivhd(types[t], UNIT + 0x2000 * i, bases[i]);
			entry(at, 3, 0x2000 * i + 3);
			entry(at, 4, 0x2000 * i + 0x1fff);
			wide_entry(at, 0x48, 0, 0x2000 * i + 1);
			if (types[t] != 0x10)
				put(TABLE + at + 24, i == 1 ? EFR_COUNTERS : 0, 8);
		}
	at = ivhd(0x10, UNIT, 0xd8000000);
	put(TABLE + at + 16, 1, 2); /* another segment */
	entry(at, 1, 0);
	finish(TABLE);
	finds(4, 0);
	for (unsigned i = 1; i < 4; i++)
		assert_true(found.unit[i].base > found.unit[i - 1].base);
	assert_int_equal(found.unit[0].device, 0x2002);
	assert_int_equal(found.unit[0].pages, 128);
	assert_int_equal(found.unit[1].device, 0x4002);
	assert_int_equal(found.unit[1].pages, 4);
	assert_int_equal(found.unit[2].segment, 1);
	assert_int_equal(found.unit[3].device, 0x0002);
}

static void the_newest_block_counts(void **state)
{
	static const uint32_t orders[][3] = { { 0x10, 0x11, 0x40 }, { 0x40, 0x11, 0x10 },
		{ 0x11, 0x40, 0x10 } };

	for (unsigned order = 0; order < COUNT(orders); order++) {
		start();
		for (unsigned i = 0; i < 3; i++) {
			uint32_t type = orders[order][i];
			uint32_t at = ivhd(type, UNIT, REGISTERS);

			put(TABLE + at + 20, type == 0x40 ? 0 : COUNTERS, 4);
		}
		finish(TABLE);
		finds(1, 0);
		assert_int_equal(found.unit[0].pages, 4);
	}
}

/* The registers are more where there are performance counters. */
static void counters_are_seen(void **state)
{
	static const struct {
		uint32_t type, features;
		uint64_t efr;
		uint32_t pages;
	} cases[] = {
		{ 0x10, 0, 0, 4 },
		{ 0x10, 1u << 13, 0, 4 },
		{ 0x10, 1u << 17, 0, 4 },
		{ 0x10, 1u << 13 | 1u << 17, 0, 128 },
		{ 0x10, 1u << 16 | 1u << 22, 0, 128 },
		{ 0x10, 1u << 12 | 1u << 23, 0, 4 },
		{ 0x11, 0, 0, 4 },
		{ 0x11, 0, EFR_COUNTERS, 128 },
		{ 0x40, 0, ~(uint64_t)EFR_COUNTERS, 4 },
		{ 0x40, 0, EFR_COUNTERS, 128 },
		{ 0x40, COUNTERS, 0, 128 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint32_t at;

		start();
		at = ivhd(cases[i].type, UNIT, REGISTERS);
		put(TABLE + at + 20, cases[i].features, 4);
		if (cases[i].type != 0x10)
			put(TABLE + at + 24, cases[i].efr, 8);
		else
			memset(memory + end, 0xff, 16); /* nothing behind it is looked at */
		finish(TABLE);
		finds(1, 0);
		assert_int_equal(found.unit[0].pages, cases[i].pages);
	}
}

static void unknown_types_are_skipped(void **state)
{
	uint32_t at = ivhd(0x11, UNIT, REGISTERS);

	entry(at, 5, 0);
	wide_entry(at, 0x41, 0, 0);
	entry(at, 0x80, 0);
	add(0, 12);
	close_structure(at);
	entry(at, 0xef, 0);
	add(0, 28);
	close_structure(at);
	at = ivmd(0x23, 1, 1);
	finish(TABLE);
	finds(1, 0);
	assert_int_equal(found.skipped, 5);
	memory[TABLE + at] = 0x1f;
	finish(TABLE);
	finds(1, 0);
}

/* ---- What is refused ---- */

static void heads_are_checked(void **state)
{
	ivhd(0x10, UNIT, REGISTERS);
	put(TABLE + IVINFO, 52u << 8 | ~0x7fffu, 4);
	finish(TABLE);
	finds(1, 0);
	assert_int_equal(found.address_bits, 52);
	put(TABLE + IVINFO, 53u << 8, 4);
	finish(TABLE);
	refused(DAMAGED, IVINFO, "addresses have more bits than any machine's");
	end = TABLE + HEAD - 1;
	finish(TABLE);
	refused(DAMAGED, 0, "the table is shorter than its head");
}

static void blocks_have_their_lengths(void **state)
{
	static const struct {
		uint32_t type, minimum;
	} cases[] = { { 0x10, 24 }, { 0x11, 40 }, { 0x40, 40 }, { 0x20, 32 }, { 0x21, 32 },
		{ 0x22, 32 }, { 0x50, 4 } };

	for (unsigned i = 0; i < COUNT(cases); i++)
		for (uint32_t length = 0; length <= cases[i].minimum; length++) {
			bool unit = cases[i].minimum % 16 == 8, range = cases[i].minimum == 32;
			uint32_t at;

			start();
			at = range ? ivmd(cases[i].type, 0xa0000000, 0x1000)
				   : ivhd(cases[i].type, UNIT, REGISTERS);
			put(TABLE + at + 2, length, 2);
			end = TABLE + at + cases[i].minimum;
			finish(TABLE);
			if (length == cases[i].minimum)
				finds(unit, range);
			else
				refused(DAMAGED, at,
				    "a structure is shorter than one of its type can be");
		}
}

static void blocks_end_within_the_table(void **state)
{
	uint32_t at;

	laptop();
	at = ivmd(0x20, 0xa0000000, 0x1000);
	put(TABLE + at + 2, 33, 2);
	finish(TABLE);
	refused(DAMAGED, at, "a structure ends beyond the table");
	memory[TABLE + at] = 0x77;
	finish(TABLE);
	refused(DAMAGED, at, "a structure ends beyond the table");
	end = TABLE + at + 3;
	finish(TABLE);
	refused(DAMAGED, at, "the table ends within the head of a structure");
}

static void entries_end_within_their_block(void **state)
{
	static const uint32_t lengths[] = { 4, 8, 16, 32 };
	uint32_t at, bad;

	for (unsigned kind = 0; kind < COUNT(lengths); kind++)
		for (uint32_t left = 1; left <= lengths[kind]; left++) {
			start();
			at = ivhd(0x11, UNIT, REGISTERS);
			entry(at, 2, 0x10);
			bad = entry(at, kind << 6, 0);
			end = TABLE + bad + left;
			close_structure(at);
			finish(TABLE);
			if (left == lengths[kind])
				finds(1, 0);
			else
				refused(DAMAGED, bad, "a device entry ends beyond its block");
		}
	for (uint32_t left = 1; left <= 25; left++) {
		start();
		at = ivhd(0x40, UNIT, REGISTERS);
		bad = named_entry(at, 0x60, 3);
		end = TABLE + bad + left;
		close_structure(at);
		finish(TABLE);
		if (left == 25)
			finds(1, 0);
		else
			refused(DAMAGED, bad, "a device entry ends beyond its block");
	}
}

static void entries_have_known_lengths(void **state)
{
	uint32_t at = ivhd(0x40, UNIT, REGISTERS), bad;

	entry(at, 2, 0x10);
	bad = named_entry(at, 0x60, 3);
	for (unsigned type = 0xf1; type < 256; type++) {
		memory[TABLE + bad] = (uint8_t)type;
		finish(TABLE);
		refused(IOMMU_TABLES_UNSUPPORTED, bad,
		    "a device entry is of a type whose length is not known");
	}
}

static void ranges_of_devices_begin_and_end(void **state)
{
	static const uint8_t starts[] = { 3, 0x43, 0x47 };
	uint32_t at, bad;

	for (unsigned i = 0; i < COUNT(starts); i++) {
		start();
		at = ivhd(0x10, UNIT, REGISTERS);
		if (starts[i] == 3)
			entry(at, 3, 0x100);
		else
			wide_entry(at, starts[i], 0x100, 0);
		bad = here();
		finish(TABLE);
		refused(CONTRADICTORY, bad, "a range of devices has no end");
		entry(at, 2, 0x1ff);
		finish(TABLE);
		refused(CONTRADICTORY, bad, "a range of devices has no end");
		memory[TABLE + bad] = 4;
		finish(TABLE);
		finds(1, 0);
		put(TABLE + bad + 1, 0x100, 2);
		finish(TABLE);
		finds(1, 0);
		put(TABLE + bad + 1, 0xff, 2);
		finish(TABLE);
		refused(CONTRADICTORY, bad, "a range of devices ends before it begins");
	}
	bad = entry(at, 4, 0x200);
	put(TABLE + bad - 3, 0x100, 2);
	finish(TABLE);
	refused(CONTRADICTORY, bad, "a range of devices has no beginning");
}

static void blocks_of_a_unit_agree(void **state)
{
	uint32_t at;

	ivhd(0x10, UNIT, REGISTERS);
	at = ivhd(0x10, UNIT, REGISTERS + 0x100000);
	finish(TABLE);
	refused(CONTRADICTORY, at, "a unit is described twice by blocks of one type");
	memory[TABLE + at] = 0x11;
	end = TABLE + at + 40;
	close_structure(at);
	finish(TABLE);
	refused(CONTRADICTORY, at, "two blocks of a unit name different registers");
	put(TABLE + at + 8, REGISTERS, 8);
	finish(TABLE);
	finds(1, 0);
	put(TABLE + at + 4, UNIT + 1, 2); /* another unit */
	finish(TABLE);
	refused(CONTRADICTORY, at, "a unit's registers overlap those of another");
}

/* The second unit's first entry is one of the first's, and is not. */
static void a_device_has_one_unit(void **state)
{
	static const struct {
		uint32_t type, device, source;
		bool other;
	} cases[] = {
		{ 2, 0x0fff, 0, false },
		{ 2, 0x1000, 0, true },
		{ 2, 0x1fff, 0, true },
		{ 2, 0x2000, 0, false },
		{ 2, 0x3000, 0, true },
		{ 2, 0x3100, 0, true },
		{ 2, 0x3200, 0, true },
		{ 2, 0x3300, 0, true },
		{ 2, 0x3400, 0, false }, /* the device behind an alias is another's to name */
		{ 1, 0, 0, true },
		{ 0, 0x1000, 0, false },
		{ 5, 0x1000, 0, false },
		{ 0x40, 0x1000, 0, false },
		{ 0x42, 0x1000, 0, true },
		{ 0x42, 0x4000, 0x1000, false },
		{ 0x46, 0x1000, 0, true },
		{ 0x48, 0x1000, 0x4000, false },
		{ 0x48, 0, 0x1000, true },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint32_t at, bad;

		start();
		at = ivhd(0x40, UNIT, REGISTERS);
		entry(at, 3, 0x1000);
		entry(at, 4, 0x1fff);
		entry(at, 2, 0x3000);
		wide_entry(at, 0x42, 0x3100, 0x3400);
		named_entry(at, 0x3200, 0);
		wide_entry(at, 0x48, 0, 0x3300);
		at = ivhd(0x40, UNIT + 0x2000, REGISTERS + 0x100000);
		entry(at, 2, 0x5000);
		bad = cases[i].type < 0x40
		    ? entry(at, cases[i].type, cases[i].device)
		    : wide_entry(at, cases[i].type, cases[i].device, cases[i].source);
		finish(TABLE);
		if (cases[i].other)
			refused(CONTRADICTORY, bad, "a device is among those of two units");
		else
			finds(2, 0);
		put(TABLE + at + 16, 1, 2); /* another segment */
		finish(TABLE);
		finds(2, 0);
	}
}

/* The devices of an older block do not count. */
static void the_newest_blocks_devices_count(void **state)
{
	uint32_t at = ivhd(0x10, UNIT, REGISTERS), bad;

	entry(at, 2, 0x1000);
	at = ivhd(0x11, UNIT, REGISTERS);
	entry(at, 2, 0x2000);
	at = ivhd(0x11, UNIT + 0x2000, REGISTERS + 0x100000);
	bad = entry(at, 2, 0x1000);
	finish(TABLE);
	finds(2, 0);
	put(TABLE + bad + 1, 0x2000, 2);
	finish(TABLE);
	refused(CONTRADICTORY, bad, "a device is among those of two units");
}

static void memory_ranges_are_checked(void **state)
{
	static const struct {
		uint64_t base, length;
		const char *complaint;
	} cases[] = {
		{ 0xa0000000, 0, "a reserved range is empty or larger than 1 GiB" },
		{ 0xa0000000, 0x40001000, "a reserved range is empty or larger than 1 GiB" },
		{ 0xa0000000, ~0xfffull, "a reserved range is empty or larger than 1 GiB" },
		{ 0xa0000000, 0x1001, "a reserved range does not consist of pages" },
		{ 0xa0000004, 0x1000, "a reserved range does not consist of pages" },
		{ ~0xfffull, 0x1000, "a reserved range lies beyond all memory" },
		{ (1ull << 52) - 0x1000, 0x2000, "a reserved range lies beyond all memory" },
	};

	for (unsigned i = 0; i < COUNT(cases); i++)
		for (uint32_t type = 0x20; type <= 0x22; type++) {
			uint32_t at;

			start();
			ivhd(0x10, UNIT, REGISTERS);
			ivmd(type, 0x80000000, 0x40000000);
			at = ivmd(type, cases[i].base, cases[i].length);
			finish(TABLE);
			refused(DAMAGED, at, cases[i].complaint);
			assert_int_equal(found.range_count, 1);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(qemus_tables_are_read, set_up),
	cmocka_unit_test_setup(a_laptops_table_is_read, set_up),
	cmocka_unit_test_setup(a_servers_table_is_read, set_up),
	cmocka_unit_test_setup(the_newest_block_counts, set_up),
	cmocka_unit_test_setup(counters_are_seen, set_up),
	cmocka_unit_test_setup(unknown_types_are_skipped, set_up),
	cmocka_unit_test_setup(heads_are_checked, set_up),
	cmocka_unit_test_setup(blocks_have_their_lengths, set_up),
	cmocka_unit_test_setup(blocks_end_within_the_table, set_up),
	cmocka_unit_test_setup(entries_end_within_their_block, set_up),
	cmocka_unit_test_setup(entries_have_known_lengths, set_up),
	cmocka_unit_test_setup(ranges_of_devices_begin_and_end, set_up),
	cmocka_unit_test_setup(blocks_of_a_unit_agree, set_up),
	cmocka_unit_test_setup(a_device_has_one_unit, set_up),
	cmocka_unit_test_setup(the_newest_blocks_devices_count, set_up),
	cmocka_unit_test_setup(memory_ranges_are_checked, set_up),
};

UNIT_MAIN(tests)
