/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images of secure partitions: the file.
 *
 * A file is `pages` pages of 4 KiB: this header, text, read-only data. Their SHA-256 is the
 * measurement. Behind them, or nothing: a signature block, which is neither loaded nor measured.
 *
 * Where it appears in the partition, and how that starts: trustlet.h.
 */
#pragma once

#include <stdint.h>

#include "monitor/abi/trustlet.h"

#define IMAGE_MAGIC   0x3154535552544452ull /* "RDTRUST1" */
#define IMAGE_VERSION 1u
#define IMAGE_PAGE    4096u

#define IMAGE_MAX_PAGES	     4096u  /* of the file: 16 MiB */
#define IMAGE_MAX_DATA_PAGES 16384u /* of private memory: 64 MiB */
#define IMAGE_MAX_VPS	     1u
#define IMAGE_MAX_SVN	     65535u
#define IMAGE_ID_BYTES	     32u

#define IMAGE_DEBUG (1u << 0) /* its registers may be shown; it gets no key of a release */
#define IMAGE_FLAGS (1u)

/* The first page of the file. */
struct redoubt_image {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;	 /* sizeof(struct redoubt_image) */
	uint32_t pages;		 /* 1 + text_pages + rodata_pages, at most IMAGE_MAX_PAGES */
	uint32_t text_pages;	 /* not 0 */
	uint32_t rodata_pages;	 /* not 0 */
	uint32_t data_pages;	 /* private memory wanted: 1 to IMAGE_MAX_DATA_PAGES */
	uint32_t vps;		 /* 1 to IMAGE_MAX_VPS */
	uint32_t svn;		 /* 1 to IMAGE_MAX_SVN */
	uint32_t flags;		 /* IMAGE_ bits */
	uint32_t reserved0;	 /* zero */
	char id[IMAGE_ID_BYTES]; /* [a-z0-9-]+, at least one zero behind it, zeroes to the end */
	uint8_t reserved[4016];	 /* zero */
};

#define IMAGE_SIGNATURE_MAGIC	   0x314e474953544452ull /* "RDTSIGN1" */
#define IMAGE_SIGNATURE_ECDSA_P256 1u /* over SHA-256; the signature is r, s, 32 bytes each */
#define IMAGE_SIGNATURE_RSA3072	   2u /* PSS, SHA-256, MGF1 of SHA-256, salt of 32 bytes */

/*
 * Behind the pages, to the end of the file: this, key_size bytes of the signer's key as a DER
 * SubjectPublicKeyInfo, signature_size bytes of signature over the pages (r, s big-endian).
 * Each algorithm has one size and one form of key (uncompressed point; exponent 65537).
 */
struct redoubt_image_signature {
	uint64_t magic;
	uint32_t algorithm;
	uint32_t key_size;
	uint32_t signature_size;
	uint32_t reserved[3]; /* zero */
};

_Static_assert(sizeof(struct redoubt_image) == IMAGE_PAGE, "the header is one page");
_Static_assert(sizeof(struct redoubt_image_signature) == 32, "no padding");

/* What is wrong with a file, in the order in which it is looked for. */
enum image_fault {
	IMAGE_OK,
	IMAGE_BAD_SIZE, /* shorter than it says, or no page at all */
	IMAGE_BAD_MAGIC,
	IMAGE_BAD_VERSION, /* or header_size */
	IMAGE_BAD_PAGES,
	IMAGE_BAD_DATA_PAGES,
	IMAGE_BAD_VPS,
	IMAGE_BAD_SVN,
	IMAGE_BAD_FLAGS,
	IMAGE_BAD_ID,
	IMAGE_BAD_RESERVED,
	IMAGE_BAD_SIGNATURE_BLOCK, /* its form; whether it is true is another question */
};

static inline int image_id_valid(const char id[IMAGE_ID_BYTES])
{
	unsigned length = 0, rest;

	while (length < IMAGE_ID_BYTES &&
	    ((id[length] >= 'a' && id[length] <= 'z') || (id[length] >= '0' && id[length] <= '9') ||
		id[length] == '-'))
		length++;
	for (rest = length; rest < IMAGE_ID_BYTES && id[rest] == 0; rest++)
		;
	return length != 0 && length != IMAGE_ID_BYTES && rest == IMAGE_ID_BYTES;
}

static inline int image_reserved_zero(const struct redoubt_image *image)
{
	uint32_t any = image->reserved0;

	for (unsigned i = 0; i < sizeof(image->reserved); i++)
		any |= image->reserved[i];
	return any == 0;
}

/*
 * Judges a header that nobody else can change (I3). `size` is the bytes of the file, or those there
 * are of it: what stands behind the pages is not looked at (image_signature_check()).
 */
static inline enum image_fault image_check(const struct redoubt_image *image, uint64_t size)
{
	if (size < sizeof(*image))
		return IMAGE_BAD_SIZE;
	if (image->magic != IMAGE_MAGIC)
		return IMAGE_BAD_MAGIC;
	if (image->version != IMAGE_VERSION || image->header_size != sizeof(*image))
		return IMAGE_BAD_VERSION;
	if (image->text_pages == 0 || image->text_pages > IMAGE_MAX_PAGES ||
	    image->rodata_pages == 0 || image->rodata_pages > IMAGE_MAX_PAGES ||
	    image->pages != 1 + image->text_pages + image->rodata_pages ||
	    image->pages > IMAGE_MAX_PAGES)
		return IMAGE_BAD_PAGES;
	if (image->data_pages == 0 || image->data_pages > IMAGE_MAX_DATA_PAGES)
		return IMAGE_BAD_DATA_PAGES;
	if (image->vps == 0 || image->vps > IMAGE_MAX_VPS)
		return IMAGE_BAD_VPS;
	if (image->svn == 0 || image->svn > IMAGE_MAX_SVN)
		return IMAGE_BAD_SVN;
	if (image->flags & ~IMAGE_FLAGS)
		return IMAGE_BAD_FLAGS;
	if (!image_id_valid(image->id))
		return IMAGE_BAD_ID;
	if (!image_reserved_zero(image))
		return IMAGE_BAD_RESERVED;
	return size < (uint64_t)image->pages * IMAGE_PAGE ? IMAGE_BAD_SIZE : IMAGE_OK;
}
