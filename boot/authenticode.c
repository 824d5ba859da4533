/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The digest of a PE image (authenticode.h).
 */
#include "boot/authenticode.h"

#include "boot/bytes.h"

#define DOS_HEADER   64u
#define DOS_PE_AT    60u
#define COFF_AT	     4u /* behind the signature */
#define COFF_BYTES   20u
#define OPTIONAL_AT  (COFF_AT + COFF_BYTES)
#define MAGIC_PE32   0x10bu
#define MAGIC_PE32_P 0x20bu
#define HEADERS_AT   60u /* in the optional header: size of all headers */
#define CHECKSUM_AT  64u
#define COUNT_AT     92u /* of directories, in PE32; by so much more in PE32+ */
#define PE32_P_MORE  16u
#define DIRECTORY    ((size_t)8)
#define SECURITY     4u
#define SECTION	     ((size_t)40)
#define RAW_SIZE_AT  16u
#define RAW_AT	     20u
#define SECTIONS_MAX 96u

struct pe {
	struct blob file;
	size_t optional;     /* where it begins */
	size_t headers;	     /* bytes of all headers */
	size_t security;     /* where that directory is; 0: it is not there */
	size_t certificates; /* bytes at the end */
	size_t table;	     /* of sections */
	unsigned sections;
};

static bool within(const struct pe *pe, size_t at, size_t bytes)
{
	return at <= pe->file.size && bytes <= pe->file.size - at;
}

/* Certificates are taken to be the end of the file, as firmware does. */
static bool find_certificates(struct pe *pe, size_t directories)
{
	const uint8_t *entry = pe->file.data + directories + SECURITY * DIRECTORY;
	size_t count = get32(pe->file.data + directories - 4);

	if (count <= SECURITY)
		return true;
	if (directories + (SECURITY + 1) * DIRECTORY > pe->table)
		return false;
	pe->security = directories + SECURITY * DIRECTORY;
	pe->certificates = get32(entry + 4);
	return pe->certificates <= pe->file.size - pe->headers;
}

static bool read_headers(struct pe *pe)
{
	const uint8_t *data = pe->file.data;
	size_t at, directories;
	unsigned magic;

	if (!within(pe, 0, DOS_HEADER) || get16(data) != 0x5a4d)
		return false;
	at = get32(data + DOS_PE_AT);
	pe->optional = at + OPTIONAL_AT;
	if (!within(pe, at, OPTIONAL_AT + COUNT_AT + PE32_P_MORE + 20) ||
	    get32(data + at) != 0x4550)
		return false;
	magic = get16(data + pe->optional);
	directories = pe->optional + COUNT_AT + 4 + (magic == MAGIC_PE32_P ? PE32_P_MORE : 0);
	pe->sections = get16(data + at + COFF_AT + 2);
	pe->table = pe->optional + get16(data + at + COFF_AT + 16);
	pe->headers = get32(data + pe->optional + HEADERS_AT);
	return (magic == MAGIC_PE32 || magic == MAGIC_PE32_P) && pe->table >= directories &&
	    pe->sections <= SECTIONS_MAX && within(pe, pe->table, pe->sections * SECTION) &&
	    pe->headers >= pe->table + pe->sections * SECTION && within(pe, 0, pe->headers) &&
	    find_certificates(pe, directories);
}

/* All headers but the checksum and the place of the certificates. */
static void hash_headers(const struct pe *pe, struct sha256 *hash)
{
	size_t checksum = pe->optional + CHECKSUM_AT, from = checksum + 4;

	sha256_add(hash, pe->file.data, checksum);
	if (pe->security) {
		sha256_add(hash, pe->file.data + from, pe->security - from);
		from = pe->security + DIRECTORY;
	}
	sha256_add(hash, pe->file.data + from, pe->headers - from);
}

/* The section with data that comes next in the file, from `at` on; NULL: none. */
static const uint8_t *next_section(const struct pe *pe, size_t at)
{
	const uint8_t *found = NULL;

	for (unsigned i = 0; i < pe->sections; i++) {
		const uint8_t *section = pe->file.data + pe->table + i * SECTION;
		size_t raw = get32(section + RAW_AT);

		if (get32(section + RAW_SIZE_AT) != 0 && raw >= at &&
		    (!found || raw < get32(found + RAW_AT)))
			found = section;
	}
	return found;
}

/* In the order of the file; *end: behind the last. false: they overlap, or lead out of it. */
static bool hash_sections(const struct pe *pe, struct sha256 *hash, size_t *end)
{
	size_t limit = pe->file.size - pe->certificates, hashed = pe->headers;
	unsigned count = 0, with_data = 0;
	const uint8_t *section;

	for (unsigned i = 0; i < pe->sections; i++)
		with_data += get32(pe->file.data + pe->table + i * SECTION + RAW_SIZE_AT) != 0;
	*end = pe->headers;
	while ((section = next_section(pe, *end)) != NULL) {
		size_t at = get32(section + RAW_AT), bytes = get32(section + RAW_SIZE_AT);

		if (at > limit || bytes > limit - at)
			return false;
		sha256_add(hash, pe->file.data + at, bytes);
		*end = at + bytes;
		hashed += bytes;
		count++;
	}
	/* What lies between sections is in nobody's digest, and what is behind is the rest. */
	*end = hashed;
	return count == with_data && hashed <= limit;
}

bool authenticode_sha256(struct blob file, uint8_t digest[SHA256_BYTES])
{
	struct pe pe = { .file = file };
	struct sha256 hash;
	size_t end = 0;
	bool good = read_headers(&pe);

	sha256_start(&hash);
	if (good) {
		hash_headers(&pe, &hash);
		good = hash_sections(&pe, &hash, &end);
	}
	if (good)
		sha256_add(&hash, file.data + end, file.size - pe.certificates - end);
	sha256_end(&hash, digest);
	return good;
}
