/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/iommu.c: which tables are read, what units and ranges must fulfil whichever table has them,
 * and hiding the tables.
 */
#include "tests/unit/boot/iommu_tables.h"

#define HEAD	      48u
#define DAMAGED	      IOMMU_TABLES_DAMAGED
#define UNSUPPORTED   IOMMU_TABLES_UNSUPPORTED
#define CONTRADICTORY IOMMU_TABLES_CONTRADICTORY

/* A DRHD with a power of two of pages; its offset. */
static uint32_t unit(uint64_t base, uint32_t order)
{
	uint32_t at = here();

	add(0, 2);
	add(16, 2);
	add(0, 1);
	add(order, 1);
	add(0, 2);
	add(base, 8);
	return at;
}

static uint32_t range(uint64_t base, uint64_t length)
{
	uint32_t at = here();

	add(1, 2);
	add(24, 2);
	add(0, 4);
	add(base, 8);
	add(base + length - 1, 8);
	return at;
}

static void start(void)
{
	begin(TABLE, "DMAR", HEAD);
	memory[TABLE + 36] = 38;
}

static void build_ivrs(uint32_t at)
{
	begin(at, "IVRS", HEAD);
	add(0x10, 2);
	add(24, 2);
	add(2, 2);
	add(0x40, 2);
	add(0xfed80000, 8);
	add(0, 8);
	finish(at);
}

static int set_up(void **state)
{
	memset(memory, 0, sizeof(memory));
	list_tables(TABLE, 0);
	start();
	return 0;
}

/* ---- Which tables ---- */

static void without_tables_there_is_none(void **state)
{
	struct ranges usable = { NULL, 0, 0 };

	iommus_find(0, map, NULL, &usable, &found);
	assert_int_equal(found.status, IOMMU_TABLES_NONE);
	begin(TABLE, "APIC", HEAD);
	finish(TABLE);
	finds(0, 0);
}

static void either_table_is_read(void **state)
{
	unit(0xfed90000, 0);
	finish(TABLE);
	finds(1, 0);
	assert_int_equal(found.unit[0].kind, BOOTINFO_IOMMU_VTD);
	build_ivrs(OTHER);
	list_tables(OTHER, 0);
	finds(1, 0);
	assert_int_equal(found.unit[0].kind, BOOTINFO_IOMMU_AMDVI);
}

static void both_tables_contradict_each_other(void **state)
{
	unit(0xfed90000, 0);
	finish(TABLE);
	build_ivrs(OTHER);
	list_tables(TABLE, OTHER);
	assert_int_equal(find(), CONTRADICTORY);
	assert_string_equal(found.complaint,
	    "IVRS, offset 0x0: there is a DMAR too, and no machine has both kinds");
	list_tables(OTHER, TABLE);
	assert_int_equal(find(), CONTRADICTORY);
	memory[OTHER + 40]++;
	assert_int_equal(find(), DAMAGED);
	assert_string_equal(found.complaint,
	    "IVRS, offset 0x0: the table, or the way to it, is damaged");
}

static void damage_is_told(void **state)
{
	unit(0xfed90000, 0);
	finish(TABLE);
	memory[TABLE + 50]++;
	refused(DAMAGED, 0, "the table, or the way to it, is damaged");
	put(TABLE + 4, 35, 4);
	refused(DAMAGED, 0, "the table, or the way to it, is damaged");
	put(TABLE + 4, SIZE, 4);
	refused(DAMAGED, 0, "the table, or the way to it, is damaged");
	memory[XSDT + 20]++;
	refused(DAMAGED, 0, "the table, or the way to it, is damaged");
}

/* 64 KiB and no more, so that comparing all with all comes to an end. */
static void tables_have_a_size(void **state)
{
	unit(0xfed90000, 0);
	for (unsigned i = 0; i < 2; i++) {
		add(0x1234, 2);
		add(i ? 0x1fc0 : 0xe000, 2);
		end += (i ? 0x1fc0 : 0xe000) - 4;
	}
	assert_int_equal(end - TABLE, 0x10000);
	finish(TABLE);
	finds(1, 0);
	end += 1;
	finish(TABLE);
	refused(DAMAGED, 4, "the table is larger than any that could be right");
}

/* ---- Units and ranges ---- */

static void there_is_room_for_so_many(void **state)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < BOOTINFO_IOMMUS; i++)
		unit(0xfed90000 - 0x1000 * i, 0);
	for (unsigned i = 0; i < IOMMU_RANGES; i++)
		at = range(0xa0000000 + 0x1000 * i, 0x1000);
	finish(TABLE);
	finds(BOOTINFO_IOMMUS, IOMMU_RANGES);
	for (unsigned i = 1; i < BOOTINFO_IOMMUS; i++)
		assert_int_equal(found.unit[i].base, found.unit[i - 1].base + 0x1000);
	at = range(0xb0000000, 0x1000);
	finish(TABLE);
	refused(IOMMU_TABLES_TOO_MANY, at,
	    "there are more reserved ranges than the loader has room for");
	end = TABLE + at;
	at = unit(0xfed91000, 0);
	finish(TABLE);
	refused(IOMMU_TABLES_TOO_MANY, at, "there are more units than the monitor has room for");
	assert_int_equal(found.range_count, IOMMU_RANGES);
}

static void registers_lie_where_they_can(void **state)
{
	static const char above[] = "a unit's registers lie above 4 GiB";
	static const struct {
		uint64_t base;
		uint32_t order;
		const char *complaint;
	} cases[] = {
		{ 0, 0, "a unit's registers lie at address 0" },
		{ 0xfed90800, 0, "a unit's registers do not lie on pages" },
		{ 1, 0, "a unit's registers do not lie on pages" },
		{ 1ull << 52, 0, "a unit's registers lie beyond all memory" },
		{ (1ull << 52) - 0x1000, 1, "a unit's registers lie beyond all memory" },
		{ ~0xfffull, 15, "a unit's registers lie beyond all memory" },
		{ (1ull << 52) - 0x1000, 0, above },
		{ 0xffffe000, 1, NULL },
		{ 0xffffe000, 2, "a unit's registers lie in usable memory" },
		{ 0x1000, 0, "a unit's registers lie in usable memory" },
		{ 0x9f000, 0, "a unit's registers lie in usable memory" },
		{ 0xa0000, 0, NULL },
		{ 0xff000, 0, NULL },
		{ 0xff000, 1, "a unit's registers lie in usable memory" },
		{ 0x80000000 - 0x1000, 0, "a unit's registers lie in usable memory" },
		{ 0x80000000, 15, NULL },
		{ 0x13ffff000, 0, "a unit's registers lie in usable memory" },
		{ 0x140000000, 0, above },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint32_t at;

		start();
		unit(0xfed80000, 0);
		at = unit(cases[i].base, cases[i].order);
		finish(TABLE);
		if (cases[i].complaint)
			refused(cases[i].complaint == above ? UNSUPPORTED : DAMAGED, at,
			    cases[i].complaint);
		else
			finds(2, 0);
	}
}

static void registers_lie_apart(void **state)
{
	uint32_t at;

	unit(0xfed94000, 0);
	at = unit(0xfed90000, 2);
	finish(TABLE);
	finds(2, 0);
	memory[TABLE + at + 5] = 3;
	finish(TABLE);
	refused(CONTRADICTORY, at, "a unit's registers overlap those of another");
	put(TABLE + at + 8, 0xfed94000, 8);
	finish(TABLE);
	refused(CONTRADICTORY, at, "a unit's registers overlap those of another");
	put(TABLE + at + 8, 0xfed95000, 8);
	finish(TABLE);
	finds(2, 0);
}

static void ranges_hold_no_registers(void **state)
{
	uint32_t at;

	range(0xfed91000, 0x2000);
	at = range(0xfed80000, 0x10000);
	unit(0xfed90000, 0);
	unit(0xfed93000, 0);
	finish(TABLE);
	finds(2, 2);
	put(TABLE + at + 16, 0xfed90fff, 8);
	finish(TABLE);
	refused(CONTRADICTORY, at, "a reserved range lets devices reach a unit's registers");
}

/* ---- Hiding ---- */

static uint64_t locked; /* cannot be written */
static unsigned writes;

static bool write_byte(void *context, uint64_t address, uint8_t value)
{
	assert_ptr_equal(context, &locked);
	assert_true(address >= BASE && address - BASE < SIZE);
	writes++;
	if (address == locked)
		return false;
	memory[address - BASE] = value;
	return true;
}

static const uint8_t *map_locked(void *context, uint64_t address, uint64_t length)
{
	assert_ptr_equal(context, &locked);
	return map(NULL, address, length);
}

static bool hide(void)
{
	writes = 0;
	return iommus_hide(BASE + RSDP, map_locked, write_byte, &locked);
}

static void hidden_tables_are_not_found(void **state)
{
	uint8_t before[SIZE];

	locked = 0;
	unit(0xfed90000, 0);
	finish(TABLE);
	begin(OTHER, "DMAR", HEAD); /* a second one, whose checksum is wrong */
	put(OTHER + 4, HEAD, 4);
	list_tables(TABLE, OTHER);
	memcpy(before, memory, SIZE);
	assert_true(hide());
	assert_int_equal(writes, 4); /* a table in both lists is changed once */
	finds(0, 0);
	assert_memory_equal(memory + TABLE, "XMAR", 4);
	assert_memory_equal(memory + OTHER, "XMAR", 4);
	assert_int_equal(sum(TABLE, length_of(TABLE)), 0);
	before[TABLE] = before[OTHER] = 'X';
	before[TABLE + CHECKSUM] = memory[TABLE + CHECKSUM];
	before[OTHER + CHECKSUM] = (uint8_t)('D' - 'X');
	assert_memory_equal(before, memory, SIZE);
	assert_true(hide());
	assert_int_equal(writes, 0);
}

/* One that only the RSDT has. */
static void all_lists_are_looked_at(void **state)
{
	locked = 0;
	finish(TABLE);
	build_ivrs(OTHER);
	list_tables(TABLE, 0);
	put(RSDT + 36, BASE + OTHER, 4);
	fix_table(RSDT);
	assert_true(hide());
	assert_memory_equal(memory + TABLE, "XMAR", 4);
	assert_memory_equal(memory + OTHER, "XVRS", 4);
	assert_int_equal(sum(OTHER, length_of(OTHER)), 0);
	assert_true(iommus_hide(0, map_locked, write_byte, &locked));
}

static void what_cannot_be_hidden_stays_as_it_was(void **state)
{
	static const uint64_t places[] = { 0, CHECKSUM };
	uint8_t before[SIZE];

	unit(0xfed90000, 0);
	finish(TABLE);
	build_ivrs(OTHER);
	list_tables(TABLE, OTHER);
	memcpy(before, memory, SIZE);
	for (unsigned i = 0; i < COUNT(places); i++) {
		locked = BASE + TABLE + places[i];
		memcpy(memory, before, SIZE);
		assert_false(hide());
		assert_memory_equal(memory, before, OTHER);
		assert_memory_equal(memory + OTHER, "XVRS", 4);
	}
	locked = 0;
	memcpy(memory, before, SIZE);
	memcpy(memory + SIZE - 9, "DMAR", 4); /* ends before its checksum */
	list_tables(TABLE, SIZE - 9);
	assert_false(hide());
	assert_memory_equal(memory + SIZE - 9, "DMAR", 4);
	assert_memory_equal(memory + TABLE, "XMAR", 4);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(without_tables_there_is_none, set_up),
	cmocka_unit_test_setup(either_table_is_read, set_up),
	cmocka_unit_test_setup(both_tables_contradict_each_other, set_up),
	cmocka_unit_test_setup(damage_is_told, set_up),
	cmocka_unit_test_setup(tables_have_a_size, set_up),
	cmocka_unit_test_setup(there_is_room_for_so_many, set_up),
	cmocka_unit_test_setup(registers_lie_where_they_can, set_up),
	cmocka_unit_test_setup(registers_lie_apart, set_up),
	cmocka_unit_test_setup(ranges_hold_no_registers, set_up),
	cmocka_unit_test_setup(hidden_tables_are_not_found, set_up),
	cmocka_unit_test_setup(all_lists_are_looked_at, set_up),
	cmocka_unit_test_setup(what_cannot_be_hidden_stays_as_it_was, set_up),
};

UNIT_MAIN(tests)
