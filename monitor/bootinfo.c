/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Whether a boot information block is well formed (abi/bootinfo.h): every field, so that nothing
 * behind this has to ask again.
 */
#include "monitor/lib/checked.h"

#include "arch/addr.h"
#include "arch/upcall.h"

/* Addresses have at most 52 bits. */
#define ADDRESS_END (1ull << 52)
#define NO_APIC_ID  0xffffffffu /* the broadcast address */

static bool settings_valid(const struct bootinfo *info)
{
	bool serial = info->flags & BOOTINFO_SERIAL;

	return (info->flags & ~BOOTINFO_FLAGS) == 0 && info->log_level <= LOG_DEBUG &&
	    (serial || !(info->flags & BOOTINFO_SERIAL_KEEP)) &&
	    (!serial || info->serial_port != 0) &&
	    (info->power.s5_type <= 7 || info->power.s5_type == POWER_S5_UNKNOWN);
}

static bool cpus_valid(const struct bootinfo *info)
{
	const uint32_t *ids = info->apic_ids;

	for (uint32_t i = 0; i < info->cpu_count; i++) {
		if (ids[i] == NO_APIC_ID)
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (ids[i] == ids[k])
				return false;
	}
	return true;
}

/* Address behind `pages` frames from `base`; 0 if they are no frames below ADDRESS_END, or none. */
static uint64_t frames_end(uint64_t base, uint64_t pages)
{
	if (base % FRAME_SIZE != 0 || pages == 0 || pages > ADDRESS_END / FRAME_SIZE ||
	    !range_within(base, pages * FRAME_SIZE, ADDRESS_END))
		return 0;
	return base + pages * FRAME_SIZE;
}

static bool ranges_valid(const struct bootinfo *info)
{
	const struct bootinfo_range *range = info->ranges;
	uint64_t last = 0;

	for (uint32_t i = 0; i < info->range_count; i++) {
		uint64_t end = frames_end(range[i].base, range[i].pages);

		if (end == 0 || (i > 0 && range[i].base <= last))
			return false;
		last = end;
	}
	return true;
}

/* Whether [base, end) lies in one of the ranges; end 0: it does not. */
static bool in_ranges(const struct bootinfo *info, uint64_t base, uint64_t end)
{
	const struct bootinfo_range *range = info->ranges;

	for (uint32_t i = 0; i < info->range_count; i++)
		if (end != 0 && base >= range[i].base &&
		    end <= frames_end(range[i].base, range[i].pages))
			return true;
	return false;
}

static bool region_valid(const struct bootinfo *info)
{
	uint64_t base = info->region_base;
	uint64_t end = frames_end(base, info->region_pages);
	uint64_t record = info->record_base;
	uint64_t record_end = frames_end(record, 1);

	if (base == 0 || !in_ranges(info, base, end))
		return false;
	return record == 0 ||
	    ((record_end <= base || end <= record) && in_ranges(info, record, record_end));
}

static bool partitions_valid(const struct bootinfo *info)
{
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++) {
		const struct bootinfo_partition *p = &info->partitions[i];
		uint64_t image = 1ull + p->text_pages + p->rodata_pages;

		if (p->image_base != 0 &&
		    (p->id[sizeof(p->id) - 1] != 0 ||
			!in_ranges(info, p->image_base, frames_end(p->image_base, image)) ||
			!in_ranges(info, p->data_base, frames_end(p->data_base, p->data_pages))))
			return false;
	}
	return true;
}

static bool iommus_valid(const struct bootinfo *info)
{
	const struct bootinfo_iommu *unit = info->iommus;
	const struct bootinfo_range *range = info->ranges;
	uint64_t last = 1;

	for (uint32_t i = 0; i < info->iommu_count; i++) {
		uint64_t end = frames_end(unit[i].base, unit[i].pages);

		if (end == 0 || end > IOMMU_END || unit[i].base < last ||
		    (unit[i].kind != BOOTINFO_IOMMU_VTD && unit[i].kind != BOOTINFO_IOMMU_AMDVI) ||
		    unit[i].kind != unit[0].kind)
			return false;
		for (uint32_t k = 0; k < info->range_count; k++)
			if (unit[i].base < frames_end(range[k].base, range[k].pages) &&
			    range[k].base < end)
				return false;
		last = end;
	}
	return (info->iommu_status == IOMMU_TABLES_OK) == (info->iommu_count != 0);
}

bool bootinfo_valid(const struct bootinfo *info)
{
	return info->magic == BOOTINFO_MAGIC && settings_valid(info) && info->cpu_count >= 1 &&
	    info->cpu_count <= BOOTINFO_MAX_CPUS && info->range_count >= 1 &&
	    info->range_count <= BOOTINFO_MAX_RANGES && cpus_valid(info) && ranges_valid(info) &&
	    region_valid(info) && partitions_valid(info) && info->iommu_count <= BOOTINFO_IOMMUS &&
	    info->iommu_status <= IOMMU_TABLES_DRIVEN && iommus_valid(info);
}
