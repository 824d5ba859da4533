/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Payloads of redoubt.efi.
 */
#include "boot/image.h"

#include <string.h>

#include "boot/bytes.h"
#include "boot/sha256.h"

#define PAGE		     4096u
#define PE_OFFSET_AT	     0x3cu
#define COFF_SECTIONS	     6u	 /* from the PE signature: NumberOfSections */
#define COFF_OPTIONAL_SIZE   20u /* SizeOfOptionalHeader */
#define COFF_END	     24u /* the optional header */
#define SECTION_SIZE	     40u
#define SECTION_VIRTUAL_SIZE 8u
#define SECTION_ADDRESS	     12u
#define DIGEST_AT	     offsetof(struct monitor_image, digest)

_Static_assert(sizeof(struct monitor_image) == 96, "the layout that tools/build/mkimage.py writes");

/* Whether [offset, offset + size) lies within `limit`, whatever the numbers. */
static bool within(size_t offset, size_t size, size_t limit)
{
	return offset <= limit && size <= limit - offset;
}

static bool name_matches(const uint8_t *field, const char *name)
{
	for (unsigned i = 0; i < 8; i++) {
		if (field[i] != (uint8_t)*name)
			return false;
		if (*name)
			name++;
	}
	return *name == 0;
}

static bool section_bytes(struct blob image, const uint8_t *header, struct blob *section)
{
	size_t address = get32(header + SECTION_ADDRESS);
	size_t size = get32(header + SECTION_VIRTUAL_SIZE);

	if (!within(address, size, image.size))
		return false;
	*section = (struct blob){ image.data + address, size };
	return true;
}

/* The section headers, and how many; NULL if the image is no PE image or ends before they do. */
static const uint8_t *section_table(struct blob image, unsigned *count)
{
	const uint8_t *pe;
	size_t at, table;

	if (!within(PE_OFFSET_AT, 4, image.size) || get16(image.data) != 0x5a4d)
		return NULL;
	at = get32(image.data + PE_OFFSET_AT);
	if (!within(at, COFF_END, image.size) || get32(image.data + at) != 0x4550)
		return NULL;
	pe = image.data + at;
	*count = get16(pe + COFF_SECTIONS);
	table = at + COFF_END + get16(pe + COFF_OPTIONAL_SIZE);
	if (!within(table, (size_t)*count * SECTION_SIZE, image.size))
		return NULL;
	return image.data + table;
}

bool image_section(struct blob image, const char *name, struct blob *section)
{
	unsigned count;
	const uint8_t *header = section_table(image, &count);

	for (; header && count; count--, header += SECTION_SIZE)
		if (name_matches(header, name))
			return section_bytes(image, header, section);
	return false;
}

static bool sizes_hold(const struct monitor_image *h, size_t payload)
{
	return h->file_size % PAGE == 0 && h->load_size % PAGE == 0 && h->file_size >= 2 * PAGE &&
	    h->file_size <= h->load_size && h->load_size <= MONITOR_MAX_BYTES &&
	    h->reloc_count <= h->file_size / 8 &&
	    payload == h->file_size + (size_t)h->reloc_count * 4 &&
	    h->fixed_pages <= MONITOR_MAX_PAGES && h->pages_per_cpu <= MONITOR_MAX_PAGES;
}

/* The segment starts at *at, on whole pages, and ends within limit; moves *at to its end. */
static bool segment_holds(const struct monitor_segment *segment, uint32_t *at, uint32_t limit)
{
	if (segment->offset != *at || segment->size == 0 || segment->size % PAGE ||
	    !within(segment->offset, segment->size, limit))
		return false;
	*at += segment->size;
	return true;
}

static bool segments_hold(const struct monitor_image *h)
{
	uint32_t at = PAGE;

	return segment_holds(&h->text, &at, h->file_size) && h->entry >= h->text.offset &&
	    h->entry < at && segment_holds(&h->rodata, &at, h->file_size) &&
	    segment_holds(&h->data, &at, h->load_size) && at == h->load_size;
}

/* Words to relocate lie behind the text, inside the file. */
static bool relocations_hold(const struct monitor_image *h, const uint8_t *relocs)
{
	for (uint32_t i = 0; i < h->reloc_count; i++) {
		uint32_t offset = get32(relocs + (size_t)i * 4);

		if (offset < h->rodata.offset || !within(offset, 8, h->file_size))
			return false;
	}
	return true;
}

static bool digest_holds(struct blob payload)
{
	static const uint8_t zero[SHA256_BYTES];
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, payload.data, DIGEST_AT);
	sha256_add(&hash, zero, sizeof(zero));
	sha256_add(&hash, payload.data + DIGEST_AT + SHA256_BYTES,
	    payload.size - DIGEST_AT - SHA256_BYTES);
	sha256_end(&hash, digest);
	return bytes_equal(digest, payload.data + DIGEST_AT, SHA256_BYTES);
}

const char *monitor_image_check(struct blob payload, uint32_t vendor)
{
	struct monitor_image h;

	if (payload.size < PAGE)
		return "The monitor's image is cut short.";
	memcpy(&h, payload.data, sizeof(h));
	if (h.magic != MONITOR_IMAGE_MAGIC)
		return "The monitor's image is damaged: it does not start as one.";
	if (h.version != MONITOR_IMAGE_VERSION)
		return "The monitor's image has a version that this loader does not know.";
	if (!sizes_hold(&h, payload.size) || !digest_holds(payload))
		return "The monitor's image is damaged: size or digest do not fit its content.";
	if (!segments_hold(&h) || !relocations_hold(&h, payload.data + h.file_size))
		return "The monitor's image was built wrong: its parts do not fit together.";
	if (h.vendor != vendor)
		return "The monitor's image is for CPUs of another vendor.";
	return NULL;
}

void monitor_image_place(struct blob payload, uint8_t *target)
{
	struct monitor_image h;

	memcpy(&h, payload.data, sizeof(h));
	memcpy(target, payload.data, h.file_size);
	memset(target + h.file_size, 0, h.load_size - h.file_size);
	for (uint32_t i = 0; i < h.reloc_count; i++) {
		uint8_t *word = target + get32(payload.data + h.file_size + (size_t)i * 4);

		put64(word, get64(word) + (uint64_t)(uintptr_t)target);
	}
}
