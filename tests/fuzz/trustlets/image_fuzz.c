/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The image checker on a right file with a few words changed and another length, and on bytes as
 * they come. Its verdict must be that of the plain reading of monitor/abi/image.h below; it must
 * not read behind the file's end, and what it finds must lie in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGES 3u
#define BLOCK (PAGES * IMAGE_PAGE)
#define MOST  (BLOCK + 32u + 422u + 384u + 8u)

struct patch {
	uint8_t where; /* a word of the header, or from 128 on of the signature block */
	uint8_t how;
	uint32_t value;
} __attribute__((packed));

/* ---- The plain reading ---- */

static uint64_t number(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | at[bytes];
	return value;
}

static int all_zero(const uint8_t *at, const uint8_t *end)
{
	while (at < end)
		if (*at++)
			return 0;
	return 1;
}

static int plain_id(const uint8_t *id)
{
	char name[33] = { 0 };

	memcpy(name, id, 32);
	return strlen(name) >= 1 && strlen(name) <= 31 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) &&
	    all_zero(id + strlen(name), id + 32);
}

static int plain_block(const uint8_t *block, size_t size)
{
	static const char ec[] =
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86"
	    "\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
	static const char rsa[] =
	    "\x30\x82\x01\xa2\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	    "\x05\x00\x03\x82\x01\x8f\x00\x30\x82\x01\x8a\x02\x82\x01\x81\x00";

	if (size < 32 || memcmp(block, "RDTSIGN1", 8) != 0 || !all_zero(block + 20, block + 32))
		return 0;
	if (number(block + 8, 4) == 1)
		return size == 32 + 91 + 64 && number(block + 12, 4) == 91 &&
		    number(block + 16, 4) == 64 && memcmp(block + 32, ec, 27) == 0;
	return number(block + 8, 4) == 2 && size == 32 + 422 + 384 &&
	    number(block + 12, 4) == 422 && number(block + 16, 4) == 384 &&
	    memcmp(block + 32, rsa, 33) == 0 &&
	    memcmp(block + 32 + 417, "\x02\x03\x01\x00\x01", 5) == 0;
}

static enum image_fault plain(const uint8_t *file, size_t size)
{
	uint64_t pages, text, rodata;

	if (size < 4096)
		return IMAGE_BAD_SIZE;
	pages = number(file + 16, 4);
	text = number(file + 20, 4);
	rodata = number(file + 24, 4);
	if (memcmp(file, "RDTRUST1", 8) != 0)
		return IMAGE_BAD_MAGIC;
	if (number(file + 8, 4) != 1 || number(file + 12, 4) != 4096)
		return IMAGE_BAD_VERSION;
	if (!text || !rodata || pages != 1 + text + rodata || pages > 4096)
		return IMAGE_BAD_PAGES;
	if (number(file + 28, 4) - 1 >= 16384)
		return IMAGE_BAD_DATA_PAGES;
	if (number(file + 32, 4) != 1)
		return IMAGE_BAD_VPS;
	if (number(file + 36, 4) - 1 >= 65535)
		return IMAGE_BAD_SVN;
	if (number(file + 40, 4) > 1)
		return IMAGE_BAD_FLAGS;
	if (!plain_id(file + 48))
		return IMAGE_BAD_ID;
	if (!all_zero(file + 44, file + 48) || !all_zero(file + 80, file + 4096))
		return IMAGE_BAD_RESERVED;
	if (pages * 4096 > size)
		return IMAGE_BAD_SIZE;
	if (pages * 4096 < size && !plain_block(file + pages * 4096, size - pages * 4096))
		return IMAGE_BAD_SIGNATURE_BLOCK;
	return IMAGE_OK;
}

/* ---- Inputs ---- */

static void check_found(const uint8_t *file, size_t size, const struct image_signature *found)
{
	if (!found->algorithm)
		return;
	if (found->key < file || found->key + found->key_size != found->signature ||
	    found->signature + found->signature_size != file + size)
		abort();
}

/* A file of exactly `size` bytes, so that the sanitizer sees a read behind it. */
static void try_file(const void *from, size_t size)
{
	struct image_signature found;
	uint8_t *file = malloc(size ? size : 1);
	enum image_fault fault;

	if (!file)
		abort();
	memcpy(file, from, size);
	fault = image_file_check(file, size, &found);
	if (fault != plain(file, size))
		abort();
	if (fault == IMAGE_OK)
		check_found(file, size, &found);
	free(file);
}

static size_t right_file(uint8_t *file, int rsa)
{
	struct redoubt_image header = { .magic = IMAGE_MAGIC,
		.version = 1,
		.header_size = 4096,
		.pages = PAGES,
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = 8,
		.vps = 1,
		.svn = 1,
		.id = "fuzz" };
	struct redoubt_image_signature block = { .magic = IMAGE_SIGNATURE_MAGIC,
		.algorithm = rsa ? 2 : 1,
		.key_size = rsa ? 422 : 91,
		.signature_size = rsa ? 384 : 64 };
	static const uint8_t ec[] = { 0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2,
		1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4 };
	static const uint8_t head[] = { 0x30, 0x82, 1, 0xa2, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48,
		0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0, 3, 0x82, 1, 0x8f, 0, 0x30, 0x82, 1, 0x8a, 2, 0x82,
		1, 0x81, 0 };
	static const uint8_t tail[] = { 2, 3, 1, 0, 1 };

	memset(file, 0, MOST);
	memcpy(file, &header, sizeof(header));
	memcpy(file + BLOCK, &block, sizeof(block));
	memcpy(file + BLOCK + 32, rsa ? head : ec, rsa ? sizeof(head) : sizeof(ec));
	if (rsa)
		memcpy(file + BLOCK + 32 + 417, tail, sizeof(tail));
	return BLOCK + 32 + (rsa ? 422 + 384 : 91 + 64);
}

/*
 * Pages of text and read-only data whose sum is what the file says, or would be if it did not wrap.
 */
static void apply_pages(uint8_t *file, const struct patch *patch)
{
	uint32_t text = patch->how & 4 ? patch->value : patch->value % 5000;
	uint32_t rodata = patch->how & 8 ? patch->where : (uint32_t)(patch->where % 4 - 1) - text;
	uint32_t pages = 1 + text + rodata;

	memcpy(file + 16, &pages, 4);
	memcpy(file + 20, &text, 4);
	memcpy(file + 24, &rodata, 4);
}

static void apply(uint8_t *file, const struct patch *patch)
{
	size_t word = patch->where < 96 ? patch->where % 24u : patch->where;
	size_t at = word < 128 ? word * 4 : BLOCK + (word - 128) * 4;

	if (patch->how % 4 == 3)
		apply_pages(file, patch);
	else if (patch->how % 4 == 0)
		memcpy(file + at, &patch->value, 4);
	else if (patch->how % 4 == 1)
		file[at + patch->how / 4 % 4] ^= (uint8_t)(1u << patch->value % 8);
	else
		file[at + patch->how / 4 % 4] = (uint8_t)patch->value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[MOST];
	struct patch patch;
	size_t bytes;

	if (size < 4 || data[0] % 8 == 7) {
		try_file(data, size);
		return 0;
	}
	bytes = right_file(file, data[0] & 1);
	if (data[0] & 2)
		bytes = (bytes + data[1] + (size_t)data[2] * 64) % (MOST + 1);
	if (data[0] & 4)
		bytes = BLOCK;
	for (size_t at = 3; at + sizeof(patch) <= size; at += sizeof(patch)) {
		memcpy(&patch, data + at, sizeof(patch));
		apply(file, &patch);
	}
	try_file(file, bytes);
	return 0;
}
