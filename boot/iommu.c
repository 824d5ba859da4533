/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * IOMMUs: the two tables, what units and ranges must fulfil whichever table has them, and hiding
 * the tables.
 */
#include "boot/bytes.h"
#include "boot/hide.h"
#include "boot/iommu_read.h"
#include "boot/text.h"

#define PAGE		 4096u
#define TABLE_MAX	 (64u << 10)  /* bytes; real tables have a few hundred */
#define RANGE_MAX	 (1ull << 30) /* bytes; the largest known are a display's memory */
#define ADDRESS_END	 (1ull << 52) /* no CPU has more physical address bits */
#define STRUCTURE_HEADER 4u	      /* type and length */

bool iommu_fail(struct iommu_reading *r, enum iommu_tables status, uint32_t at, const char *what)
{
	r->found->status = status;
	text_format(r->found->complaint, IOMMU_COMPLAINT, "%s, offset 0x%x: %s", r->name, at, what);
	return false;
}

bool iommu_structure_fits(struct iommu_reading *r, uint32_t at, uint32_t minimum)
{
	uint32_t left = r->table.length - at;
	uint32_t length = left < STRUCTURE_HEADER ? 0 : get16(r->table.data + at + 2);

	if (left < STRUCTURE_HEADER)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "the table ends within the head of a structure");
	if (length < minimum)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a structure is shorter than one of its type can be");
	if (length > left)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at, "a structure ends beyond the table");
	return true;
}

bool iommu_add_unit(struct iommu_reading *r, uint32_t at, const struct bootinfo_iommu *unit)
{
	struct iommus *found = r->found;

	if (found->count == BOOTINFO_IOMMUS)
		return iommu_fail(r, IOMMU_TABLES_TOO_MANY, at,
		    "there are more units than the monitor has room for");
	r->at[found->count] = at;
	found->unit[found->count++] = *unit;
	return true;
}

bool iommu_add_range(struct iommu_reading *r, uint32_t at, uint64_t base, uint64_t length)
{
	struct iommus *found = r->found;

	if (base % PAGE || length % PAGE)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a reserved range does not consist of pages");
	if (length == 0 || length > RANGE_MAX)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a reserved range is empty or larger than 1 GiB");
	if (base > ADDRESS_END - length)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a reserved range lies beyond all memory");
	if (found->range_count == IOMMU_RANGES)
		return iommu_fail(r, IOMMU_TABLES_TOO_MANY, at,
		    "there are more reserved ranges than the loader has room for");
	r->range_at[found->range_count] = at;
	found->range[found->range_count++] = (struct bootinfo_range){ base, length / PAGE };
	return true;
}

/* What is wrong with where a unit's registers lie, other units aside; NULL: nothing. */
static const char *place_complaint(const struct bootinfo_iommu *unit, const struct ranges *usable)
{
	if (unit->base == 0)
		return "a unit's registers lie at address 0";
	if (unit->base % PAGE)
		return "a unit's registers do not lie on pages";
	if (unit->base > ADDRESS_END - (uint64_t)unit->pages * PAGE)
		return "a unit's registers lie beyond all memory";
	if (ranges_meeting(usable->range, usable->count, unit->base, unit->pages))
		return "a unit's registers lie in usable memory";
	return NULL;
}

static bool units_meet(const struct bootinfo_iommu *a, const struct bootinfo_iommu *b)
{
	struct bootinfo_range registers = { a->base, a->pages };

	return ranges_meeting(&registers, 1, b->base, b->pages);
}

/* Whether each unit's registers are where they can be, and no other unit's or device's to write. */
static bool units_fit(struct iommu_reading *r, const struct ranges *usable)
{
	const struct iommus *found = r->found;
	const struct bootinfo_range *range;
	const char *complaint;

	for (uint32_t i = 0; i < found->count; i++) {
		const struct bootinfo_iommu *unit = &found->unit[i];

		complaint = place_complaint(unit, usable);
		if (complaint)
			return iommu_fail(r, IOMMU_TABLES_DAMAGED, r->at[i], complaint);
		if (unit->base + unit->pages * 4096ull > IOMMU_END)
			return iommu_fail(r, IOMMU_TABLES_UNSUPPORTED, r->at[i],
			    "a unit's registers lie above 4 GiB");
		for (uint32_t k = 0; k < i; k++)
			if (units_meet(&found->unit[k], unit))
				return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, r->at[i],
				    "a unit's registers overlap those of another");
		range = ranges_meeting(found->range, found->range_count, unit->base, unit->pages);
		if (range)
			return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY,
			    r->range_at[range - found->range],
			    "a reserved range lets devices reach a unit's registers");
	}
	return true;
}

static void sort_units(struct iommus *found)
{
	for (uint32_t i = 1; i < found->count; i++)
		for (uint32_t k = i; k > 0 && found->unit[k].base < found->unit[k - 1].base; k--) {
			struct bootinfo_iommu unit = found->unit[k];

			found->unit[k] = found->unit[k - 1];
			found->unit[k - 1] = unit;
		}
}

static bool read_table(struct iommu_reading *r, bool (*read)(struct iommu_reading *),
    const struct ranges *usable)
{
	if (r->table.length > TABLE_MAX)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, STRUCTURE_HEADER,
		    "the table is larger than any that could be right");
	if (!read(r) || !units_fit(r, usable))
		return false;
	sort_units(r->found);
	if (r->found->count)
		r->found->status = IOMMU_TABLES_OK;
	return true;
}

void iommus_find(uint64_t rsdp, acpi_map_fn map, void *context, const struct ranges *usable,
    struct iommus *found)
{
	struct iommu_reading dmar = { "DMAR", { 0 }, found, { 0 }, { 0 } };
	struct iommu_reading ivrs = { "IVRS", { 0 }, found, { 0 }, { 0 } };
	enum acpi_result vtd, amdvi;
	bool right = true;

	*found = (struct iommus){ 0 };
	vtd = acpi_find_table(rsdp, map, context, "DMAR", &dmar.table);
	amdvi = acpi_find_table(rsdp, map, context, "IVRS", &ivrs.table);
	if (vtd == ACPI_DAMAGED || amdvi == ACPI_DAMAGED)
		right = iommu_fail(vtd == ACPI_DAMAGED ? &dmar : &ivrs, IOMMU_TABLES_DAMAGED, 0,
		    "the table, or the way to it, is damaged");
	else if (vtd == ACPI_OK && amdvi == ACPI_OK)
		right = iommu_fail(&ivrs, IOMMU_TABLES_CONTRADICTORY, 0,
		    "there is a DMAR too, and no machine has both kinds");
	else if (vtd == ACPI_OK)
		right = read_table(&dmar, dmar_read, usable);
	else if (amdvi == ACPI_OK)
		right = read_table(&ivrs, ivrs_read, usable);
	if (!right)
		found->count = 0;
}

bool iommus_hide(uint64_t rsdp, acpi_map_fn map, acpi_write_fn write, void *context)
{
	const struct acpi_memory memory = { map, write, context };
	bool vtd = hide_tables(rsdp, &memory, "DMAR");

	return hide_tables(rsdp, &memory, "IVRS") && vtd;
}
