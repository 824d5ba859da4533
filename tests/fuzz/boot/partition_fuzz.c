/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: what the loader makes of images of secure partitions. The first byte says how many,
 * each 16 bits behind it how long one is (the last takes the rest); the harness puts them into
 * sections as firmware would load them. What passes is placed, in exactly the memory that is
 * reserved for it, and must fit its description.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/partition.h"
#include "monitor/abi/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE	 4096u
#define SECTIONS 5u /* one more than are looked for */
#define TABLE	 0x148u

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void put(uint8_t *at, uint32_t value, unsigned bytes)
{
	memcpy(at, &value, bytes);
}

static uint8_t *make_headers(size_t size, unsigned sections)
{
	uint8_t *pe = aligned_alloc(PAGE, size);

	memset(pe, 0, size);
	memcpy(pe, "MZ", 2);
	put(pe + 0x3c, 0x40, 4);
	memcpy(pe + 0x40, "PE\0\0", 4);
	put(pe + 0x46, sections, 2);
	put(pe + 0x54, 0xf0, 2);
	return pe;
}

static size_t on_pages(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

/* Moves *data and *size on by a section's bytes. */
static struct blob cut(const uint8_t **data, size_t *size, bool last)
{
	struct blob part = { *data, *size };
	size_t wanted;

	if (!last && *size >= 2) {
		wanted = (size_t)((*data)[0] | (*data)[1] << 8);
		part.data += 2;
		part.size = wanted < *size - 2 ? wanted : *size - 2;
	}
	*size -= (size_t)(part.data - *data) + part.size;
	*data = part.data + part.size;
	return part;
}

static struct blob make_own(const uint8_t *data, size_t size, unsigned sections)
{
	size_t room = PAGE + on_pages(size) + sections * PAGE, at = PAGE;
	uint8_t *pe = make_headers(room, sections);

	for (unsigned i = 0; i < sections; i++) {
		uint8_t *entry = pe + TABLE + (size_t)i * 40;
		struct blob part = cut(&data, &size, i + 1 == sections);

		memcpy(entry, ".part0", 6);
		entry[5] = (uint8_t)('0' + i);
		put(entry + 8, (uint32_t)part.size, 4);
		put(entry + 12, (uint32_t)at, 4);
		memcpy(pe + at, part.data, part.size);
		at += on_pages(part.size);
	}
	return (struct blob){ pe, at };
}

static void try_place(struct blob file)
{
	uint64_t pages = partition_pages(file);
	uint64_t image = file.size / PAGE; /* a signature block is shorter than a page */
	struct bootinfo_partition placed;
	uint8_t *target;

	require(pages > image && pages - image <= IMAGE_MAX_DATA_PAGES && image <= IMAGE_MAX_PAGES);
	target = aligned_alloc(PAGE, image * PAGE);
	partition_place(file, target, &placed);
	require(memcmp(target, file.data, image * PAGE) == 0);
	require(placed.image_base == (uint64_t)(uintptr_t)target);
	require(placed.data_base == placed.image_base + image * PAGE);
	require(partition_placed_pages(&placed) == pages);
	require(placed.svn != 0 && image_id_valid(placed.id) && (placed.flags & ~IMAGE_FLAGS) == 0);
	free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char complaint[PARTITION_COMPLAINT] = "";
	struct partitions found;
	struct blob own;

	if (size < 1)
		return 0;
	own = make_own(data + 1, size - 1, data[0] % (SECTIONS + 1));
	if (!partitions_find(own, &found, complaint))
		require(memchr(complaint, '.', sizeof(complaint)) != NULL);
	require(found.count <= BOOTINFO_PARTITIONS);
	for (unsigned i = 0; i < found.count; i++)
		try_place(found.file[i]);
	free((void *)(uintptr_t)own.data);
	return 0;
}
