/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's state file from a hostile disk: bytes as they come; right files with bytes changed,
 * cut or longer, by who can compute SHA-256 and by who cannot; genuine ones with any payload; and
 * pairs of slots. What opens must be what was sealed, and only if nothing was changed; otherwise
 * nothing of it is left.
 *
 *   byte 0   what: see LLVMFuzzerTestOneInput()
 *   byte 1   bit 0: the digest is mended; bit 1: as a slot, bits 2, 3: bytes 2, 3 are taken off the
 *            file or added to it
 *   then     changes: where (16 bits), what is XORed to it; or the payload; or slots
 */
#include <stdlib.h>

#include "tests/unit/vtpm/nv_made.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD  4u
#define STATE 24u
#define SMALL (264u + 8u + STATE)
#define MOST  1024u

static const uint8_t secret[STATE] = "nothing of it is left";
static uint8_t payload[NV_PAYLOAD_MAX];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void make_small(uint8_t tag, uint64_t generation, uint8_t *file)
{
	struct nv_header header = made_header(tag, generation);
	uint8_t sections[64];
	size_t bytes = made_payload(secret, STATE, sections);

	made_file(&header, sections, bytes, file);
}

/* ---- The plain reading of a payload ---- */

static uint32_t word(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool plain_payload(const uint8_t *at, size_t size)
{
	static const uint32_t most[] = { 160 * 1024, 64 * 1024, 4096, 16 * 1024, 4096, 4096 };
	uint32_t last = 0;
	bool first = size >= 8 && word(at) == 1;

	while (size >= 8) {
		uint32_t type = word(at), bytes = word(at + 4);
		uint64_t whole = 8 + ((uint64_t)bytes + 7) / 8 * 8;

		if (type <= last || type > 6 || !bytes || bytes > most[type - 1] || whole > size)
			return false;
		for (uint64_t i = 8 + (uint64_t)bytes; i < whole; i++)
			if (at[i])
				return false;
		at += whole;
		size -= whole;
		last = type;
	}
	return first && !size;
}

/* ---- Inputs ---- */

/* In memory of exactly its size; into memory of no more than that. */
static enum nv_verdict try_open(const uint8_t *from, size_t size, struct nv_content *content)
{
	static const struct nv_header no_header;
	static const struct nv_content no_content;
	uint8_t *file = malloc(size + 1), *out = malloc(size + 1);
	struct nv_header header;
	enum nv_verdict verdict;

	memcpy(file, from, size);
	memset(out, 0, size + 1);
	verdict = nv_open((struct nv_bytes){ file, size }, out, &header, content);
	require(nv_sentence(verdict) && verdict <= NV_BAD_CONTENT && verdict != NV_ABSENT &&
	    verdict != NV_UNREADABLE);
	if (verdict != NV_OK) {
		require(memcmp(&header, &no_header, sizeof(header)) == 0);
		require(memcmp(content, &no_content, sizeof(*content)) == 0);
		for (size_t i = 0; i < size; i++)
			require(out[i] == 0);
	} else {
		require(memcmp(&header, file, sizeof(header)) == 0);
		for (unsigned i = 0; i < NV_PARTS; i++)
			require(!content->part[i].bytes ||
			    (content->part[i].bytes >= out &&
				content->part[i].bytes + content->part[i].size <= out + size));
	}
	memcpy(payload, out, size < sizeof(payload) ? size : sizeof(payload));
	free(out);
	free(file);
	return verdict;
}

static size_t end_of(const uint8_t *data)
{
	if (data[1] & 2)
		return NV_FILE_MAX;
	if (data[1] & 4)
		return SMALL - data[2] % SMALL;
	return data[1] & 8 ? SMALL + data[3] : SMALL;
}

static void change(uint8_t *file, const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 3 <= size; at += 3)
		file[(data[at] | (size_t)data[at + 1] << 8) % (SMALL + 16)] ^= data[at + 2];
}

/* The digest is where the file says that it ends. */
static void mend(uint8_t *file, size_t room)
{
	uint32_t total;

	memcpy(&total, file + 12, 4);
	if (total >= 264 && total <= room)
		made_mended(file, total);
}

static void try_changed(const uint8_t *data, size_t size)
{
	_Alignas(8) static uint8_t file[NV_FILE_MAX], right[SMALL];
	size_t end = end_of(data);
	struct nv_content content;
	enum nv_verdict verdict;

	memset(file, 0, MOST);
	make_small('a', 5, file);
	memcpy(right, file, SMALL);
	change(file, data + HEAD, size - HEAD);
	if (data[1] & 1)
		mend(file, NV_FILE_MAX);
	verdict = try_open(file, end, &content);
	require((verdict == NV_OK) ==
	    (memcmp(file, right, SMALL) == 0 && (end == SMALL || end == NV_FILE_MAX)));
	if (verdict == NV_OK)
		require(content.part[0].size == STATE && memcmp(payload + 8, secret, STATE) == 0);
}

/* What was opened, sealed anew, is the same but for the salt. */
static void made_opened(const uint8_t *file, size_t size)
{
	static uint8_t again[MOST];
	struct nv_header header;
	struct nv_content content;
	uint8_t digest[NV_DIGEST];

	require(nv_open((struct nv_bytes){ file, size }, payload, &header, &content) == NV_OK);
	require(nv_size(&content) == size);
	nv_digest((struct nv_bytes){ file, size }, digest);
	nv_follow(&header, digest, &header);
	require(nv_seal(&header, &content, again) == NV_OK);
	require(memcmp(header.parent, digest, NV_DIGEST) == 0 && header.generation == 6);
	require(try_open(again, size, &content) == NV_OK);
	require(memcmp(again, file, 24) == 0 && memcmp(again + 184, file + 184, 32) != 0);
}

static void try_payload(const uint8_t *data, size_t size)
{
	_Alignas(8) static uint8_t file[MOST];
	struct nv_header header = made_header('a', 5);
	struct nv_content content;

	size = size > MOST - 264 ? MOST - 264 : size;
	made_file(&header, data, size, file);
	if (!plain_payload(data, size)) {
		require(try_open(file, 264 + size, &content) == NV_BAD_CONTENT);
		return;
	}
	made_opened(file, 264 + size);
}

/* A slot out of three bytes: what, whose and when, a byte that is changed. */
static struct nv_bytes slot_of(const uint8_t *data, uint8_t *file)
{
	struct nv_header *header = (struct nv_header *)(void *)file;

	make_small(data[1] & 0x80 ? 'b' : 'a', 1 + (data[1] & 3), file);
	switch (data[0] % 6) {
	case 0:
		return (struct nv_bytes){ NULL, data[1] };
	case 1:
		memset(file, data[2], SMALL);
		break;
	case 2:
		file[data[2]] ^= 1;
		break;
	case 3:
		file[data[2]] ^= 1;
		mend(file, SMALL);
		break;
	case 4:
		header->svn = data[2];
		made_mended(file, SMALL);
		break;
	default:
		break;
	}
	return (struct nv_bytes){ file, SMALL };
}

static void try_slots(const uint8_t *data)
{
	_Alignas(8) uint8_t files[2][SMALL];
	struct nv_demand demand = { data[0] & 1, data[0] >> 2 & 3, data[0] & 2, { 0 } };
	struct nv_bytes slots[2] = { slot_of(data + 1, files[0]), slot_of(data + 4, files[1]) };
	struct nv_choice choice;
	struct nv_content content;
	enum nv_verdict alone[2];

	memset(demand.lineage, 'a', 32);
	for (unsigned i = 0; i < 2; i++)
		alone[i] = slots[i].bytes ? try_open(slots[i].bytes, SMALL, &content) : NV_ABSENT;
	nv_choose(slots, &demand, payload, &choice);
	require(choice.outcome <= NV_UNUSABLE);
	require((choice.current < 2) == (choice.outcome == NV_CURRENT));
	for (unsigned i = 0; i < 2; i++)
		require((choice.verdict[i] == NV_OK) == (choice.current == i));
	if (choice.outcome == NV_CURRENT) {
		require(alone[choice.current] == NV_OK && choice.next == !choice.current);
		require(memcmp(choice.content.part[0].bytes, secret, STATE) == 0);
		require(!demand.has_floor || choice.header.generation >= demand.floor);
		require(!demand.has_lineage || choice.header.lineage[0] == 'a');
	} else {
		require(choice.next == (choice.outcome == NV_NEVER ? 0 : 2));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct nv_content content;

	if (!started)
		made_start();
	started = true;
	if (size < HEAD)
		return 0;
	fake.refuse = 0;
	switch (data[0] % 4) {
	case 0:
		require(try_open(data + HEAD, size - HEAD, &content) != NV_OK);
		break;
	case 1:
		try_changed(data, size);
		break;
	case 2:
		try_payload(data + HEAD, size - HEAD);
		break;
	default:
		if (size < HEAD + 7)
			break;
		fake.refuse = data[1] == 0xff ? REDOUBT_CALL_key_derive : 0;
		if (!fake.refuse)
			try_slots(data + HEAD);
		break;
	}
	return 0;
}
