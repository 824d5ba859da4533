/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * boot/acpi.c on tables built here: what is found, and that no length or checksum is taken on
 * trust.
 */
#include "boot/acpi.h"
#include "tests/unit/unit.h"

#define BASE	  0x100000u
#define SIZE	  4096u
#define RSDP	  0u
#define ROOT	  64u
#define OTHER	  128u
#define FADT	  256u
#define FADT_SIZE 276u
#define DSDT	  1024u
#define DSDT_SIZE 64u
#define RSDT	  2048u

static uint8_t memory[SIZE];
static struct bootinfo_power power;
static uint64_t longest; /* what may be mapped ends here */

static const uint8_t *map(void *context, uint64_t address, uint64_t length)
{
	if (address < BASE || address - BASE > longest || length > longest - (address - BASE))
		return NULL;
	return memory + (address - BASE);
}

static void put(unsigned at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory[at + i] = (uint8_t)(value >> 8 * i);
}

static void fix(unsigned at, unsigned length, unsigned sum_at)
{
	uint8_t sum = 0;

	memory[sum_at] = 0;
	for (unsigned i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory[at + i]);
	memory[sum_at] = (uint8_t)-sum;
}

static void fix_table(unsigned at)
{
	unsigned length = memory[at + 4] | (unsigned)memory[at + 5] << 8;

	fix(at, length, at + 9);
}

static void table(unsigned at, const char *signature, unsigned length)
{
	memcpy(memory + at, signature, 4);
	put(at + 4, length, 4);
}

static void gas(unsigned at, unsigned space, uint64_t address)
{
	memory[at] = (uint8_t)space;
	put(at + 4, address, 8);
}

static void build_rsdp(void)
{
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + ROOT, 8);
	fix(RSDP, 20, RSDP + 8);
	fix(RSDP, 36, RSDP + 32);
}

static void build_dsdt(void)
{
	static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 5, 0x0a,
		5 };

	table(DSDT, "DSDT", DSDT_SIZE);
	memcpy(memory + DSDT + 40, s5, sizeof(s5));
	fix_table(DSDT);
}

/* A machine with all of it: XSDT, another table first, FADT, DSDT. */
static int set_up(void **state)
{
	memset(memory, 0, sizeof(memory));
	longest = SIZE;
	build_rsdp();
	table(ROOT, "XSDT", 36 + 16);
	put(ROOT + 36, BASE + OTHER, 8);
	put(ROOT + 44, BASE + FADT, 8);
	fix_table(ROOT);
	table(OTHER, "APIC", 44);
	table(FADT, "FACP", FADT_SIZE);
	put(FADT + 64, 0x604, 4);
	put(FADT + 68, 0x704, 4);
	put(FADT + 112, 1u << 10, 4);
	gas(FADT + 116, 1, 0xcf9);
	memory[FADT + 128] = 6;
	put(FADT + 140, BASE + DSDT, 8);
	fix_table(FADT);
	build_dsdt();
	return 0;
}

static struct acpi_cpu seen[4];
static unsigned seen_count;

static void note_cpu(void *context, const struct acpi_cpu *cpu)
{
	assert_true(seen_count < 4);
	seen[seen_count++] = *cpu;
}

/* Two entries for CPUs, one of another kind between them. */
static void build_madt(void)
{
	table(OTHER, "APIC", 44 + 8 + 12 + 16);
	put(OTHER + 44, 0x0800, 2);
	memory[OTHER + 44 + 2] = 9;
	memory[OTHER + 44 + 3] = 5;
	put(OTHER + 44 + 4, ACPI_CPU_ENABLED, 4);
	put(OTHER + 52, 0x0c01, 2);
	put(OTHER + 64, 0x1009, 2);
	put(OTHER + 64 + 4, 0x12345, 4);
	put(OTHER + 64 + 8, ACPI_CPU_ONLINE_CAPABLE, 4);
	fix_table(OTHER);
}

static enum acpi_result cpus(void)
{
	seen_count = 0;
	return acpi_cpus(BASE + RSDP, map, note_cpu, NULL);
}

static enum acpi_result find(void)
{
	return acpi_find_power(BASE + RSDP, map, NULL, &power);
}

static void found(uint16_t a, uint16_t b, uint16_t reset, uint8_t value)
{
	assert_int_equal(find(), ACPI_OK);
	assert_int_equal(power.pm1a_control, a);
	assert_int_equal(power.pm1b_control, b);
	assert_int_equal(power.reset_port, reset);
	assert_int_equal(power.reset_value, value);
}

static void nothing_known(enum acpi_result expected)
{
	static const struct bootinfo_power unknown = { .s5_type = POWER_S5_UNKNOWN };

	assert_int_equal(find(), expected);
	assert_memory_equal(&power, &unknown, sizeof(power));
}

static void all_is_found(void **state)
{
	found(0x604, 0x704, 0xcf9, 6);
	assert_int_equal(power.s5_type, 5);
}

static void extended_fields_win(void **state)
{
	gas(FADT + 172, 1, 0x1804);
	gas(FADT + 184, 0, 0x1904); /* not an I/O port */
	fix_table(FADT);
	found(0x1804, 0x704, 0xcf9, 6);
}

static void old_tables_are_read(void **state)
{
	memory[RSDP + 15] = 0;
	put(RSDP + 16, BASE + ROOT, 4);
	fix(RSDP, 20, RSDP + 8);
	table(ROOT, "RSDT", 36 + 8);
	put(ROOT + 36, BASE + OTHER, 4);
	put(ROOT + 40, BASE + FADT, 4);
	fix_table(ROOT);
	put(FADT + 4, 116, 4); /* ACPI 1.0: no reset register, no extended fields */
	put(FADT + 40, BASE + DSDT, 4);
	fix_table(FADT);
	found(0x604, 0x704, 0, 0);
	assert_int_equal(power.s5_type, 5);
}

static void flags_are_heeded(void **state)
{
	put(FADT + 112, 0, 4);
	fix_table(FADT);
	found(0x604, 0x704, 0, 0);
	put(FADT + 112, 1u << 20 | 1u << 10, 4);
	fix_table(FADT);
	found(0, 0, 0xcf9, 6);
	gas(FADT + 116, 0, 0xfed00000); /* in memory, not a port */
	fix_table(FADT);
	found(0, 0, 0, 0);
	gas(FADT + 116, 1, 0x10000);
	fix_table(FADT);
	found(0, 0, 0, 0);
}

static void absence_is_no_damage(void **state)
{
	assert_int_equal(acpi_find_power(0, map, NULL, &power), ACPI_ABSENT);
	assert_int_equal(power.s5_type, POWER_S5_UNKNOWN);
	put(ROOT + 4, 36 + 8, 4);
	fix_table(ROOT);
	nothing_known(ACPI_ABSENT);
	put(ROOT + 4, 36, 4);
	fix_table(ROOT);
	nothing_known(ACPI_ABSENT);
}

static void every_checksum_counts(void **state)
{
	static const unsigned places[] = { RSDP + 16, RSDP + 33, ROOT + 20, FADT + 200 };

	for (unsigned i = 0; i < COUNT(places); i++) {
		set_up(state);
		memory[places[i]] ^= 0x40;
		nothing_known(ACPI_DAMAGED);
	}
	set_up(state);
	memory[DSDT + 60] ^= 1;
	assert_int_equal(find(), ACPI_OK);
	assert_int_equal(power.s5_type, POWER_S5_UNKNOWN);
}

static void lengths_are_not_trusted(void **state)
{
	static const uint32_t lengths[] = { 0, 8, 35, SIZE, 0x7fffffff, 0xffffffff };

	for (unsigned i = 0; i < COUNT(lengths); i++) {
		set_up(state);
		put(ROOT + 4, lengths[i], 4);
		nothing_known(ACPI_DAMAGED);
		set_up(state);
		put(FADT + 4, lengths[i], 4);
		nothing_known(ACPI_DAMAGED);
	}
}

static void memory_may_end_anywhere(void **state)
{
	for (longest = 0; longest < DSDT; longest++)
		if (find() == ACPI_OK)
			assert_true(longest >= FADT + FADT_SIZE);
}

static void signatures_count(void **state)
{
	memory[RSDP] = 'r';
	fix(RSDP, 20, RSDP + 8);
	nothing_known(ACPI_DAMAGED);
	set_up(state);
	memory[ROOT] = 'R';
	fix_table(ROOT);
	nothing_known(ACPI_DAMAGED);
	set_up(state);
	memory[DSDT] = 'S';
	fix_table(DSDT);
	assert_int_equal(find(), ACPI_OK);
	assert_int_equal(power.s5_type, POWER_S5_UNKNOWN);
}

static uint8_t s5_of(const uint8_t *aml, size_t length, unsigned at)
{
	memset(memory + DSDT + 36, 0, DSDT_SIZE - 36);
	memcpy(memory + DSDT + at, aml, length);
	fix_table(DSDT);
	assert_int_equal(find(), ACPI_OK);
	return power.s5_type;
}

static void s5_has_many_forms(void **state)
{
	static const uint8_t rooted[] = { 8, '\\', '_', 'S', '5', '_', 0x12, 4, 1, 0 };
	static const uint8_t one[] = { 8, '_', 'S', '5', '_', 0x12, 4, 2, 1, 1 };
	static const uint8_t wide[] = { 8, '_', 'S', '5', '_', 0x12, 0x46, 0, 2, 0x0a, 7 };
	static const uint8_t beyond[] = { 8, '_', 'S', '5', '_', 0x12, 4, 2, 0x0a, 8 };
	static const uint8_t empty[] = { 8, '_', 'S', '5', '_', 0x12, 2, 0, 1 };
	static const uint8_t word[] = { 8, '_', 'S', '5', '_', 0x12, 4, 2, 0x0b, 1, 0 };
	static const uint8_t method[] = { 0x14, 8, '_', 'S', '5', '_', 0 };
	static const uint8_t cut[] = { 8, '_', 'S', '5', '_', 0x12 };

	assert_int_equal(s5_of(rooted, sizeof(rooted), 36), 0);
	assert_int_equal(s5_of(one, sizeof(one), 40), 1);
	assert_int_equal(s5_of(wide, sizeof(wide), DSDT_SIZE - sizeof(wide)), 7);
	assert_int_equal(s5_of(beyond, sizeof(beyond), 40), POWER_S5_UNKNOWN);
	assert_int_equal(s5_of(empty, sizeof(empty), 40), POWER_S5_UNKNOWN);
	assert_int_equal(s5_of(word, sizeof(word), 40), POWER_S5_UNKNOWN);
	assert_int_equal(s5_of(method, sizeof(method), 40), POWER_S5_UNKNOWN);
	for (unsigned n = 1; n <= sizeof(cut); n++)
		assert_int_equal(s5_of(cut, n, DSDT_SIZE - n), POWER_S5_UNKNOWN);
}

static void cpus_are_listed(void **state)
{
	build_madt();
	assert_int_equal(cpus(), ACPI_OK);
	assert_int_equal(seen_count, 2);
	assert_int_equal(seen[0].apic_id, 5);
	assert_int_equal(seen[0].flags, ACPI_CPU_ENABLED);
	assert_int_equal(seen[1].apic_id, 0x12345);
	assert_int_equal(seen[1].flags, ACPI_CPU_ONLINE_CAPABLE);
	memory[ROOT] = 0;
	assert_int_equal(cpus(), ACPI_DAMAGED);
	assert_int_equal(acpi_cpus(0, map, note_cpu, NULL), ACPI_ABSENT);
}

/* An entry that is empty, ends behind the table, or is too short for what it says it is. */
static void madt_entries_are_not_trusted(void **state)
{
	static const struct {
		unsigned at, value;
		enum acpi_result result;
		unsigned cpus;
	} cases[] = {
		{ 45, 0, ACPI_DAMAGED, 0 },
		{ 45, 1, ACPI_DAMAGED, 0 },
		{ 65, 17, ACPI_DAMAGED, 1 },
		{ 65, 15, ACPI_DAMAGED, 1 },
		{ 53, 27, ACPI_DAMAGED, 1 },
		{ 53, 28, ACPI_OK, 1 },
		{ 4, 44, ACPI_OK, 0 },
		{ 4, 36, ACPI_DAMAGED, 0 },
		{ 4, 43, ACPI_DAMAGED, 0 },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		build_madt();
		memory[OTHER + cases[i].at] = (uint8_t)cases[i].value;
		fix_table(OTHER);
		assert_int_equal(cpus(), cases[i].result);
		assert_int_equal(seen_count, cases[i].cpus);
	}
	build_madt();
	memory[OTHER + 60]++;
	assert_int_equal(cpus(), ACPI_DAMAGED);
	put(ROOT + 36, BASE + SIZE, 8);
	fix_table(ROOT);
	assert_int_equal(cpus(), ACPI_DAMAGED); /* leads to no memory */
	put(ROOT + 36, 0, 8);
	fix_table(ROOT);
	assert_int_equal(cpus(), ACPI_ABSENT);
	put(ROOT + 36, BASE + OTHER, 8);
	fix_table(ROOT);
	for (longest = OTHER + 79; longest > OTHER; longest--)
		assert_int_not_equal(cpus(), ACPI_OK);
}

static void any_table_is_found(void **state)
{
	struct acpi_table found;

	fix_table(OTHER);
	assert_int_equal(acpi_find_table(BASE + RSDP, map, NULL, "APIC", &found), ACPI_OK);
	assert_ptr_equal(found.data, memory + OTHER);
	assert_int_equal(found.length, 44);
	assert_int_equal(acpi_find_table(BASE + RSDP, map, NULL, "DMAR", &found), ACPI_ABSENT);
	memory[OTHER + 40]++;
	assert_int_equal(acpi_find_table(BASE + RSDP, map, NULL, "APIC", &found), ACPI_DAMAGED);
}

static uint64_t visited[8];
static unsigned visits;

static void note_table(void *context, uint64_t address, const uint8_t *signature)
{
	assert_true(visits < COUNT(visited));
	assert_ptr_equal(signature, memory + (address - BASE));
	visited[visits++] = address - BASE;
}

static unsigned visit(uint64_t rsdp)
{
	visits = 0;
	acpi_tables(rsdp, map, note_table, NULL);
	return visits;
}

/* The RSDT lists one table that the XSDT has too, one of its own, and one that is not there. */
static void both_lists_are_visited(void **state)
{
	static const uint64_t expected[] = { OTHER, FADT, FADT, DSDT };

	table(RSDT, "RSDT", 36 + 16);
	put(RSDT + 36, BASE + FADT, 4);
	put(RSDT + 40, BASE + DSDT, 4);
	put(RSDT + 44, 0xfffffff0, 4);
	fix_table(RSDT);
	put(RSDP + 16, BASE + RSDT, 4);
	fix(RSDP, 20, RSDP + 8);
	fix(RSDP, 36, RSDP + 32);
	assert_int_equal(visit(BASE + RSDP), 4);
	assert_memory_equal(visited, expected, sizeof(expected));
	memory[RSDT + 20]++;
	assert_int_equal(visit(BASE + RSDP), 2);
	fix_table(RSDT);
	memory[ROOT + 20]++;
	assert_int_equal(visit(BASE + RSDP), 2);
	assert_int_equal(visited[0], FADT);
	assert_int_equal(visit(0), 0);
	memory[RSDP + 9]++;
	assert_int_equal(visit(BASE + RSDP), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(cpus_are_listed, set_up),
	cmocka_unit_test_setup(madt_entries_are_not_trusted, set_up),
	cmocka_unit_test_setup(any_table_is_found, set_up),
	cmocka_unit_test_setup(both_lists_are_visited, set_up),
	cmocka_unit_test_setup(all_is_found, set_up),
	cmocka_unit_test_setup(extended_fields_win, set_up),
	cmocka_unit_test_setup(old_tables_are_read, set_up),
	cmocka_unit_test_setup(flags_are_heeded, set_up),
	cmocka_unit_test_setup(absence_is_no_damage, set_up),
	cmocka_unit_test_setup(every_checksum_counts, set_up),
	cmocka_unit_test_setup(lengths_are_not_trusted, set_up),
	cmocka_unit_test_setup(memory_may_end_anywhere, set_up),
	cmocka_unit_test_setup(signatures_count, set_up),
	cmocka_unit_test_setup(s5_has_many_forms, set_up),
};

UNIT_MAIN(tests)
