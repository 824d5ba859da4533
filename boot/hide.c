/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Tables and devices that are hidden (hide.h).
 */
#include "boot/hide.h"

#include "boot/bytes.h"

#define CHECKSUM   9u /* offset in a table */
#define HIDDEN	   ((uint8_t)'X')
#define NAME_BYTES 8u
#define AML_STRING 0x0du /* in front of the characters; a zero is behind them */

struct hiding {
	const struct acpi_memory *memory;
	const char *wanted;
	bool complete;
};

static const uint8_t *map_for(void *context, uint64_t address, uint64_t length)
{
	const struct hiding *hiding = context;

	return hiding->memory->map(hiding->memory->context, address, length);
}

static bool write(const struct hiding *hiding, uint64_t address, uint8_t value)
{
	return hiding->memory->write(hiding->memory->context, address, value);
}

/* Puts the letter in place of the byte at an offset of a table, or changes nothing. */
static void change(struct hiding *hiding, uint64_t address, const uint8_t *table, uint32_t at)
{
	uint8_t before = table[at];
	uint8_t sum = (uint8_t)(table[CHECKSUM] + before - HIDDEN);

	if (!write(hiding, address + at, HIDDEN)) {
		hiding->complete = false;
	} else if (!write(hiding, address + CHECKSUM, sum)) {
		write(hiding, address + at, before);
		hiding->complete = false;
	}
}

static void hide_table(void *context, uint64_t address, const uint8_t *signature)
{
	struct hiding *hiding = context;
	const uint8_t *table = map_for(hiding, address, CHECKSUM + 1);

	if (!bytes_equal(signature, hiding->wanted, 4))
		return;
	if (table)
		change(hiding, address, table, 0);
	else
		hiding->complete = false;
}

bool hide_tables(uint64_t rsdp, const struct acpi_memory *memory, const char *signature)
{
	struct hiding hiding = { memory, signature, true };

	acpi_tables(rsdp, map_for, hide_table, &hiding);
	return hiding.complete;
}

/* ---- Devices ---- */

static bool names_it(const uint8_t *aml, const char *name)
{
	return aml[0] == AML_STRING && bytes_equal(aml + 1, name, NAME_BYTES) &&
	    aml[1 + NAME_BYTES] == 0;
}

/* Byte by byte, for AML cannot be skipped uninterpreted. A damaged table is left alone. */
static void hide_name(struct hiding *hiding, uint64_t address)
{
	struct acpi_table table;

	if (!acpi_table_at(map_for, hiding, address, &table))
		return;
	for (uint32_t at = ACPI_HEADER; at + NAME_BYTES + 2 <= table.length; at++)
		if (names_it(table.data + at, hiding->wanted))
			change(hiding, address, table.data, at + 1);
}

static void look_into(void *context, uint64_t address, const uint8_t *signature)
{
	struct hiding *hiding = context;
	struct acpi_table fadt;

	if (bytes_equal(signature, "SSDT", 4))
		hide_name(hiding, address);
	else if (bytes_equal(signature, "FACP", 4) &&
	    acpi_table_at(map_for, hiding, address, &fadt))
		hide_name(hiding, acpi_dsdt(&fadt));
}

bool hide_device(uint64_t rsdp, const struct acpi_memory *memory, const char *name)
{
	struct hiding hiding = { memory, name, true };

	acpi_tables(rsdp, map_for, look_into, &hiding);
	return hiding.complete;
}
