/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the loader's ACPI parser. The input is physical memory (laid.h), RSDP first. The
 * parser may read what it was given and nothing else. With the first byte's lowest bit the
 * checksums of the tables at the seeds' places are put right, so that what lies behind them is
 * reached.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/acpi.h"
#include "boot/hide.h"
#include "tests/fuzz/laid.h"

#define RSDP_V1 20u
#define RSDP_V2 36u
#define HEADER	36u
#define SUM	9u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	struct laid laid;
	size_t cpus;
	size_t tables;
};

static void fix(struct memory *memory, size_t at, size_t length, size_t sum_at)
{
	uint8_t sum = 0;

	if (at > memory->laid.size || length > memory->laid.size - at ||
	    sum_at >= memory->laid.size)
		return;
	memory->laid.bytes[sum_at] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory->laid.bytes[at + i]);
	memory->laid.bytes[sum_at] = (uint8_t)-sum;
}

static void fix_all(struct memory *memory)
{
	static const size_t tables[] = { 64, 128, 256, 1024 };

	fix(memory, 0, RSDP_V1, 8);
	fix(memory, 0, RSDP_V2, 32);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t length;

		if (tables[i] + HEADER > memory->laid.size)
			return;
		memcpy(&length, memory->laid.bytes + tables[i] + 4, sizeof(length));
		if (length >= HEADER)
			fix(memory, tables[i], length, tables[i] + SUM);
	}
}

/* An id that was read from behind the table's memory would trip the sanitizer here. */
static void count_cpu(void *context, const struct acpi_cpu *cpu)
{
	struct memory *memory = context;

	if (cpu->flags & ACPI_CPU_ENABLED)
		memory->cpus++;
	if (memory->cpus > memory->laid.size)
		abort();
}

/* Each entry takes four bytes at least, in one of two lists. */
static void count_table(void *context, uint64_t address, const uint8_t *signature)
{
	struct memory *memory = context;

	if (signature != laid_map(memory, address, 4) || ++memory->tables > memory->laid.size / 2)
		abort();
}

static bool write_byte(void *context, uint64_t address, uint8_t value)
{
	struct memory *memory = context;

	if (address < LAID_BASE || address - LAID_BASE >= memory->laid.size)
		abort();
	memory->laid.bytes[address - LAID_BASE] = value;
	return true;
}

static uint8_t sum(const struct memory *memory)
{
	uint8_t all = 0;

	for (size_t i = 0; i < memory->laid.size; i++)
		all = (uint8_t)(all + memory->laid.bytes[i]);
	return all;
}

/* Checksums stay as right as they were. */
static void hide(struct memory *memory)
{
	const struct acpi_memory ways = { laid_map, write_byte, memory };
	uint8_t before = sum(memory);

	if (!hide_device(LAID_BASE, &ways, "MSFT0101") || sum(memory) != before)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootinfo_power power;
	struct memory memory;
	enum acpi_result result;

	if (size < 2)
		return 0;
	memory.laid.size = size - 1;
	memory.cpus = memory.tables = 0;
	memory.laid.bytes = malloc(memory.laid.size);
	memcpy(memory.laid.bytes, data + 1, memory.laid.size);
	if (data[0] & 1)
		fix_all(&memory);
	result = acpi_find_power(LAID_BASE, laid_map, &memory, &power);
	if (result != ACPI_OK &&
	    (power.pm1a_control || power.pm1b_control || power.reset_port || power.reset_value ||
		power.s5_type != POWER_S5_UNKNOWN))
		abort();
	if (power.s5_type > 7 && power.s5_type != POWER_S5_UNKNOWN)
		abort();
	(void)acpi_cpus(LAID_BASE, laid_map, count_cpu, &memory);
	acpi_tables(LAID_BASE, laid_map, count_table, &memory);
	hide(&memory);
	free(memory.laid.bytes);
	return 0;
}
