/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the loader's readers of DMAR and IVRS. The first byte says which table the rest is (1:
 * an IVRS), and whether another one of the other kind stands before it (2); signature, length and
 * checksum are put right (unless 4); its first letter (8) or its checksum (16) cannot be written.
 * The readers may read what they were given and nothing else; what they find must be what the boot
 * information wants, and be what a plain count of the table's structures says. Then the tables are
 * hidden: the next reading must find none.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/iommu.h"
#include "tests/fuzz/laid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RSDP_SIZE 36u
#define XSDT	  64u
#define OTHER	  128u
#define TABLE	  192u /* last, so that the sanitizer sees a read behind it */
#define HEAD	  48u
#define PAGE	  4096u

struct memory {
	struct laid laid;
	uint64_t locked; /* an offset that cannot be written; 0: none */
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool write_byte(void *context, uint64_t address, uint8_t value)
{
	const struct memory *memory = context;

	require(address >= LAID_BASE && address - LAID_BASE < memory->laid.size);
	if (memory->locked && address == LAID_BASE + memory->locked)
		return false;
	memory->laid.bytes[address - LAID_BASE] = value;
	return true;
}

static uint8_t sum(const uint8_t *bytes, size_t length)
{
	uint8_t total = 0;

	while (length--)
		total = (uint8_t)(total + *bytes++);
	return total;
}

static void fix_table(uint8_t *table, const char *signature, uint32_t length)
{
	memcpy(table, signature, 4);
	memcpy(table + 4, &length, 4);
	table[9] = (uint8_t)(table[9] - sum(table, length));
}

/* RSDP and XSDT, an empty table of the other kind, and the input. */
static struct memory build(const uint8_t *data, size_t size)
{
	struct memory memory = { { calloc(1, TABLE + size - 1), TABLE + size - 1 }, 0 };
	uint8_t *rsdp = memory.laid.bytes;
	bool ivrs = data[0] & 1, both = data[0] & 2;
	uint64_t lists[] = { LAID_BASE + XSDT, LAID_BASE + TABLE, LAID_BASE + OTHER };

	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	memcpy(rsdp + 24, &lists[0], 8);
	rsdp[8] = (uint8_t)(rsdp[8] - sum(rsdp, 20));
	rsdp[32] = (uint8_t)(rsdp[32] - sum(rsdp, RSDP_SIZE));
	memcpy(rsdp + XSDT + 36, &lists[1], 16);
	fix_table(rsdp + XSDT, "XSDT", both ? 52 : 44);
	fix_table(rsdp + OTHER, ivrs ? "DMAR" : "IVRS", HEAD);
	memcpy(rsdp + TABLE, data + 1, size - 1);
	if (!(data[0] & 4))
		fix_table(rsdp + TABLE, ivrs ? "IVRS" : "DMAR", (uint32_t)(size - 1));
	if (data[0] & 24)
		memory.locked = TABLE + (data[0] & 8 ? 0 : 9);
	return memory;
}

static bool meet(const struct bootinfo_range *a, const struct bootinfo_range *b)
{
	return a->base < b->base + b->pages * PAGE && b->base < a->base + a->pages * PAGE;
}

/* The rules of monitor/abi/bootinfo.h, and that no reserved range holds registers. */
static void check_units(const struct iommus *found, const struct ranges *usable)
{
	uint64_t last = 1;

	require(found->count <= BOOTINFO_IOMMUS);
	for (uint32_t i = 0; i < found->count; i++) {
		const struct bootinfo_iommu *unit = &found->unit[i];
		struct bootinfo_range registers = { unit->base, unit->pages };

		require(unit->base % PAGE == 0 && unit->base >= last && unit->pages > 0);
		require(unit->kind == found->unit[0].kind && unit->kind >= 1 && unit->kind <= 2);
		last = unit->base + (uint64_t)unit->pages * PAGE;
		require(last <= 1ull << 52);
		for (size_t k = 0; k < usable->count; k++)
			require(!meet(&registers, &usable->range[k]));
		for (uint32_t k = 0; k < found->range_count; k++)
			require(!meet(&registers, &found->range[k]));
	}
}

static void check_ranges(const struct iommus *found)
{
	require(found->range_count <= IOMMU_RANGES);
	for (uint32_t i = 0; i < found->range_count; i++) {
		const struct bootinfo_range *range = &found->range[i];

		require(range->base % PAGE == 0 && range->pages - 1 < 1u << 18);
		require(range->base + range->pages * PAGE <= 1ull << 52);
	}
}

/* How many structures of a type a right table has; both tables' lengths are at offset 2. */
static unsigned count(const uint8_t *table, uint32_t length, unsigned first, unsigned last)
{
	unsigned number = 0;

	for (uint32_t at = HEAD; at < length; at += table[at + 2] | (uint32_t)table[at + 3] << 8)
		number += table[at] >= first && table[at] <= last &&
		    (table[0] == 'I' || table[at + 1] == 0);
	return number;
}

static void check_found(const struct iommus *found, const uint8_t *table)
{
	uint32_t length;

	memcpy(&length, table + 4, 4);
	require(!found->count == (found->status != IOMMU_TABLES_OK));
	require(!found->complaint[0] == (found->status <= IOMMU_TABLES_OK));
	require(found->status <= IOMMU_TABLES_UNSUPPORTED);
	if (found->status != IOMMU_TABLES_OK)
		return;
	require(found->address_bits <= 52);
	if (found->unit[0].kind == BOOTINFO_IOMMU_VTD) {
		require(found->count == count(table, length, 0, 0));
		require(found->range_count == count(table, length, 1, 1));
	} else {
		require(found->count >= count(table, length, 0x10, 0x10));
		require(found->count >= count(table, length, 0x11, 0x11));
		require(found->count >= count(table, length, 0x40, 0x40));
		require(found->range_count == count(table, length, 0x20, 0x22));
	}
}

static void check_hidden(struct memory *memory, const struct ranges *usable)
{
	uint8_t before = sum(memory->laid.bytes, memory->laid.size);
	const uint8_t *table = memory->laid.bytes + TABLE;
	bool is_table = !memcmp(table, "DMAR", 4) || !memcmp(table, "IVRS", 4);
	bool complete = iommus_hide(LAID_BASE, laid_map, write_byte, memory);
	struct iommus found;

	require(complete == !(is_table && memory->locked));
	require(sum(memory->laid.bytes, memory->laid.size) == before);
	iommus_find(LAID_BASE, laid_map, memory, usable, &found);
	require(!complete || found.status == IOMMU_TABLES_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bootinfo_range range[] = { { 0x1000, 0x9f }, { 0x100000, 0x7ff00 } };
	struct ranges usable = { range, 2, 2 };
	struct iommus found;
	struct memory memory;

	if (size < 1 + HEAD)
		return 0;
	memory = build(data, size);
	iommus_find(LAID_BASE, laid_map, &memory, &usable, &found);
	check_units(&found, &usable);
	check_ranges(&found);
	check_found(&found, memory.laid.bytes + TABLE);
	check_hidden(&memory, &usable);
	free(memory.laid.bytes);
	return 0;
}
