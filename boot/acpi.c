/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The FADT's power registers, the DSDT's \_S5, the MADT's CPUs.
 */
#include "boot/acpi.h"

#include <stdbool.h>
#include <stddef.h>

#include "boot/bytes.h"

#define TABLE_MAX (4u << 20) /* bytes; real tables, DSDTs too, are far below */
#define RSDP_V1	  20u
#define RSDP_V2	  36u

/* Offsets in the FADT. */
#define FADT_DSDT	     40u
#define FADT_PM1A_CONTROL    64u
#define FADT_PM1B_CONTROL    68u
#define FADT_FLAGS	     112u
#define FADT_RESET_REG	     116u
#define FADT_RESET_VALUE     128u
#define FADT_X_DSDT	     140u
#define FADT_X_PM1A_CONTROL  172u
#define FADT_X_PM1B_CONTROL  184u
#define FADT_RESET_SUPPORTED (1u << 10)
#define FADT_HW_REDUCED	     (1u << 20)

/* Offsets in the MADT, and of its entries: type and length, then what the type says. */
#define MADT_ENTRIES	 44u
#define MADT_LAPIC	 0u
#define MADT_LAPIC_SIZE	 8u
#define MADT_X2APIC	 9u
#define MADT_X2APIC_SIZE 16u

/* A generic address structure: space, width, offset, access, address. */
#define GAS_SIZE    12u
#define GAS_ADDRESS 4u
#define GAS_IO	    1u

/* AML opcodes of a named package of small numbers. */
#define AML_ZERO    0x00u
#define AML_ONE	    0x01u
#define AML_NAME    0x08u
#define AML_BYTE    0x0au
#define AML_PACKAGE 0x12u
#define SLP_TYP_MAX 7u

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

static bool sums_to_zero(const uint8_t *data, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

/* A table with the header all share, whole and with a right checksum. */
static bool open_table(const struct reader *reader, uint64_t address, struct acpi_table *table)
{
	const uint8_t *header = map(reader, address, ACPI_HEADER);

	if (!header)
		return false;
	table->length = get32(header + 4);
	if (table->length < ACPI_HEADER || table->length > TABLE_MAX)
		return false;
	table->data = map(reader, address, table->length);
	return table->data && sums_to_zero(table->data, table->length);
}

bool acpi_table_at(acpi_map_fn map_fn, void *context, uint64_t address, struct acpi_table *table)
{
	struct reader reader = { map_fn, context };

	return open_table(&reader, address, table);
}

/* Where the tables that list the others are; 0: not there. */
struct roots {
	uint64_t xsdt;
	uint64_t rsdt;
};

static bool read_rsdp(const struct reader *reader, uint64_t rsdp, struct roots *roots)
{
	const uint8_t *data = map(reader, rsdp, RSDP_V1);

	if (!data || !bytes_equal(data, "RSD PTR ", 8) || !sums_to_zero(data, RSDP_V1))
		return false;
	*roots = (struct roots){ 0, get32(data + 16) };
	if (data[15] >= 2) {
		data = map(reader, rsdp, RSDP_V2);
		if (!data || !sums_to_zero(data, RSDP_V2))
			return false;
		roots->xsdt = get64(data + 24);
	}
	return true;
}

/* A table that lists the others; entries of an XSDT have 8 bytes, those of an RSDT 4. */
struct list {
	struct acpi_table table;
	uint32_t step;
};

static bool open_list(const struct reader *reader, uint64_t address, bool wide, struct list *list)
{
	list->step = wide ? 8 : 4;
	return open_table(reader, address, &list->table) &&
	    bytes_equal(list->table.data, wide ? "XSDT" : "RSDT", 4);
}

/* The list that an operating system takes. */
static bool open_root(const struct reader *reader, uint64_t rsdp, struct list *list)
{
	struct roots roots;

	return read_rsdp(reader, rsdp, &roots) &&
	    open_list(reader, roots.xsdt ? roots.xsdt : roots.rsdt, roots.xsdt != 0, list);
}

static uint64_t entry_at(const struct list *list, uint32_t at)
{
	return list->step == 8 ? get64(list->table.data + at) : get32(list->table.data + at);
}

static enum acpi_result find_table(const struct reader *reader, uint64_t rsdp, const char *wanted,
    struct acpi_table *table)
{
	enum acpi_result missing = ACPI_ABSENT;
	struct list list;

	if (!rsdp)
		return ACPI_ABSENT;
	if (!open_root(reader, rsdp, &list))
		return ACPI_DAMAGED;
	for (uint32_t at = ACPI_HEADER; at + list.step <= list.table.length; at += list.step) {
		uint64_t address = entry_at(&list, at);
		const uint8_t *signature = map(reader, address, 4);

		if (signature && bytes_equal(signature, wanted, 4))
			return open_table(reader, address, table) ? ACPI_OK : ACPI_DAMAGED;
		if (address && !signature)
			missing = ACPI_DAMAGED;
	}
	return missing;
}

enum acpi_result acpi_find_table(uint64_t rsdp, acpi_map_fn map_fn, void *context,
    const char *signature, struct acpi_table *table)
{
	struct reader reader = { map_fn, context };

	return find_table(&reader, rsdp, signature, table);
}

static void visit_list(const struct reader *reader, const struct list *list, acpi_table_fn visit)
{
	for (uint32_t at = ACPI_HEADER; at + list->step <= list->table.length; at += list->step) {
		uint64_t address = entry_at(list, at);
		const uint8_t *signature = map(reader, address, 4);

		if (signature)
			visit(reader->context, address, signature);
	}
}

void acpi_tables(uint64_t rsdp, acpi_map_fn map_fn, acpi_table_fn visit, void *context)
{
	struct reader reader = { map_fn, context };
	struct roots roots;
	struct list list;

	if (!read_rsdp(&reader, rsdp, &roots))
		return;
	if (open_list(&reader, roots.xsdt, true, &list))
		visit_list(&reader, &list, visit);
	if (open_list(&reader, roots.rsdt, false, &list))
		visit_list(&reader, &list, visit);
}

/* The port of a GAS at `at`; 0 if the table ends before it, or it names no I/O port. */
static uint16_t gas_port(const struct acpi_table *fadt, uint32_t at)
{
	uint64_t address;

	if (at + GAS_SIZE > fadt->length || fadt->data[at] != GAS_IO)
		return 0;
	address = get64(fadt->data + at + GAS_ADDRESS);
	return address <= 0xffff ? (uint16_t)address : 0;
}

/* The extended field if it names a port, else the old one. */
static uint16_t control_port(const struct acpi_table *fadt, uint32_t extended, uint32_t old)
{
	uint16_t port = gas_port(fadt, extended);
	uint32_t address;

	if (port || old + 4 > fadt->length)
		return port;
	address = get32(fadt->data + old);
	return address <= 0xffff ? (uint16_t)address : 0;
}

static void read_fadt(const struct acpi_table *fadt, struct bootinfo_power *power)
{
	uint32_t flags = FADT_FLAGS + 4 <= fadt->length ? get32(fadt->data + FADT_FLAGS) : 0;

	if (!(flags & FADT_HW_REDUCED)) {
		power->pm1a_control = control_port(fadt, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL);
		power->pm1b_control = control_port(fadt, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL);
	}
	if (flags & FADT_RESET_SUPPORTED && FADT_RESET_VALUE < fadt->length) {
		power->reset_port = gas_port(fadt, FADT_RESET_REG);
		power->reset_value = power->reset_port ? fadt->data[FADT_RESET_VALUE] : 0;
	}
}

/*
 * The first element of the package behind a name at `at`: PackageOp, PkgLength (1 to 4 bytes, its
 * first byte's top two bits say how many follow), NumElements, then Zero, One or a byte.
 */
static uint8_t package_first(const struct acpi_table *dsdt, uint32_t at)
{
	uint32_t value;

	if (at + 2 > dsdt->length || dsdt->data[at] != AML_PACKAGE)
		return POWER_S5_UNKNOWN;
	value = at + 3 + (dsdt->data[at + 1] >> 6);
	if (value + 2 > dsdt->length || dsdt->data[value - 1] == 0)
		return POWER_S5_UNKNOWN;
	if (dsdt->data[value] == AML_ZERO || dsdt->data[value] == AML_ONE)
		return dsdt->data[value];
	if (dsdt->data[value] == AML_BYTE && dsdt->data[value + 1] <= SLP_TYP_MAX)
		return dsdt->data[value + 1];
	return POWER_S5_UNKNOWN;
}

/*
 * Looks for Name (\_S5, Package ...) byte by byte: AML cannot be skipped without interpreting it.
 */
static uint8_t find_s5(const struct acpi_table *dsdt)
{
	for (uint32_t at = ACPI_HEADER; at + 5 < dsdt->length; at++) {
		uint32_t name = at + 1 + (dsdt->data[at + 1] == '\\');

		if (dsdt->data[at] == AML_NAME && name + 4 < dsdt->length &&
		    bytes_equal(dsdt->data + name, "_S5_", 4))
			return package_first(dsdt, name + 4);
	}
	return POWER_S5_UNKNOWN;
}

uint64_t acpi_dsdt(const struct acpi_table *fadt)
{
	uint64_t address = FADT_X_DSDT + 8 <= fadt->length ? get64(fadt->data + FADT_X_DSDT) : 0;

	if (!address && FADT_DSDT + 4 <= fadt->length)
		address = get32(fadt->data + FADT_DSDT);
	return address;
}

static uint8_t s5_type(const struct reader *reader, const struct acpi_table *fadt)
{
	struct acpi_table dsdt;

	if (!open_table(reader, acpi_dsdt(fadt), &dsdt) || !bytes_equal(dsdt.data, "DSDT", 4))
		return POWER_S5_UNKNOWN;
	return find_s5(&dsdt);
}

enum acpi_result acpi_find_power(uint64_t rsdp, acpi_map_fn map_fn, void *context,
    struct bootinfo_power *power)
{
	struct reader reader = { map_fn, context };
	struct acpi_table fadt;
	enum acpi_result result;

	*power = (struct bootinfo_power){ .s5_type = POWER_S5_UNKNOWN };
	result = find_table(&reader, rsdp, "FACP", &fadt);
	if (result == ACPI_OK) {
		read_fadt(&fadt, power);
		power->s5_type = s5_type(&reader, &fadt);
	}
	return result;
}

/* The CPU that an entry of the MADT tells of; false: it tells of something else. */
static bool madt_cpu(const uint8_t *entry, struct acpi_cpu *cpu)
{
	if (entry[0] == MADT_LAPIC && entry[1] >= MADT_LAPIC_SIZE)
		*cpu = (struct acpi_cpu){ entry[3], get32(entry + 4) };
	else if (entry[0] == MADT_X2APIC && entry[1] >= MADT_X2APIC_SIZE)
		*cpu = (struct acpi_cpu){ get32(entry + 4), get32(entry + 8) };
	else
		return false;
	return true;
}

enum acpi_result acpi_cpus(uint64_t rsdp, acpi_map_fn map_fn, acpi_cpu_fn visit, void *context)
{
	struct reader reader = { map_fn, context };
	struct acpi_cpu cpu;
	struct acpi_table madt;
	enum acpi_result result = find_table(&reader, rsdp, "APIC", &madt);
	uint32_t at = MADT_ENTRIES;

	if (result == ACPI_OK && madt.length < MADT_ENTRIES)
		return ACPI_DAMAGED;
	while (result == ACPI_OK && at < madt.length) {
		const uint8_t *entry = madt.data + at;

		if (madt.length - at < 2 || entry[1] < 2 || entry[1] > madt.length - at)
			return ACPI_DAMAGED;
		if (madt_cpu(entry, &cpu))
			visit(context, &cpu);
		at += entry[1];
	}
	return result;
}
