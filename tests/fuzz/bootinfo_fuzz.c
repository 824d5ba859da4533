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
	const struct bootinfo_range *range = (const void *)((const uint8_t *)info +
	    info->range_offset);

	for (uint32_t i = 0; i < info->range_count; i++)
		if (base >= range[i].base &&
		    (wide)base + (wide)pages * 4096 <=
			(wide)range[i].base + (wide)range[i].pages * 4096)
			return true;
	return false;
}

/* Marks the bytes that belong to something; false if one is taken twice or outside. */
static bool plain_take(uint8_t *taken, uint64_t size, uint64_t offset, uint64_t bytes)
{
	for (uint64_t i = offset; i < offset + bytes; i++)
		if (i >= size || taken[i]++)
			return false;
	return true;
}

static bool plain_layout(const struct bootinfo *info)
{
	static uint8_t taken[BOOTINFO_MAX_SIZE];
	const uint8_t *bytes = (const uint8_t *)info;

	memset(taken, 0, info->size);
	if (info->cpu_offset % 8 || info->range_offset % 8 ||
	    !plain_take(taken, info->size, 0, sizeof(*info)) ||
	    !plain_take(taken, info->size, info->cpu_offset, 4ull * info->cpu_count) ||
	    !plain_take(taken, info->size, info->range_offset, 16ull * info->range_count))
		return false;
	for (uint32_t i = 0; i < info->size; i++)
		if (!taken[i] && bytes[i])
			return false;
	return true;
}

static bool plain_lists(const struct bootinfo *info)
{
	const uint32_t *ids = (const void *)((const uint8_t *)info + info->cpu_offset);
	const struct bootinfo_range *range = (const void *)((const uint8_t *)info +
	    info->range_offset);

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

/* [a-z0-9-], then nothing but zeros. */
static bool plain_partition(const struct bootinfo *info, const struct bootinfo_partition *p)
{
	static const struct bootinfo_partition none;
	uint64_t image = 1ull + p->text_pages + p->rodata_pages;

	if (p->image_base == 0)
		return memcmp(p, &none, sizeof(none)) == 0;
	if (!plain_frames(p->image_base, image) || !plain_within(info, p->image_base, image) ||
	    !plain_frames(p->data_base, p->data_pages) ||
	    !plain_within(info, p->data_base, p->data_pages))
		return false;
	return p->reserved == 0 && p->id[31] == 0;
}

static bool plain_valid(const struct bootinfo *info, uint64_t bytes)
{
	uint64_t rest = 0;

	if (bytes < sizeof(*info) || info->size < sizeof(*info) || info->size > bytes ||
	    info->size > BOOTINFO_MAX_SIZE)
		return false;
	for (unsigned i = 0; i < 7; i++)
		rest |= info->reserved1[i];
	if (info->magic != BOOTINFO_MAGIC || info->version != 2 || info->flags >= 64 ||
	    info->log_level > 3 || rest || info->reserved0)
		return false;
	if ((info->flags & 2) && !(info->flags & 1))
		return false;
	if ((info->flags & 1) && !info->serial_port)
		return false;
	if (info->power.s5_type > 7 && info->power.s5_type != 0xff)
		return false;
	if (info->cpu_count - 1 >= 1024 || info->range_count - 1 >= 1024)
		return false;
	if (!plain_layout(info) || !plain_lists(info) || !plain_region(info))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!plain_partition(info, &info->partitions[i]))
			return false;
	return true;
}

/* ---- Inputs ---- */

/* A block of exactly `bytes` bytes, so that the sanitizer sees a read behind it. */
static void try_block(const void *from, size_t bytes)
{
	struct bootinfo *info = malloc(bytes ? bytes : 1);

	if (!info)
		abort();
	memcpy(info, from, bytes);
	if (bootinfo_valid(info, bytes) != plain_valid(info, bytes))
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

static void try_patches(const uint8_t *data, size_t size)
{
	static uint8_t block[4096];
	uint32_t bytes = host_info()->size + 16;
	struct patch patch;

	memcpy(block, host_info(), bytes);
	for (; size >= sizeof(patch); data += sizeof(patch), size -= sizeof(patch)) {
		static const uint8_t widths[] = { 1, 2, 4, 8 };
		uint64_t value = 0;
		size_t width;
		size_t at;

		memcpy(&patch, data, sizeof(patch));
		width = widths[patch.width % 4];
		at = patch.offset % (bytes / width) * width;
		memcpy(&value, block + at, width);
		value = patched(&patch, value);
		memcpy(block + at, &value, width);
	}
	try_block(block, bytes);
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
	if (!bootinfo_valid(host_info(), host_info()->size))
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
