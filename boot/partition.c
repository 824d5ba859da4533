/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images of secure partitions.
 */
#include "boot/partition.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/sha256.h"
#include "boot/text.h"
#include "monitor/abi/image.h"

#define SECTION_NAME 8u

/* Sizes of a key and of a signature; each algorithm has one (image.h). */
#define P256_KEY	  91u
#define P256_SIGNATURE	  64u
#define RSA3072_KEY	  422u
#define RSA3072_SIGNATURE 384u

static const struct redoubt_image *header_of(struct blob file)
{
	return (const void *)file.data;
}

static uint64_t image_pages(const struct bootinfo_partition *placed)
{
	return 1ull + placed->text_pages + placed->rodata_pages;
}

/* Whether the bytes behind the pages have the form of a signature block; it is not verified. */
static bool block_holds(const uint8_t *bytes, size_t size)
{
	struct redoubt_image_signature block;
	bool p256, rsa;

	if (size < sizeof(block))
		return false;
	memcpy(&block, bytes, sizeof(block));
	p256 = block.algorithm == IMAGE_SIGNATURE_ECDSA_P256 && block.key_size == P256_KEY &&
	    block.signature_size == P256_SIGNATURE;
	rsa = block.algorithm == IMAGE_SIGNATURE_RSA3072 && block.key_size == RSA3072_KEY &&
	    block.signature_size == RSA3072_SIGNATURE;
	return block.magic == IMAGE_SIGNATURE_MAGIC && (p256 || rsa) &&
	    size == sizeof(block) + block.key_size + block.signature_size &&
	    (block.reserved[0] | block.reserved[1] | block.reserved[2]) == 0;
}

/* What is wrong with a file. */
static enum image_fault judge(struct blob file)
{
	enum image_fault fault = image_check(header_of(file), file.size);
	size_t pages;

	if (fault != IMAGE_OK)
		return fault;
	pages = (size_t)header_of(file)->pages * IMAGE_PAGE;
	if (file.size == pages || block_holds(file.data + pages, file.size - pages))
		return IMAGE_OK;
	return IMAGE_BAD_SIGNATURE_BLOCK;
}

static const char *fault_text(enum image_fault fault)
{
	static const char *const texts[] = {
		[IMAGE_BAD_SIZE] = "it is cut short",
		[IMAGE_BAD_MAGIC] = "it does not start as one",
		[IMAGE_BAD_VERSION] = "it has a version that this loader does not know",
		[IMAGE_BAD_PAGES] = "its parts do not fit together",
		[IMAGE_BAD_DATA_PAGES] = "it wants no private memory, or too much",
		[IMAGE_BAD_VPS] = "it wants another number of virtual processors than there are",
		[IMAGE_BAD_SVN] = "its security version is out of range",
		[IMAGE_BAD_FLAGS] = "it has flags that mean nothing",
		[IMAGE_BAD_ID] = "its id is malformed",
		[IMAGE_BAD_RESERVED] = "a reserved byte of its header is not zero",
		[IMAGE_BAD_SIGNATURE_BLOCK] = "what stands behind its pages is no signature block",
	};

	return texts[fault];
}

/* Whether a partition before the one at `index` has its id. */
static bool id_taken(const struct partitions *found, unsigned index)
{
	const char *id = partition_id(found->file[index]);

	for (unsigned i = 0; i < index; i++)
		if (text_equal(partition_id(found->file[i]), id))
			return true;
	return false;
}

/* Takes `file`, of the section `name`, if it passes. */
static bool take(struct partitions *found, struct blob file, const char *name, char *complaint)
{
	enum image_fault fault = judge(file);
	bool named = file.size >= IMAGE_PAGE && image_id_valid(header_of(file)->id);

	if (fault != IMAGE_OK) {
		text_format(complaint, PARTITION_COMPLAINT,
		    "The image of secure partition %s (%s) is damaged or built wrong: %s.",
		    named ? partition_id(file) : "without a name", name, fault_text(fault));
		return false;
	}
	found->file[found->count] = file;
	if (id_taken(found, found->count)) {
		text_format(complaint, PARTITION_COMPLAINT,
		    "Two secure partitions have the id %s; %s is the second.", partition_id(file),
		    name);
		return false;
	}
	found->count++;
	return true;
}

bool partitions_find(struct blob own, struct partitions *found, char complaint[PARTITION_COMPLAINT])
{
	*found = (struct partitions){ 0 };
	for (unsigned i = 0; i < BOOTINFO_PARTITIONS; i++) {
		char name[SECTION_NAME];
		struct blob file;

		text_format(name, sizeof(name), ".part%u", i);
		if (image_section(own, name, &file) && !take(found, file, name, complaint))
			return false;
	}
	return true;
}

const char *partition_id(struct blob file)
{
	return header_of(file)->id;
}

uint64_t partition_pages(struct blob file)
{
	return (uint64_t)header_of(file)->pages + header_of(file)->data_pages;
}

uint64_t partition_placed_pages(const struct bootinfo_partition *placed)
{
	return image_pages(placed) + placed->data_pages;
}

void partition_place(struct blob file, uint8_t *target, struct bootinfo_partition *placed)
{
	const struct redoubt_image *header = (const void *)target;
	size_t bytes = (size_t)header_of(file)->pages * IMAGE_PAGE;
	struct sha256 hash;

	memcpy(target, file.data, bytes);
	*placed = (struct bootinfo_partition){
		.image_base = (uint64_t)(uintptr_t)target,
		.data_base = (uint64_t)(uintptr_t)target + bytes,
		.text_pages = header->text_pages,
		.rodata_pages = header->rodata_pages,
		.data_pages = header->data_pages,
		.svn = header->svn,
		.flags = header->flags,
	};
	memcpy(placed->id, header->id, sizeof(placed->id));
	sha256_start(&hash);
	sha256_add(&hash, target, bytes);
	sha256_end(&hash, placed->measurement);
}
