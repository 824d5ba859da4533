/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The DMAR table (VT-d specification, chapter 8): a head, then structures with a type and a length.
 * Devices are named by scopes: a bus to start from, and a path of devices and functions from there.
 */
#include "boot/bytes.h"
#include "boot/iommu_read.h"

/* Offsets in the table. */
#define WIDTH	   36u /* of addresses, less 1 */
#define STRUCTURES 48u

/* Types of structures. */
#define DRHD 0u /* a unit */
#define RMRR 1u /* a range that is some devices' */
#define ATSR 2u
#define RHSA 3u
#define ANDD 4u
#define SATC 5u
#define SIDP 6u

/* Offsets in structures. */
#define LENGTH	   2u
#define DRHD_FLAGS 4u
#define DRHD_SIZE  5u /* bits 3:0: of registers, as a power of two of pages */
#define SEGMENT	   6u
#define DRHD_BASE  8u
#define RMRR_BASE  8u
#define RMRR_LIMIT 16u /* the last byte's address */
#define DRHD_ALL   1u
#define DRHD_SIZES 15u
#define WIDTH_MAX  52u

/* Offsets in a scope; its last types and its shortest length. */
#define SCOPE_LENGTH 1u
#define SCOPE_DEVICE 5u /* the bus, then the path */
#define SCOPE_MIN    8u
#define SCOPE_FIRST  1u
#define SCOPE_LAST   5u

/* The shortest of each type, and where its scopes begin; 0: it has none. */
static const struct {
	uint32_t minimum;
	uint32_t scopes;
} kinds[] = {
	[DRHD] = { 16, 16 },
	[RMRR] = { 24, 24 },
	[ATSR] = { 8, 8 },
	[RHSA] = { 20, 0 },
	[ANDD] = { 8, 0 },
	[SATC] = { 8, 8 },
	[SIDP] = { 8, 8 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static uint32_t end_of(const struct iommu_reading *r, uint32_t at)
{
	return at + get16(r->table.data + at + LENGTH);
}

static bool scope_fits(struct iommu_reading *r, uint32_t at, uint32_t end)
{
	uint32_t length = end - at > SCOPE_LENGTH ? r->table.data[at + SCOPE_LENGTH] : 0;

	if (end - at <= SCOPE_LENGTH || length > end - at)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a device scope ends beyond its structure");
	if (length < SCOPE_MIN)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at, "a device scope has no path");
	if (length % 2)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a device scope's path ends within a step");
	return true;
}

/* Whether the scopes of the structure at `at` fit; of `known` types only, if that matters. */
static bool scopes_fit(struct iommu_reading *r, uint32_t at, uint32_t first, bool known)
{
	const uint8_t *data = r->table.data;
	uint32_t end = end_of(r, at);

	for (uint32_t scope = at + first; scope < end; scope += data[scope + SCOPE_LENGTH]) {
		if (!scope_fits(r, scope, end))
			return false;
		if (data[scope] >= SCOPE_FIRST && data[scope] <= SCOPE_LAST)
			continue;
		if (known)
			return iommu_fail(r, IOMMU_TABLES_UNSUPPORTED, scope,
			    "a unit's device scope is of a type that is not known");
		r->found->skipped++;
	}
	return true;
}

static bool read_unit(struct iommu_reading *r, uint32_t at)
{
	const struct iommus *found = r->found;
	const uint8_t *drhd = r->table.data + at;
	struct bootinfo_iommu unit = {
		.base = get64(drhd + DRHD_BASE),
		.kind = BOOTINFO_IOMMU_VTD,
		.segment = get16(drhd + SEGMENT),
		.flags = drhd[DRHD_FLAGS] & DRHD_ALL ? BOOTINFO_IOMMU_ALL : 0,
		.pages = 1u << (drhd[DRHD_SIZE] & DRHD_SIZES),
	};

	for (uint32_t i = 0; i < found->count; i++)
		if (found->unit[i].segment == unit.segment &&
		    found->unit[i].flags & BOOTINFO_IOMMU_ALL)
			return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
			    unit.flags & BOOTINFO_IOMMU_ALL
				? "a segment has two units for all its devices"
				: "a unit comes behind the one for all devices of its segment");
	return iommu_add_unit(r, at, &unit);
}

static bool read_range(struct iommu_reading *r, uint32_t at)
{
	const uint8_t *rmrr = r->table.data + at;
	uint64_t base = get64(rmrr + RMRR_BASE), limit = get64(rmrr + RMRR_LIMIT);

	if (limit < base)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a reserved range ends before it begins");
	return iommu_add_range(r, at, base, limit - base + 1);
}

static bool read_structure(struct iommu_reading *r, uint32_t at)
{
	const uint8_t *data = r->table.data + at;
	uint32_t type;
	bool known;

	if (!iommu_structure_fits(r, at, LENGTH + 2))
		return false;
	type = get16(data);
	if (type >= KINDS) {
		r->found->skipped++;
		return true;
	}
	if (!iommu_structure_fits(r, at, kinds[type].minimum))
		return false;
	known = type == DRHD && !(data[DRHD_FLAGS] & DRHD_ALL);
	if (kinds[type].scopes && !scopes_fit(r, at, kinds[type].scopes, known))
		return false;
	if (type == DRHD)
		return read_unit(r, at);
	return type != RMRR || read_range(r, at);
}

/* Whether a scope of a unit names what `wanted` does. How it is typed makes no difference. */
static bool unit_has(const struct iommu_reading *r, uint32_t unit, const uint8_t *wanted)
{
	const uint8_t *data = r->table.data;
	uint32_t end = end_of(r, r->at[unit]);

	for (uint32_t scope = r->at[unit] + kinds[DRHD].scopes; scope < end;
	     scope += data[scope + SCOPE_LENGTH])
		if (data[scope + SCOPE_LENGTH] == wanted[SCOPE_LENGTH] &&
		    bytes_equal(data + scope + SCOPE_DEVICE, wanted + SCOPE_DEVICE,
			wanted[SCOPE_LENGTH] - SCOPE_DEVICE))
			return true;
	return false;
}

static bool is_another_units(const struct iommu_reading *r, uint32_t unit, const uint8_t *scope)
{
	for (uint32_t i = 0; i < unit; i++)
		if (r->found->unit[i].segment == r->found->unit[unit].segment &&
		    unit_has(r, i, scope))
			return true;
	return false;
}

/* Whether no device is in the scopes of two units of a segment. */
static bool scopes_apart(struct iommu_reading *r)
{
	const uint8_t *data = r->table.data;

	for (uint32_t i = 1; i < r->found->count; i++)
		for (uint32_t scope = r->at[i] + kinds[DRHD].scopes; scope < end_of(r, r->at[i]);
		     scope += data[scope + SCOPE_LENGTH])
			if (is_another_units(r, i, data + scope))
				return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, scope,
				    "a device is in the scopes of two units");
	return true;
}

bool dmar_read(struct iommu_reading *r)
{
	if (r->table.length < STRUCTURES)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, 0, "the table is shorter than its head");
	r->found->address_bits = r->table.data[WIDTH] + 1u;
	if (r->found->address_bits > WIDTH_MAX)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, WIDTH,
		    "addresses have more bits than any machine's");
	for (uint32_t at = STRUCTURES; at < r->table.length; at = end_of(r, at))
		if (!read_structure(r, at))
			return false;
	return scopes_apart(r);
}
