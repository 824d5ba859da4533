/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * ACPI tables in memory, found by their signature.
 */
#include "tools/doctor/acpi.h"

#include "tools/doctor/bytes.h"

#define RSDP_V1 20u
#define RSDP_V2 36u

struct reader {
	acpi_map_fn map;
	void *context;
};

static const uint8_t *map(const struct reader *reader, uint64_t address, uint64_t length)
{
	if (address == 0 || address + length < address)
		return NULL;
	return reader->map(reader->context, address, length);
}

bool acpi_whole(struct bytes table, const char *signature)
{
	return table.data && table.size >= ACPI_HEADER && table.size <= ACPI_TABLE_MAX &&
	    same_bytes(table.data, signature, 4) && get32(table.data + 4) == table.size &&
	    sums_to_zero(table.data, table.size);
}

static bool open_table(const struct reader *reader, uint64_t address, const char *signature,
    struct bytes *table)
{
	const uint8_t *header = map(reader, address, ACPI_HEADER);

	if (!header)
		return false;
	table->size = get32(header + 4);
	if (table->size < ACPI_HEADER || table->size > ACPI_TABLE_MAX)
		return false;
	table->data = map(reader, address, table->size);
	return acpi_whole(*table, signature);
}

/* The table that lists the others. `step`: bytes of each of its entries. */
static bool open_root(const struct reader *reader, uint64_t rsdp, struct bytes *root,
    unsigned *step)
{
	const uint8_t *data = map(reader, rsdp, RSDP_V1);

	if (!data || !same_bytes(data, "RSD PTR ", 8) || !sums_to_zero(data, RSDP_V1))
		return false;
	*step = 4;
	if (data[15] >= 2) {
		data = map(reader, rsdp, RSDP_V2);
		if (!data || !sums_to_zero(data, RSDP_V2))
			return false;
		*step = get64(data + 24) ? 8 : 4;
	}
	return *step == 8 ? open_table(reader, get64(data + 24), "XSDT", root)
			  : open_table(reader, get32(data + 16), "RSDT", root);
}

enum fact acpi_find(uint64_t rsdp, acpi_map_fn map_fn, void *context, const char *signature,
    struct bytes *table)
{
	struct reader reader = { map_fn, context };
	struct bytes root;
	unsigned step;

	if (!rsdp)
		return FACT_ABSENT;
	if (!open_root(&reader, rsdp, &root, &step))
		return FACT_DAMAGED;
	for (size_t at = ACPI_HEADER; at + step <= root.size; at += step) {
		uint64_t address = step == 8 ? get64(root.data + at) : get32(root.data + at);
		const uint8_t *found = map(&reader, address, 4);

		if (found && same_bytes(found, signature, 4))
			return open_table(&reader, address, signature, table) ? FACT_OK
									      : FACT_DAMAGED;
	}
	return FACT_ABSENT;
}
