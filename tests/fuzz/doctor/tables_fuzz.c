/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the doctor's ACPI parser. The input is physical memory (laid.h), RSDP first, and
 * each table that is found there is read; then the same bytes are read as a table of each kind.
 * With the first byte's lowest bit the checksums at the seeds' places are put right.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/laid.h"
#include "tools/doctor/acpi.h"

#define ROOT 64u
#define BODY 128u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix(struct laid *memory, size_t at, size_t length, size_t sum_at)
{
	uint8_t sum = 0;

	if (at > memory->size || length > memory->size - at || sum_at >= length)
		return;
	memory->bytes[at + sum_at] = 0;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + memory->bytes[at + i]);
	memory->bytes[at + sum_at] = (uint8_t)-sum;
}

static void fix_table(struct laid *memory, size_t at)
{
	uint32_t length;

	if (at + ACPI_HEADER > memory->size)
		return;
	memcpy(&length, memory->bytes + at + 4, sizeof(length));
	fix(memory, at, length, 9);
}

/* Every reader, whatever the table says it is. */
static void read_all(struct bytes table)
{
	struct acpi_cpus cpus;
	struct acpi_iommu iommu;
	uint32_t method;
	uint16_t port;

	if (acpi_read_cpus(table, &cpus) == FACT_OK &&
	    cpus.enabled + cpus.disabled + cpus.addable > table.size / 8)
		abort();
	if (acpi_read_dmar(table, &iommu) == FACT_OK && iommu.units > table.size / 16)
		abort();
	if (acpi_read_ivrs(table, &iommu) == FACT_OK && iommu.units > table.size / 16)
		abort();
	acpi_read_tpm2(table, &method);
	acpi_read_sleep(table, &port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const signatures[] = { "APIC", "DMAR", "IVRS", "TPM2", "FACP" };
	struct laid memory = { .size = size - 1 };

	if (size < 2)
		return 0;
	memory.bytes = malloc(memory.size);
	memcpy(memory.bytes, data + 1, memory.size);
	if (data[0] & 1) {
		fix(&memory, 0, 20, 8);
		fix(&memory, 0, 36, 32);
		fix_table(&memory, ROOT);
		fix_table(&memory, BODY);
	}
	for (unsigned i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		struct bytes table;

		if (acpi_find(LAID_BASE, laid_map, &memory, signatures[i], &table) == FACT_OK)
			read_all(table);
	}
	read_all((struct bytes){ memory.bytes, memory.size });
	free(memory.bytes);
	return 0;
}
