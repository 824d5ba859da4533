/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Boot information: bootinfo_valid() on bytes as they come, and on a right block with a few words
 * changed. Its verdict must be that of the plain reading of abi/bootinfo.h below, and it must not
 * read behind the block's end.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/host/host.h"
#include "arch/upcall.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef unsigned __int128 wide;

struct patch {
	uint16_t offset;
	uint8_t width;
	uint8_t how;
	uint32_t value;
};

/* ---- The plain reading ---- */

/* [base, base + pages * 4096), aligned, not empty, below 2^52. */
static bool plain_frames(uint64_t base, uint64_t pages)
{
	wide end = (wide)base + (wide)pages * 4096;

	return base % 4096 == 0 && pages > 0 && end <= (wide)1 << 52;
}

static bool plain_within(const struct bootinfo *info, uint64_t base, uint64_t pages)
{
	const struct bootinfo_range *range = info->ranges;

	for (uint32_t i = 0; i < info->range_count; i++)
		if (base >= range[i].base &&
		    (wide)base + (wide)pages * 4096 <=
			(wide)range[i].base + (wide)range[i].pages * 4096)
			return true;
	return false;
}

static bool plain_lists(const struct bootinfo *info)
{
	const uint32_t *ids = info->apic_ids;
	const struct bootinfo_range *range = info->ranges;

	for (uint32_t i = 0; i < info->cpu_count; i++)
		for (uint32_t k = 0; k < info->cpu_count; k++)
			if ((i != k && ids[i] == ids[k]) || ids[i] == 0xffffffff)
				return false;
	for (uint32_t i = 0; i < info->range_count; i++) {
		if (!plain_frames(range[i].base, range[i].pages))
			return false;
		if (i > 0 && range[i].base <= range[i - 1].base + range[i - 1].pages * 4096)
			return false;
	}
	return true;
}

static bool plain_region(const struct bootinfo *info)
{
	uint64_t base = info->region_base;
	uint64_t record = info->record_base;

	if (base == 0 || !plain_frames(base, info->region_pages) ||
	    !plain_within(info, base, info->region_pages))
		return false;
	if (record == 0)
		return true;
	return plain_frames(record, 1) && plain_within(info, record, 1) &&
	    (record < base || record >= base + info->region_pages * 4096);
}

static bool plain_partition(const struct bootinfo *info, const struct bootinfo_partition *p)
{
	uint64_t image = 1ull + p->text_pages + p->rodata_pages;

	if (p->image_base == 0)
		return true;
	if (!plain_frames(p->image_base, image) || !plain_within(info, p->image_base, image) ||
	    !plain_frames(p->data_base, p->data_pages) ||
	    !plain_within(info, p->data_base, p->data_pages))
		return false;
	return p->id[31] == 0;
}

/* Whether two blocks of pages have one in common. */
static bool plain_meet(uint64_t a, uint64_t a_pages, uint64_t b, uint64_t b_pages)
{
	return a < b + b_pages * 4096 && b < a + a_pages * 4096;
}

static bool plain_iommus(const struct bootinfo *info)
{
	const struct bootinfo_iommu *unit = info->iommus;

	if (info->iommu_count > 16 || info->iommu_status > 6 ||
	    (info->iommu_count > 0) != (info->iommu_status == 1))
		return false;
	for (uint32_t i = 0; i < info->iommu_count; i++) {
		if (!unit[i].base || !plain_frames(unit[i].base, unit[i].pages) ||
		    unit[i].base + unit[i].pages * 4096ull > 1ull << 32 ||
		    (unit[i].kind != 1 && unit[i].kind != 2) || unit[i].kind != unit[0].kind ||
		    (i > 0 && unit[i].base <= unit[i - 1].base))
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (plain_meet(unit[i].base, unit[i].pages, unit[k].base, unit[k].pages))
				return false;
		for (uint32_t k = 0; k < info->range_count; k++)
			if (plain_meet(unit[i].base, unit[i].pages, info->ranges[k].base,
				info->ranges[k].pages))
				return false;
	}
	return true;
}

static bool plain_valid(const struct bootinfo *info)
{
	if (info->magic != BOOTINFO_MAGIC || info->flags >= 512 || info->log_level > 3)
		return false;
	if ((info->flags & 2) && !(info->flags & 1))
		return false;
	if ((info->flags & 1) && !info->serial_port)
		return false;
	if (info->power.s5_type > 7 && info->power.s5_type != 0xff)
		return false;
	if (info->cpu_count - 1 >= 1024 || info->range_count - 1 >= 1024)
		return false;
	if (!plain_lists(info) || !plain_region(info) || !plain_iommus(info))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!plain_partition(info, &info->partitions[i]))
			return false;
	return true;
}

/* ---- Inputs ---- */

/* A block of its own, so that the sanitizer sees a read behind it; zeros behind what is given. */
static void try_block(const void *from, size_t bytes)
{
	struct bootinfo *info = calloc(1, sizeof(*info));

	if (!info)
		abort();
	memcpy(info, from, bytes < sizeof(*info) ? bytes : sizeof(*info));
	if (bootinfo_valid(info) != plain_valid(info))
		abort();
	free(info);
}

/* A value near what stands there, near an edge, or any. */
static uint64_t patched(const struct patch *patch, uint64_t before)
{
	switch (patch->how % 4) {
	case 0:
		return patch->value;
	case 1:
		return before + (int8_t)patch->value;
	case 2:
		return before ^ 1ull << patch->value % 64;
	default:
		return (uint64_t)patch->value << 12;
	}
}

/* Where a patch may go: the words of the header, the first ids and the first ranges. */
static uint8_t *place_of(struct bootinfo *info, uint16_t offset, size_t width)
{
	const size_t header = offsetof(struct bootinfo, apic_ids), ids = 16, ranges = 80;
	size_t at = offset % ((header + ids + ranges) / width) * width;

	if (at < header)
		return (uint8_t *)info + at;
	at -= header;
	return at < ids ? (uint8_t *)info->apic_ids + at : (uint8_t *)info->ranges + at - ids;
}

static void try_patches(const uint8_t *data, size_t size)
{
	static struct bootinfo block;
	struct patch patch;

	block = *host_info();
	for (; size >= sizeof(patch); data += sizeof(patch), size -= sizeof(patch)) {
		static const uint8_t widths[] = { 1, 2, 4, 8 };
		uint64_t value = 0;
		uint8_t *at;
		size_t width;

		memcpy(&patch, data, sizeof(patch));
		width = widths[patch.width % 4];
		at = place_of(&block, patch.offset, width);
		memcpy(&value, at, width);
		value = patched(&patch, value);
		memcpy(at, &value, width);
	}
	try_block(&block, sizeof(block));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct host_machine machine = host_default();

	machine.cpus = 3;
	machine.flags = BOOTINFO_SERIAL;
	machine.ranges[1] = (struct bootinfo_range){ 0xa0000, 0x2f60 }; /* almost adjacent */
	host_build(&machine);
	host_info()->partitions[1] = (struct bootinfo_partition){ .image_base = 0x200000,
		.data_base = 0x300000,
		.text_pages = 3,
		.rodata_pages = 2,
		.data_pages = 16,
		.svn = 1,
		.id = "vtpm" };
	host_info()->iommus[0] = (struct bootinfo_iommu){ 0xfed80000, 2, 0, 0x18, 0, 4 };
	host_info()->iommus[1] = (struct bootinfo_iommu){ 0xfed90000, 2, 0, 0, 1, 1 };
	host_info()->iommu_count = 2;
	host_info()->iommu_status = IOMMU_TABLES_OK;
	if (!bootinfo_valid(host_info()))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		try_patches(data + 1, size - 1);
	else
		try_block(data + 1, size - 1);
	return 0;
}
