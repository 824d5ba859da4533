/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The IVRS table (48882, chapter 5): a head, then blocks. A unit may have one block of each type
 * 10h, 11h and 40h; the newest counts. Devices are named by entries of a block, by requester id.
 */
#include "boot/bytes.h"
#include "boot/iommu_read.h"

/* Offsets in the table. */
#define IVINFO	  36u /* bits 14:8: how many bits addresses have */
#define BLOCKS	  48u
#define IVINFO_PA 8u
#define PA_MASK	  0x7fu
#define WIDTH_MAX 52u

/* Types of blocks. */
#define IVHD_10	      0x10u
#define IVHD_11	      0x11u
#define IVHD_40	      0x40u
#define IVMD_ALL      0x20u
#define IVMD_SELECTED 0x21u
#define IVMD_RANGE    0x22u

/* Offsets in blocks. */
#define LENGTH	      2u
#define IVHD_DEVICE   4u
#define IVHD_BASE     8u
#define IVHD_SEGMENT  16u
#define IVHD_FEATURES 20u /* bits 16:13: performance counters; bits 22:17: banks of them */
#define IVHD_EFR      24u /* types 11h and 40h; bit 9: performance counters */
#define IVHD_SIZE_10  24u
#define IVHD_SIZE     40u
#define IVMD_BASE     16u
#define IVMD_LENGTH   24u
#define IVMD_SIZE     32u

#define FEATURES_COUNTERS (0xfu << 13)
#define FEATURES_BANKS	  (0x3fu << 17)
#define EFR_COUNTERS	  (1u << 9)
#define REGISTER_PAGES	  4u   /* 16 KiB */
#define COUNTER_PAGES	  128u /* 512 KiB, with performance counters */

/* Types of device entries; the top two bits tell the length of those below ENTRY_VARIABLE. */
#define ENTRY_PAD4	  0x00u
#define ENTRY_ALL	  0x01u
#define ENTRY_SELECT	  0x02u
#define ENTRY_START	  0x03u
#define ENTRY_END	  0x04u
#define ENTRY_PAD8	  0x40u
#define ENTRY_ALIAS	  0x42u
#define ENTRY_ALIAS_START 0x43u
#define ENTRY_EXT	  0x46u
#define ENTRY_EXT_START	  0x47u
#define ENTRY_SPECIAL	  0x48u
#define ENTRY_VARIABLE	  0xf0u
#define ENTRY_HID	  0xf0u

/* Offsets in device entries. */
#define ENTRY_DEVICE   1u
#define SPECIAL_DEVICE 5u
#define HID_UID_LENGTH 21u
#define HID_SIZE       22u /* and the UID behind it */
#define ENTRY_MIN      4u

static uint32_t end_of(const struct iommu_reading *r, uint32_t at)
{
	return at + get16(r->table.data + at + LENGTH);
}

static bool is_ivhd(uint8_t type)
{
	return type == IVHD_10 || type == IVHD_11 || type == IVHD_40;
}

static uint32_t head_size(uint8_t type)
{
	return type == IVHD_10 ? IVHD_SIZE_10 : IVHD_SIZE;
}

/* Where the device entries of the block at `at` begin. */
static uint32_t entries_of(const struct iommu_reading *r, uint32_t at)
{
	return at + head_size(r->table.data[at]);
}

/* Bytes of an entry of which `left` are there, more than `left` if that is not all. */
static uint32_t entry_length(const uint8_t *entry, uint32_t left)
{
	if (entry[0] < ENTRY_VARIABLE)
		return ENTRY_MIN << (entry[0] >> 6);
	return left < HID_SIZE ? HID_SIZE : HID_SIZE + entry[HID_UID_LENGTH];
}

static bool is_start(uint8_t type)
{
	return type == ENTRY_START || type == ENTRY_ALIAS_START || type == ENTRY_EXT_START;
}

static bool is_known(uint8_t type)
{
	return type <= ENTRY_END || type == ENTRY_PAD8 || type == ENTRY_ALIAS ||
	    type == ENTRY_ALIAS_START || type == ENTRY_EXT || type == ENTRY_EXT_START ||
	    type == ENTRY_SPECIAL || type == ENTRY_HID;
}

static bool entry_fits(struct iommu_reading *r, uint32_t at, uint32_t end)
{
	const uint8_t *entry = r->table.data + at;

	if (entry[0] > ENTRY_HID)
		return iommu_fail(r, IOMMU_TABLES_UNSUPPORTED, at,
		    "a device entry is of a type whose length is not known");
	if (entry_length(entry, end - at) > end - at)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, at,
		    "a device entry ends beyond its block");
	if (!is_known(entry[0]))
		r->found->skipped++;
	return true;
}

/* Whether an entry that begins a range is followed by the one that ends it, and only that is. */
static bool range_fits(struct iommu_reading *r, const uint8_t *start, uint32_t at, uint32_t end)
{
	const uint8_t *entry = r->table.data + at;
	bool ends = at < end && entry[0] == ENTRY_END;

	if (start && !ends)
		return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
		    "a range of devices has no end");
	if (!start && ends)
		return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
		    "a range of devices has no beginning");
	if (start && get16(entry + ENTRY_DEVICE) < get16(start + ENTRY_DEVICE))
		return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
		    "a range of devices ends before it begins");
	return true;
}

static bool entries_fit(struct iommu_reading *r, uint32_t at, uint32_t end)
{
	const uint8_t *start = NULL;

	while (at < end) {
		const uint8_t *entry = r->table.data + at;

		if (!entry_fits(r, at, end) || !range_fits(r, start, at, end))
			return false;
		start = is_start(entry[0]) ? entry : NULL;
		at += entry_length(entry, end - at);
	}
	return range_fits(r, start, at, end);
}

/* How many pages of registers an IVHD tells of. */
static uint32_t register_pages(const uint8_t *ivhd)
{
	uint32_t features = get32(ivhd + IVHD_FEATURES);
	bool counters = features & FEATURES_COUNTERS && features & FEATURES_BANKS;

	if (ivhd[0] != IVHD_10)
		counters = counters || get64(ivhd + IVHD_EFR) & EFR_COUNTERS;
	return counters ? COUNTER_PAGES : REGISTER_PAGES;
}

/* Takes a unit as a block describes it, unless a newer one has described it. */
static bool take_unit(struct iommu_reading *r, uint32_t at, const struct bootinfo_iommu *unit)
{
	const uint8_t *data = r->table.data;

	for (uint32_t i = 0; i < r->found->count; i++) {
		struct bootinfo_iommu *known = &r->found->unit[i];

		if (known->segment != unit->segment || known->device != unit->device)
			continue;
		if (data[r->at[i]] == data[at])
			return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
			    "a unit is described twice by blocks of one type");
		if (known->base != unit->base)
			return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, at,
			    "two blocks of a unit name different registers");
		if (data[r->at[i]] < data[at]) {
			*known = *unit;
			r->at[i] = at;
		}
		return true;
	}
	return iommu_add_unit(r, at, unit);
}

static bool read_unit(struct iommu_reading *r, uint32_t at)
{
	const uint8_t *ivhd = r->table.data + at;
	struct bootinfo_iommu unit = {
		.base = get64(ivhd + IVHD_BASE),
		.kind = BOOTINFO_IOMMU_AMDVI,
		.flags = BOOTINFO_IOMMU_ALL,
		.segment = get16(ivhd + IVHD_SEGMENT),
		.device = get16(ivhd + IVHD_DEVICE),
		.pages = register_pages(ivhd),
	};

	return entries_fit(r, entries_of(r, at), end_of(r, at)) && take_unit(r, at, &unit);
}

static bool read_block(struct iommu_reading *r, uint32_t at)
{
	const uint8_t *block = r->table.data + at;

	if (!iommu_structure_fits(r, at, LENGTH + 2))
		return false;
	if (is_ivhd(block[0]))
		return iommu_structure_fits(r, at, head_size(block[0])) && read_unit(r, at);
	if (block[0] < IVMD_ALL || block[0] > IVMD_RANGE) {
		r->found->skipped++;
		return true;
	}
	return iommu_structure_fits(r, at, IVMD_SIZE) &&
	    iommu_add_range(r, at, get64(block + IVMD_BASE), get64(block + IVMD_LENGTH));
}

/* Requester ids that an entry names. */
struct span {
	uint32_t first;
	uint32_t last;
};

/* The next devices that entries from *at on name, which moves on; false: no more before `end`. */
static bool next_span(const struct iommu_reading *r, uint32_t *at, uint32_t end, struct span *span)
{
	while (*at < end) {
		const uint8_t *entry = r->table.data + *at;
		uint32_t device = get16(entry + ENTRY_DEVICE);

		*at += entry_length(entry, end - *at);
		if (is_start(entry[0]))
			*span = (struct span){ device, get16(r->table.data + *at + ENTRY_DEVICE) };
		else if (entry[0] == ENTRY_ALL)
			*span = (struct span){ 0, 0xffff };
		else if (entry[0] == ENTRY_SPECIAL)
			span->first = span->last = get16(entry + SPECIAL_DEVICE);
		else if (entry[0] == ENTRY_SELECT || entry[0] == ENTRY_ALIAS ||
		    entry[0] == ENTRY_EXT || entry[0] == ENTRY_HID)
			*span = (struct span){ device, device };
		else
			continue;
		return true;
	}
	return false;
}

static bool unit_has(const struct iommu_reading *r, uint32_t unit, const struct span *wanted)
{
	uint32_t at = entries_of(r, r->at[unit]), end = end_of(r, r->at[unit]);
	struct span span;

	while (next_span(r, &at, end, &span))
		if (span.first <= wanted->last && wanted->first <= span.last)
			return true;
	return false;
}

/* Whether no device that an entry of a unit names is one of a unit before, in its segment. */
static bool unit_apart(struct iommu_reading *r, uint32_t unit)
{
	uint32_t at = entries_of(r, r->at[unit]), end = end_of(r, r->at[unit]), entry = at;
	struct span span;

	for (; next_span(r, &at, end, &span); entry = at)
		for (uint32_t i = 0; i < unit; i++)
			if (r->found->unit[i].segment == r->found->unit[unit].segment &&
			    unit_has(r, i, &span))
				return iommu_fail(r, IOMMU_TABLES_CONTRADICTORY, entry,
				    "a device is among those of two units");
	return true;
}

bool ivrs_read(struct iommu_reading *r)
{
	if (r->table.length < BLOCKS)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, 0, "the table is shorter than its head");
	r->found->address_bits = get32(r->table.data + IVINFO) >> IVINFO_PA & PA_MASK;
	if (r->found->address_bits > WIDTH_MAX)
		return iommu_fail(r, IOMMU_TABLES_DAMAGED, IVINFO,
		    "addresses have more bits than any machine's");
	for (uint32_t at = BLOCKS; at < r->table.length; at = end_of(r, at))
		if (!read_block(r, at))
			return false;
	for (uint32_t i = 1; i < r->found->count; i++)
		if (!unit_apart(r, i))
			return false;
	return true;
}
