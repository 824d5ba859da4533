/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A machine with tables of IOMMUs, built piece by piece, for the tests of boot/iommu.c, boot/dmar.c
 * and boot/ivrs.c.
 */
#ifndef TESTS_UNIT_BOOT_IOMMU_TABLES_H
#define TESTS_UNIT_BOOT_IOMMU_TABLES_H

#include "boot/iommu.h"
#include "boot/text.h"
#include "tests/unit/unit.h"

#define BASE	 0x100000u /* of `memory` */
#define SIZE	 0x24000u
#define RSDP	 0u
#define XSDT	 64u
#define RSDT	 128u
#define TABLE	 256u /* the table under test */
#define OTHER	 0x12000u
#define CHECKSUM 9u

static uint8_t memory[SIZE];
static uint32_t end; /* of what is built */
static struct iommus found;

static struct bootinfo_range usable_ranges[] = { { 0x1000, 0x9f }, { 0x100000, 0x7ff00 },
	{ 0x100000000, 0x40000 } };

static inline const uint8_t *map(void *context, uint64_t address, uint64_t length)
{
	if (address < BASE || address - BASE > SIZE || length > SIZE - (address - BASE))
		return NULL;
	return memory + (address - BASE);
}

/* Zeros behind eight bytes. */
static inline void put(uint32_t at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory[at + i] = i < 8 ? (uint8_t)(value >> 8 * i) : 0;
}

static inline uint8_t sum(uint32_t at, uint32_t length)
{
	uint8_t total = 0;

	for (uint32_t i = 0; i < length; i++)
		total = (uint8_t)(total + memory[at + i]);
	return total;
}

static inline void fix(uint32_t at, uint32_t length, uint32_t sum_at)
{
	memory[sum_at] = (uint8_t)(memory[sum_at] - sum(at, length));
}

static inline uint32_t length_of(uint32_t table)
{
	uint32_t length;

	memcpy(&length, memory + table + 4, sizeof(length));
	return length;
}

static inline void fix_table(uint32_t at)
{
	fix(at, length_of(at), at + CHECKSUM);
}

/* ---- Building: each adds to what was begun ---- */

static inline void add(uint64_t value, unsigned bytes)
{
	put(end, value, bytes);
	end += bytes;
}

/* The offset in the table under test of what is added next. */
static inline uint32_t here(void)
{
	return end - TABLE;
}

static inline void begin(uint32_t at, const char *signature, uint32_t head)
{
	memset(memory + at, 0, head);
	memcpy(memory + at, signature, 4);
	end = at + head;
}

/* Sets the length that is behind a type. */
static inline void close_structure(uint32_t at)
{
	put(TABLE + at + 2, here() - at, 2);
}

static inline void finish(uint32_t at)
{
	put(at + 4, end - at, 4);
	fix_table(at);
}

/* Lists of one or two tables; 0: only one. */
static inline void list_tables(uint32_t first, uint32_t second)
{
	begin(XSDT, "XSDT", 36);
	add(BASE + first, 8);
	if (second)
		add(BASE + second, 8);
	finish(XSDT);
	begin(RSDT, "RSDT", 36);
	add(BASE + first, 4);
	if (second)
		add(BASE + second, 4);
	finish(RSDT);
	memcpy(memory + RSDP, "RSD PTR ", 8);
	memory[RSDP + 15] = 2;
	put(RSDP + 16, BASE + RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, BASE + XSDT, 8);
	fix(RSDP, 20, RSDP + 8);
	fix(RSDP, 36, RSDP + 32);
}

static inline void copy_table(uint32_t at, const void *bytes, uint32_t length)
{
	memcpy(memory + at, bytes, length);
	end = at + length;
}

/* ---- Finding ---- */

static inline uint32_t find(void)
{
	struct ranges usable = { usable_ranges, COUNT(usable_ranges), COUNT(usable_ranges) };

	memset(&found, 0x5a, sizeof(found));
	iommus_find(BASE + RSDP, map, NULL, &usable, &found);
	if (found.status != IOMMU_TABLES_OK)
		assert_int_equal(found.count, 0);
	if (found.status <= IOMMU_TABLES_OK)
		assert_string_equal(found.complaint, "");
	return found.status;
}

static inline void finds(uint32_t units, uint32_t ranges)
{
	assert_int_equal(find(), units ? IOMMU_TABLES_OK : IOMMU_TABLES_NONE);
	assert_int_equal(found.count, units);
	assert_int_equal(found.range_count, ranges);
}

static inline void refused(uint32_t status, uint32_t at, const char *what)
{
	char expected[IOMMU_COMPLAINT];

	text_format(expected, sizeof(expected), "%c%c%c%c, offset 0x%x: %s", memory[TABLE],
	    memory[TABLE + 1], memory[TABLE + 2], memory[TABLE + 3], at, what);
	find();
	assert_string_equal(found.complaint, expected);
	assert_int_equal(found.status, status);
}

static inline void unit_is(unsigned i, const struct bootinfo_iommu *expected)
{
	assert_true(i < found.count);
	assert_memory_equal(&found.unit[i], expected, sizeof(*expected));
}

static inline void range_is(unsigned i, uint64_t base, uint64_t pages)
{
	assert_true(i < found.range_count);
	assert_int_equal(found.range[i].base, base);
	assert_int_equal(found.range[i].pages, pages);
}

#endif
