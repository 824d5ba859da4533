/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The doctor's ACPI parser: what is found, and that no length or checksum is taken on trust. Tables
 * lie in blocks of exactly their size, so that a byte read too far is found out.
 */
#include <stdlib.h>

#include "tests/unit/unit.h"
#include "tools/doctor/acpi.h"

#define BASE 0x100000u
#define SIZE 1024u
#define RSDP 0u
#define ROOT 64u
#define MADT 256u
#define DMAR 512u

static uint8_t memory[SIZE];
static uint64_t end; /* what may be mapped ends here */

static const uint8_t *map(void *context, uint64_t address, uint64_t length)
{
	if (address < BASE || address - BASE > end || length > end - (address - BASE))
		return NULL;
	return memory + (address - BASE);
}

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void fix(uint8_t *data, size_t size, size_t sum_at)
{
	uint8_t sum = 0;

	data[sum_at] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	data[sum_at] = (uint8_t)-sum;
}

static void table(unsigned at, const char *signature, uint32_t length)
{
	memcpy(memory + at, signature, 4);
	put(memory + at + 4, length, 4);
	fix(memory + at, length, 9);
}

/* RSDP, XSDT, MADT, DMAR. */
static int set_up(void **state)
{
	memset(memory, 0, sizeof(memory));
	end = SIZE;
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(memory + RSDP + 16, BASE + ROOT, 4);
	put(memory + RSDP + 24, BASE + ROOT, 8);
	fix(memory + RSDP, 20, 8);
	fix(memory + RSDP, 36, 32);
	put(memory + ROOT + 36, BASE + MADT, 8);
	put(memory + ROOT + 44, BASE + DMAR, 8);
	table(ROOT, "XSDT", 52);
	table(MADT, "APIC", 44);
	table(DMAR, "DMAR", 48);
	return 0;
}

static enum fact find(const char *signature)
{
	struct bytes found = { 0 };
	enum fact fact = acpi_find(BASE + RSDP, map, NULL, signature, &found);

	if (fact == FACT_OK) {
		assert_memory_equal(found.data, signature, 4);
		assert_true(found.data >= memory && found.data + found.size <= memory + end);
	}
	return fact;
}

static void tables_are_found(void **state)
{
	assert_int_equal(find("APIC"), FACT_OK);
	assert_int_equal(find("DMAR"), FACT_OK);
	assert_int_equal(find("TPM2"), FACT_ABSENT);
	assert_int_equal(acpi_find(0, map, NULL, "APIC", &(struct bytes){ 0 }), FACT_ABSENT);
	memory[RSDP + 15] = 0; /* ACPI 1.0 */
	put(memory + ROOT + 36, BASE + DMAR, 4);
	table(ROOT, "RSDT", 40);
	fix(memory + RSDP, 20, 8);
	assert_int_equal(find("DMAR"), FACT_OK);
	assert_int_equal(find("APIC"), FACT_ABSENT);
}

static void damage_is_found(void **state)
{
	static const unsigned places[] = { RSDP, RSDP + 9, RSDP + 33, ROOT, ROOT + 20, MADT + 40 };
	static const uint32_t lengths[] = { 0, 35, 45, SIZE, ACPI_TABLE_MAX + 1, 0xffffffff };

	for (unsigned i = 0; i < COUNT(places); i++) {
		set_up(state);
		memory[places[i]] ^= 0x40;
		assert_int_equal(find("APIC"), FACT_DAMAGED);
	}
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		set_up(state);
		put(memory + MADT + 4, lengths[i], 4);
		assert_int_equal(find("APIC"), FACT_DAMAGED);
		assert_int_equal(find("DMAR"), FACT_OK);
		put(memory + ROOT + 4, lengths[i], 4);
		assert_int_equal(find("DMAR"), FACT_DAMAGED);
	}
}

static void memory_may_end_anywhere(void **state)
{
	for (end = 0; end < SIZE; end++)
		if (find("DMAR") == FACT_OK)
			assert_true(end >= DMAR + 48);
}

/* A copy of exactly these bytes, freed by the next call. */
static struct bytes exact(const void *data, size_t size)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(size);
	memcpy(copy, data, size);
	return (struct bytes){ copy, size };
}

static void cpus_are_counted(void **state)
{
	/* Local APICs: enabled, disabled, online-capable; an override; an x2APIC. */
	uint8_t madt[44 + 3 * 8 + 10 + 16] = { 0 };
	static const uint8_t entries[] = { 0, 8, 0, 0, 1, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0, 0, 0, 8, 2,
		2, 2, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0,
		0, 0, 0, 0 };
	struct acpi_cpus cpus;

	memcpy(madt + 44, entries, sizeof(entries));
	assert_int_equal(sizeof(madt), 44 + sizeof(entries));
	assert_int_equal(acpi_read_cpus(exact(madt, sizeof(madt)), &cpus), FACT_OK);
	assert_int_equal(cpus.enabled, 2);
	assert_int_equal(cpus.disabled, 1);
	assert_int_equal(cpus.addable, 1);
	for (size_t size = 36; size < sizeof(madt); size++) {
		/* Cut off between two entries it is another, whole table. */
		bool whole = size <= 44 || size == 52 || size == 60 || size == 68 || size == 78;

		assert_int_equal(acpi_read_cpus(exact(madt, size), &cpus),
		    whole ? FACT_OK : FACT_DAMAGED);
	}
	madt[45] = 0; /* an entry without length would never end */
	assert_int_equal(acpi_read_cpus(exact(madt, sizeof(madt)), &cpus), FACT_DAMAGED);
	madt[45] = 4; /* its flags would be the next one's */
	assert_int_equal(acpi_read_cpus(exact(madt, sizeof(madt)), &cpus), FACT_DAMAGED);
}

static void iommus_are_counted(void **state)
{
	uint8_t dmar[48 + 16 + 8 + 16] = { 0 }, ivrs[48 + 24 + 40] = { 0 };
	struct acpi_iommu iommu;

	dmar[48 + 2] = 16;
	put(dmar + 48 + 8, 0xfed90000, 8);
	dmar[64] = 1;
	dmar[64 + 2] = 8;
	dmar[72 + 2] = 16;
	assert_int_equal(acpi_read_dmar(exact(dmar, sizeof(dmar)), &iommu), FACT_OK);
	assert_int_equal(iommu.units, 2);
	assert_int_equal(iommu.first_unit, 0xfed90000);
	assert_false(iommu.remapping);
	dmar[48 + 2] = 12;
	assert_int_equal(acpi_read_dmar(exact(dmar, sizeof(dmar)), &iommu), FACT_DAMAGED);
	dmar[48 + 2] = 3;
	assert_int_equal(acpi_read_dmar(exact(dmar, sizeof(dmar)), &iommu), FACT_DAMAGED);
	assert_int_equal(acpi_read_dmar(exact(dmar, 40), &iommu), FACT_DAMAGED);
	/* The same unit twice, in an old and a newer form. */
	ivrs[48] = 0x10;
	ivrs[48 + 2] = 24;
	put(ivrs + 48 + 8, 0xfed80000, 8);
	ivrs[72] = 0x11;
	ivrs[72 + 2] = 40;
	put(ivrs + 72 + 8, 0xfed80000, 8);
	assert_int_equal(acpi_read_ivrs(exact(ivrs, sizeof(ivrs)), &iommu), FACT_OK);
	assert_int_equal(iommu.units, 1);
	assert_int_equal(iommu.first_unit, 0xfed80000);
	assert_true(iommu.remapping);
	ivrs[72 + 2] = 41;
	assert_int_equal(acpi_read_ivrs(exact(ivrs, sizeof(ivrs)), &iommu), FACT_DAMAGED);
	assert_int_equal(acpi_read_ivrs(exact(ivrs, 47), &iommu), FACT_DAMAGED);
	assert_int_equal(acpi_read_ivrs(exact(ivrs, 48), &iommu), FACT_OK);
	assert_false(iommu.remapping);
}

static void the_rest_is_read(void **state)
{
	uint8_t tpm2[52] = { [48] = 6 }, fadt[276] = { 0 };
	uint32_t method = 0;
	uint16_t port;

	assert_int_equal(acpi_read_tpm2(exact(tpm2, 52), &method), FACT_OK);
	assert_int_equal(method, 6);
	assert_int_equal(acpi_read_tpm2(exact(tpm2, 51), &method), FACT_DAMAGED);
	put(fadt + 64, 0x604, 4);
	assert_int_equal(acpi_read_sleep(exact(fadt, 68), &port), FACT_OK);
	assert_int_equal(port, 0x604);
	assert_int_equal(acpi_read_sleep(exact(fadt, 67), &port), FACT_DAMAGED);
	fadt[172] = 1;
	put(fadt + 176, 0x1804, 8);
	assert_int_equal(acpi_read_sleep(exact(fadt, sizeof(fadt)), &port), FACT_OK);
	assert_int_equal(port, 0x1804);
	put(fadt + 112, 1u << 20, 4);
	assert_int_equal(acpi_read_sleep(exact(fadt, sizeof(fadt)), &port), FACT_OK);
	assert_int_equal(port, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(tables_are_found, set_up),
	cmocka_unit_test_setup(damage_is_found, set_up),
	cmocka_unit_test_setup(memory_may_end_anywhere, set_up),
	cmocka_unit_test(cpus_are_counted),
	cmocka_unit_test(iommus_are_counted),
	cmocka_unit_test(the_rest_is_read),
};

UNIT_MAIN(tests)
