/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * codeint on files that OpenSSL signed ($CODEINT_FILES, made by tests/trustlets/files.py) with
 * bytes changed, moved from file to file, or cut, several of them one after the other, and on bytes
 * as they come; and on ranges. A file is accepted if and only if it is one of the right ones, byte
 * for byte, and no newer SVN of its id and signer was accepted before; nothing is read behind its
 * end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/trustlets/codeint/judge.h"
#include "guest/trustlets/codeint/signature.h"
#include "guest/trustlets/image/image.h"
#include "monitor/abi/call.h"

int LLVMFuzzerInitialize(const int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST  (6u * IMAGE_PAGE)
#define FILES 6u
#define TURNS 4u

/* Whose id, signer, SVN and fate are told apart by the plain reading below. */
static struct right {
	const char *name;
	unsigned line; /* id and signer: those of one line share a history */
	uint32_t svn;
	uint64_t status; /* alone */
	uint8_t bytes[MOST];
	size_t size;
} right[FILES] = {
	{ .name = "ec", .line = 1, .svn = 3 },
	{ .name = "ec_old", .line = 1, .svn = 2 },
	{ .name = "ec_new", .line = 1, .svn = 4 },
	{ .name = "rsa", .line = 2, .svn = 3 },
	{ .name = "rsa_alpha", .svn = 1, .status = CODEINT_OLD_SVN },
	{ .name = "debug", .status = CODEINT_DEBUG_IMAGE },
};

static struct signer signers[2];
static const struct floor floors[] = { { "alpha", 2 } };
static const struct policy policy = { signers, 2, floors, 1, false };

static void must(int condition)
{
	if (!condition)
		abort();
}

static void take(struct right *file)
{
	char path[512];
	FILE *from;

	snprintf(path, sizeof(path), "%s/%s.img", getenv("CODEINT_FILES"), file->name);
	from = fopen(path, "rb");
	must(from != NULL);
	file->size = fread(file->bytes, 1, MOST, from);
	must(file->size > 0 && file->size < MOST);
	fclose(from);
}

static void take_signer(const struct right *file, struct signer *signer)
{
	struct image_signature found;

	must(image_file_check(file->bytes, file->size, &found) == IMAGE_OK);
	digest_key(&found, signer->key);
}

int LLVMFuzzerInitialize(const int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < FILES; i++)
		take(&right[i]);
	take_signer(&right[0], &signers[0]);
	take_signer(&right[3], &signers[1]);
	return 0;
}

/* ---- The plain reading ---- */

static uint32_t highest[3]; /* by line */

static const struct right *which(const uint8_t *file, size_t size)
{
	for (unsigned i = 0; i < FILES; i++) {
		if (size == right[i].size && memcmp(file, right[i].bytes, size) == 0)
			return &right[i];
	}
	return NULL;
}

static void check(const uint8_t *file, size_t size, uint64_t status, const struct signer *signer)
{
	static const struct signer none;
	const struct right *as = which(file, size);
	int named = memcmp(signer, &none, sizeof(none)) != 0;

	must(named == (status == REDOUBT_OK));
	if (!as) {
		must(status >= CODEINT_BAD_FORM && status <= CODEINT_BAD_SIGNATURE);
		return;
	}
	if (as->status) {
		must(status == as->status);
		return;
	}
	must(status == (as->svn < highest[as->line] ? CODEINT_OLD_SVN : REDOUBT_OK));
	if (status == REDOUBT_OK) {
		highest[as->line] = as->svn;
		must(memcmp(signer, &signers[as->line - 1], sizeof(*signer)) == 0);
	}
}

/* ---- Inputs ---- */

/* In memory of exactly that size. */
static void try_file(struct judge *judge, const void *from, size_t size)
{
	uint8_t *file = malloc(size ? size : 1);
	struct signer signer;
	uint64_t status;

	must(file != NULL);
	memcpy(file, from, size);
	status = judge_file(judge, file, size, &signer);
	check(file, size, status, &signer);
	/* What it says the file is, is what the file says. */
	must(status != REDOUBT_OK || memcmp(judge_header(), file, sizeof(*judge_header())) == 0);
	free(file);
}

struct patch {
	uint8_t file; /* of the turn; of what a piece is taken from */
	uint8_t how;
	uint16_t where;
	uint32_t value;
} __attribute__((packed));

/* Where patches go: any byte, the header's fields, the block and its end. */
static size_t place(const struct right *file, const struct patch *patch)
{
	size_t pages = file->size / IMAGE_PAGE * IMAGE_PAGE;

	switch (patch->how >> 3 & 3) {
	case 0:
		return patch->where % 96u;
	case 1:
		return pages + patch->where % 64u;
	case 2:
		return pages + patch->where % (file->size - pages);
	default:
		return patch->where % file->size;
	}
}

/* Changes a copy of a right file, whose size this returns. */
static size_t apply(uint8_t *made, const struct right *file, size_t size, const struct patch *patch)
{
	const struct right *other = &right[(patch->file >> 4) % FILES];
	size_t at = place(file, patch), tail = file->size % IMAGE_PAGE;

	switch (patch->how & 7) {
	case 0:
		made[at] ^= (uint8_t)(1u << patch->value % 8);
		break;
	case 1:
		memcpy(made + at, &patch->value, sizeof(patch->value));
		break;
	case 2: /* the block of another file */
		if (other->size % IMAGE_PAGE == tail)
			memcpy(made + file->size - tail, other->bytes + other->size - tail, tail);
		break;
	case 3: /* the pages of another file */
		if (other->size == file->size)
			memcpy(made, other->bytes, file->size - tail);
		break;
	case 4: /* r, s or the representative filled */
		memset(made + file->size - (tail > 500 ? 384 : 32 * (1 + patch->where % 2)),
		    (int)patch->value, tail > 500 ? 384 : 32);
		break;
	case 5:
		return patch->value % MOST;
	default:
		break;
	}
	return size;
}

static void try_turn(struct judge *judge, const struct patch *patch, size_t patches)
{
	static uint8_t made[MOST + 8];
	const struct right *file = &right[patch->file % FILES];
	size_t size = file->size;

	memset(made, 0, sizeof(made));
	memcpy(made, file->bytes, file->size);
	for (size_t i = 0; i < patches; i++)
		size = apply(made, file, size, &patch[i]);
	try_file(judge, made, size);
}

/*
 * Up to TURNS files, each with its share of the patches; none of the patches if the first says so.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge judge;
	struct patch patches[2 * TURNS] = { 0 };
	size_t count = size / sizeof(struct patch);

	judge = (struct judge){ .policy = &policy };
	memset(highest, 0, sizeof(highest));
	if (size >= 16)
		if (count == 0 || data[0] == 0xff) {
			try_file(&judge, data, size);
			return 0;
		}
	if (count > 2 * (size_t)TURNS)
		count = 2 * (size_t)TURNS;
	memcpy(patches, data, count * sizeof(struct patch));
	for (size_t i = 0; i < count; i += 2)
		try_turn(&judge, &patches[i], patches[i].how & 0x40 ? 0 : count - i > 1 ? 2 : 1);
	return 0;
}
