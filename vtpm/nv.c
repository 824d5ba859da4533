/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's state as a file (nv.h).
 */
#include "vtpm/nv.h"

#include <string.h>

#include "guest/trustlets/rt/seal/seal.h"
#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"

#define ALIGN 8u

_Static_assert(NV_SALT == SEAL_SALT && NV_TAG == SEAL_TAG, "sealing's");
_Static_assert(NV_DIGEST == SHA256_BYTES, "SHA-256's");

static const uint32_t part_max[NV_PARTS] = {
	[NV_PERMANENT] = NV_PERMANENT_MAX,
	[NV_VOLATILE] = NV_VOLATILE_MAX,
	[NV_CA_KEY] = NV_CA_KEY_MAX,
	[NV_EK_CERTS] = NV_EK_CERTS_MAX,
	[NV_ANCHOR] = NV_ANCHOR_MAX,
	[NV_PPI] = NV_PPI_MAX,
};

static bool all_zero(const uint8_t *bytes, size_t size)
{
	uint8_t any = 0;

	for (size_t i = 0; i < size; i++)
		any |= bytes[i];
	return any == 0;
}

static void digest_of(const uint8_t *bytes, size_t size, uint8_t digest[NV_DIGEST])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, bytes, size);
	sha256_end(&hash, digest);
}

/* ---- Header ---- */

/* As long as it says, or a slot that begins with it. */
static bool size_right(const struct nv_header *header, size_t size)
{
	return header->total >= NV_OVERHEAD && header->total <= NV_FILE_MAX &&
	    (size == header->total || size == NV_FILE_MAX);
}

static bool whole(struct nv_bytes file, size_t total)
{
	uint8_t digest[NV_DIGEST];

	digest_of(file.bytes, total - NV_DIGEST, digest);
	return trustlet_equal(digest, file.bytes + total - NV_DIGEST, NV_DIGEST);
}

/* A manufactured TPM is from none; a clone is from another one. */
static bool origin_right(const struct nv_header *header)
{
	bool none = all_zero(header->origin_lineage, NV_ID);

	if (header->kind == NV_MANUFACTURED)
		return none && all_zero(header->origin_digest, NV_DIGEST);
	if (all_zero(header->origin_digest, NV_DIGEST))
		return false;
	if (header->kind == NV_COPIED || header->kind == NV_REPLACED)
		return !none && memcmp(header->origin_lineage, header->lineage, NV_ID) != 0;
	return true;
}

/* What the maker of a file says of the TPM. */
static bool story_right(const struct nv_header *header)
{
	return header->generation != 0 && header->generation != UINT64_MAX && header->first != 0 &&
	    header->first <= header->generation && header->kind >= NV_MANUFACTURED &&
	    header->kind <= NV_RESTORED && !all_zero(header->lineage, NV_ID) &&
	    origin_right(header);
}

static bool fields_right(const struct nv_header *header)
{
	return header->header_size == sizeof(*header) &&
	    header->payload == header->total - NV_OVERHEAD && (header->flags & ~NV_LOOSE) == 0 &&
	    story_right(header);
}

static enum nv_verdict judge(struct nv_bytes file, const struct nv_header *header)
{
	if (header->magic != NV_MAGIC)
		return all_zero(file.bytes, file.size) ? NV_BLANK : NV_BAD_MAGIC;
	if (!size_right(header, file.size))
		return NV_BAD_SIZE;
	if (!whole(file, header->total))
		return NV_DAMAGED;
	if (header->version != NV_VERSION)
		return NV_BAD_VERSION;
	return fields_right(header) ? NV_OK : NV_BAD_FIELD;
}

enum nv_verdict nv_peek(struct nv_bytes file, struct nv_header *header)
{
	enum nv_verdict verdict;

	memset(header, 0, sizeof(*header));
	if (file.size < NV_OVERHEAD)
		return file.size == 0 || all_zero(file.bytes, file.size) ? NV_BLANK : NV_BAD_SIZE;
	memcpy(header, file.bytes, sizeof(*header));
	verdict = judge(file, header);
	if (verdict != NV_OK)
		memset(header, 0, sizeof(*header));
	return verdict;
}

void nv_digest(struct nv_bytes file, uint8_t digest[NV_DIGEST])
{
	struct nv_header header;

	memcpy(&header, file.bytes, sizeof(header));
	digest_of(file.bytes, header.total, digest);
}

/* ---- Sections ---- */

static size_t padded(size_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* A section of a type above `least`; cuts it off the rest. */
static bool take_section(struct nv_bytes *rest, uint32_t least, struct nv_content *content)
{
	struct nv_section section;
	const uint8_t *data = rest->bytes + sizeof(section);
	size_t room;

	if (rest->size < sizeof(section))
		return false;
	memcpy(&section, rest->bytes, sizeof(section));
	room = rest->size - sizeof(section);
	if (section.type <= least || section.type > NV_PARTS || section.size == 0 ||
	    section.size > part_max[section.type - 1] || padded(section.size) > room ||
	    !all_zero(data + section.size, padded(section.size) - section.size))
		return false;
	content->part[section.type - 1] = (struct nv_bytes){ data, section.size };
	*rest = (struct nv_bytes){ data + padded(section.size), room - padded(section.size) };
	return true;
}

bool nv_parse(const uint8_t *payload, size_t size, struct nv_content *content)
{
	struct nv_bytes rest = { payload, size };
	uint32_t type = 0;

	memset(content, 0, sizeof(*content));
	while (rest.size > 0) {
		struct nv_section section = { 0, 0 };

		if (rest.size >= sizeof(section))
			memcpy(&section, rest.bytes, sizeof(section));
		if (!take_section(&rest, type, content))
			return false;
		type = section.type;
	}
	return content->part[NV_PERMANENT].bytes != NULL;
}

void nv_compose(const struct nv_content *content, uint8_t *to)
{
	for (uint32_t i = 0; i < NV_PARTS; i++) {
		const struct nv_bytes *part = &content->part[i];
		struct nv_section section = { i + 1, (uint32_t)part->size };

		if (!part->bytes)
			continue;
		memcpy(to, &section, sizeof(section));
		memset(to + sizeof(section), 0, padded(part->size));
		memcpy(to + sizeof(section), part->bytes, part->size);
		to += sizeof(section) + padded(part->size);
	}
}

size_t nv_size(const struct nv_content *content)
{
	size_t size = NV_OVERHEAD;

	for (unsigned i = 0; i < NV_PARTS; i++) {
		const struct nv_bytes *part = &content->part[i];

		if (part->bytes && (part->size == 0 || part->size > part_max[i]))
			return 0;
		if (part->bytes)
			size += sizeof(struct nv_section) + padded(part->size);
	}
	return content->part[NV_PERMANENT].bytes ? size : 0;
}

/* ---- Files ---- */

static struct seal_frame frame_of(const struct nv_header *header)
{
	return (struct seal_frame){ NV_LABEL, header->svn, header->salt, header, sizeof(*header) };
}

static enum nv_verdict verdict_of(enum seal_result result)
{
	switch (result) {
	case SEAL_OK:
		return NV_OK;
	case SEAL_NEWER:
		return NV_NEWER;
	case SEAL_NO_KEY:
		return NV_NO_KEY;
	default:
		return NV_NOT_GENUINE;
	}
}

enum nv_verdict nv_open(struct nv_bytes file, uint8_t *payload, struct nv_header *header,
    struct nv_content *content)
{
	enum nv_verdict verdict = nv_peek(file, header);
	struct seal_frame frame = frame_of(header);

	memset(content, 0, sizeof(*content));
	if (verdict != NV_OK)
		return verdict;
	verdict = verdict_of(
	    trustlet_unseal_frame(&frame, file.bytes + sizeof(*header), header->payload, payload));
	if (verdict == NV_OK && !nv_parse(payload, header->payload, content)) {
		trustlet_scrub(payload, header->payload);
		verdict = NV_BAD_CONTENT;
	}
	if (verdict != NV_OK) {
		memset(content, 0, sizeof(*content));
		memset(header, 0, sizeof(*header));
	}
	return verdict;
}

static void complete(struct nv_header *header, size_t size)
{
	header->magic = NV_MAGIC;
	header->version = NV_VERSION;
	header->total = (uint32_t)size;
	header->header_size = sizeof(*header);
	header->payload = (uint32_t)(size - NV_OVERHEAD);
	header->svn = trustlet_svn();
	trustlet_random(header->salt, sizeof(header->salt));
}

enum nv_verdict nv_seal(struct nv_header *header, const struct nv_content *content, uint8_t *file)
{
	struct seal_frame frame = frame_of(header);
	uint8_t *text = file + sizeof(*header);
	size_t size = nv_size(content);
	enum nv_verdict verdict;

	if (size == 0)
		return NV_BAD_CONTENT;
	if (!story_right(header))
		return NV_BAD_FIELD;
	complete(header, size);
	frame.svn = header->svn;
	nv_compose(content, text);
	verdict = verdict_of(trustlet_seal_frame(&frame, text, header->payload, text));
	if (verdict != NV_OK)
		return verdict;
	memcpy(file, header, sizeof(*header));
	digest_of(file, size - NV_DIGEST, file + size - NV_DIGEST);
	return NV_OK;
}

void nv_begin(uint64_t generation, struct nv_header *header)
{
	*header = (struct nv_header){ .generation = generation,
		.first = generation,
		.kind = NV_MANUFACTURED };
	trustlet_random(header->lineage, sizeof(header->lineage));
}

void nv_follow(const struct nv_header *now, const uint8_t digest[NV_DIGEST], struct nv_header *next)
{
	*next = *now;
	next->generation++;
	memcpy(next->parent, digest, NV_DIGEST);
}

const char *nv_sentence(enum nv_verdict verdict)
{
	static const char *const sentences[NV_VERDICTS] = {
#define VERDICT(name, sentence) [NV_##name] = sentence,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
	};

	return verdict < NV_VERDICTS ? sentences[verdict] : "is unknown";
}
