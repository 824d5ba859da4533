/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's memory, that of the secure partitions, and the boot information block.
 */
#include "boot/handover.h"

#include <string.h>

#include "boot/acpi.h"
#include "boot/console.h"
#include "boot/iommu.h"
#include "boot/memory.h"
#include "boot/record.h"
#include "boot/secrets.h"
#include "boot/tables.h"
#include "boot/text.h"
#include "boot/x86.h"
#include "monitor/abi/cpuid.h"
#include "monitor/abi/region.h"

#define PAGE ((UINT64)4096)
/* Ranges that allocations between the first look at the map and the last may add. */
#define SPARE_RANGES 16u

#define BLOCK_PAGES ((sizeof(struct bootinfo) + PAGE - 1) / PAGE)

static void find_power(struct bootinfo_power *power)
{
	enum acpi_result result = acpi_find_power(tables_rsdp(), tables_map, NULL, power);

	if (result == ACPI_DAMAGED)
		say("note: the ACPI tables are damaged: no power registers are known");
	else
		detail("power: PM1 control 0x%x 0x%x, S5 type 0x%x, reset 0x%x=0x%x",
		    power->pm1a_control, power->pm1b_control, power->s5_type, power->reset_port,
		    power->reset_value);
}

static void fill_cpus(struct bootinfo *info, const struct cpus *cpus)
{
	info->cpu_count = cpus->count;
	for (UINT32 i = 0; i < cpus->count; i++)
		info->apic_ids[i] = cpus->cpu[i].apic_id;
}

static void fill_config(struct bootinfo *info, const struct config *config)
{
	info->flags = config->flags;
	info->log_level = config->log_level;
	if (config->flags & BOOTINFO_SERIAL)
		info->serial_port = config->serial_port;
}

static BOOLEAN add_partitions(struct ranges *ranges, const struct bootinfo *info)
{
	for (UINT32 i = 0; i < BOOTINFO_PARTITIONS; i++) {
		const struct bootinfo_partition *p = &info->partitions[i];

		if (p->image_base && !ranges_add(ranges, p->image_base, partition_placed_pages(p)))
			return FALSE;
	}
	return TRUE;
}

/* The ranges as they are now, what was reserved for the monitor and the partitions included. */
static BOOLEAN fill_ranges(struct bootinfo *info)
{
	struct ranges ranges = { info->ranges, 0, BOOTINFO_MAX_RANGES };

	if (EFI_ERROR(memory_usable(&ranges)) ||
	    !ranges_add(&ranges, info->region_base, info->region_pages) ||
	    (info->record_base && !ranges_add(&ranges, info->record_base, 1)) ||
	    !add_partitions(&ranges, info))
		return refuse("Firmware's memory map has more ranges than the monitor can hold.");
	info->range_count = (UINT32)ranges.count;
	return TRUE;
}

static void tell_iommus(const struct iommus *found)
{
	if (found->status > IOMMU_TABLES_OK)
		say("note: no IOMMU is used, devices reach all memory: %s", found->complaint);
	if (found->skipped)
		say("note: the tables of IOMMUs have %u entries of unknown types", found->skipped);
	for (UINT32 i = 0; i < found->count; i++) {
		const struct bootinfo_iommu *unit = &found->unit[i];

		if (unit->kind == BOOTINFO_IOMMU_VTD)
			detail("iommu: vtd at 0x%lx segment %u %s", unit->base, unit->segment,
			    unit->flags & BOOTINFO_IOMMU_ALL ? "all devices" : "listed devices");
		else
			detail("iommu: amdvi at 0x%lx segment %u device 0x%x", unit->base,
			    unit->segment, unit->device);
	}
	for (UINT32 i = 0; i < found->range_count; i++)
		detail("iommu: reserved range at 0x%lx size 0x%lx", found->range[i].base,
		    found->range[i].pages * PAGE);
}

/* Whether firmware keeps none of some pages for a device. */
static BOOLEAN not_kept(const struct iommus *found, const char *whose, UINT64 base, UINT64 pages)
{
	const struct bootinfo_range *range = ranges_meeting(found->range, found->range_count, base,
	    pages);

	return !range ||
	    refuse("Firmware keeps 0x%lx pages at 0x%lx for a device, where %s would be.",
		range->pages, range->base, whose);
}

/* The IOMMUs that the tables tell of, and what they keep for devices. */
static void find_iommus(struct bootinfo *info, const struct ranges *usable, struct iommus *found)
{
	/* EDKII_IOMMU_PROTOCOL: drivers have it map what their devices reach. */
	EFI_GUID driven = { 0x4e939de9, 0xd948, 0x4b0f,
		{ 0x88, 0xed, 0xe6, 0xe1, 0xce, 0x51, 0x7c, 0x1e } };
	void *protocol;

	iommus_find(tables_rsdp(), tables_map, NULL, usable, found);
	if (info->flags & BOOTINFO_IOMMU_OFF) {
		say("note: IOMMUs are left alone: devices reach all memory");
		found->count = 0;
		found->status = IOMMU_TABLES_NONE;
	} else if (found->count && !EFI_ERROR(LibLocateProtocol(&driven, &protocol))) {
		found->count = 0;
		found->status = IOMMU_TABLES_DRIVEN;
		text_format(found->complaint, IOMMU_COMPLAINT, "firmware drives it itself");
	}
	tell_iommus(found);
	info->iommu_count = found->count;
	info->iommu_status = found->status;
	memcpy(info->iommus, found->unit, found->count * sizeof(found->unit[0]));
}

/* FALSE: firmware keeps for devices what is not theirs any more. */
static BOOLEAN none_kept(const struct bootinfo *info, const struct iommus *found)
{
	if (!not_kept(found, "the monitor", info->region_base, info->region_pages) ||
	    (info->record_base && !not_kept(found, "the panic record", info->record_base, 1)))
		return FALSE;
	for (UINT32 i = 0; i < BOOTINFO_PARTITIONS; i++) {
		const struct bootinfo_partition *p = &info->partitions[i];

		if (p->image_base &&
		    !not_kept(found, "a secure partition", p->image_base,
			partition_placed_pages(p)))
			return FALSE;
	}
	return TRUE;
}

void handover_hide_iommus(void)
{
	if (!(cpu_cover().features & REDOUBT_FEATURE_DMA))
		return;
	if (iommus_hide(tables_rsdp(), tables_map, tables_write, NULL))
		detail("iommu: the tables are hidden");
	else
		say("note: firmware does not let the tables of IOMMUs be hidden");
}

static UINT64 pages_for(const struct monitor_image *image, UINT32 cpus, struct ranges *ranges,
    UINT64 spare, UINT32 iommus)
{
	UINT64 frames = ranges_pages(ranges), count = ranges->count + spare;
	UINT64 top = ranges_top(ranges);

	return monitor_region_pages(image, cpus, frames, count, top) +
	    monitor_iommu_pages(iommus, frames, count, top);
}

/* Reserves region and record frame for memory as it is now. */
static BOOLEAN reserve(struct bootinfo *info, const struct monitor_image *image, UINT32 cpus,
    struct iommus *found)
{
	struct ranges ranges = { info->ranges, 0, BOOTINFO_MAX_RANGES };
	EFI_STATUS status = memory_usable(&ranges);

	if (EFI_ERROR(status))
		return refuse("Firmware's memory map cannot be used (%s).", status_text(status));
	find_iommus(info, &ranges, found);
	info->region_pages = pages_for(image, cpus, &ranges, SPARE_RANGES, info->iommu_count);
	status = memory_reserve(info->region_pages, &info->region_base);
	if (EFI_ERROR(status))
		return refuse("There is no room for the monitor: it needs %lu MiB (%s).",
		    (info->region_pages >> 8) + 1, status_text(status));
	info->record_base = record_reserve();
	if (!info->record_base)
		say("note: no frame for a panic record is free");
	return TRUE;
}

static BOOLEAN fill(struct bootinfo *info, const struct monitor_image *image,
    const struct handover_facts *facts)
{
	struct ranges ranges = { info->ranges, 0, BOOTINFO_MAX_RANGES };

	info->magic = BOOTINFO_MAGIC;
	info->attempts = facts->attempts;
	memcpy(info->monitor_digest, image->digest, sizeof(info->monitor_digest));
	fill_cpus(info, facts->cpus);
	find_power(&info->power);
	if (facts->vtpm == VTPM_BOUND)
		info->flags |= BOOTINFO_PLATFORM_TPM;
	if (facts->partitions->count)
		secrets_fill(info, facts->image);
	if (!fill_ranges(info))
		return FALSE;
	ranges.count = info->range_count;
	if (info->region_pages < pages_for(image, info->cpu_count, &ranges, 0, info->iommu_count))
		return refuse("Firmware's memory map changed while the monitor was loaded.");
	return TRUE;
}

static BOOLEAN place(struct handover *handover, struct blob payload)
{
	const struct monitor_image *image = (const struct monitor_image *)payload.data;
	UINT64 base = handover->info->region_base;

	monitor_image_place(payload, (UINT8 *)base);
	detail("monitor at 0x%lx size 0x%lx", base, handover->info->region_pages * PAGE);
	handover->entry = (monitor_entry_fn)(base + image->entry);
	handover->text_base = base + image->text.offset;
	handover->text_pages = image->text.size / PAGE;
	if (!memory_make_executable(handover->text_base, handover->text_pages,
		&handover->text_before))
		return refuse(
		    "Firmware does not let the monitor's code be read-only and executable.");
	return TRUE;
}

/* After the region, which is sized for memory as it was before. */
static BOOLEAN place_partitions(struct bootinfo *info, const struct partitions *partitions)
{
	for (UINT32 i = 0; i < partitions->count; i++) {
		struct blob file = partitions->file[i];
		UINT64 pages = partition_pages(file), base;
		EFI_STATUS status = memory_reserve_small(pages, &base);

		if (EFI_ERROR(status))
			return refuse(
			    "There is no room for secure partition %s: it needs %lu KiB (%s).",
			    partition_id(file), pages * 4, status_text(status));
		partition_place(file, (UINT8 *)base, &info->partitions[i]);
		detail("partition %s at 0x%lx size 0x%lx", partition_id(file), base, pages * PAGE);
	}
	return TRUE;
}

BOOLEAN handover_prepare(struct handover *handover, struct blob payload,
    const struct handover_facts *facts)
{
	const struct monitor_image *image = (const struct monitor_image *)payload.data;
	static struct iommus found;
	EFI_PHYSICAL_ADDRESS at;
	struct bootinfo *info;

	*handover = (struct handover){ 0 };
	if (EFI_ERROR(BS->AllocatePages(AllocateAnyPages, EfiLoaderData, BLOCK_PAGES, &at)))
		return refuse("There is no memory for the boot information block.");
	info = (struct bootinfo *)at;
	memset(info, 0, sizeof(*info));
	handover->info = info;
	fill_config(info, facts->config);
	if (reserve(info, image, facts->cpus->count, &found) && place(handover, payload) &&
	    place_partitions(info, facts->partitions) && none_kept(info, &found) &&
	    fill(info, image, facts))
		return TRUE;
	handover_release(handover);
	return FALSE;
}

static void release_partitions(const struct bootinfo *info)
{
	for (UINT32 i = 0; i < BOOTINFO_PARTITIONS; i++) {
		const struct bootinfo_partition *p = &info->partitions[i];

		if (p->image_base)
			memory_release(p->image_base, partition_placed_pages(p));
	}
}

void handover_release(struct handover *handover)
{
	struct bootinfo *info = handover->info;

	if (handover->text_pages &&
	    !memory_put_back(handover->text_base, handover->text_pages, handover->text_before)) {
		say("note: firmware keeps %lu pages at 0x%lx read-only: they are not released",
		    handover->text_pages, handover->text_base);
		info->region_base = 0;
	}
	if (info->region_base)
		memory_release(info->region_base, info->region_pages);
	if (info->record_base)
		memory_release(info->record_base, 1);
	release_partitions(info);
	secrets_forget(info);
	memory_release((UINT64)info, BLOCK_PAGES);
	handover->info = NULL;
}
