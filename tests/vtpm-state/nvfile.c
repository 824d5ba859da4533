/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/nv.c at work on files, for what the tool must agree with:
 *
 *   nvfile seal OUT GENERATION FIRST KIND LINEAGE PARENT STATE [CA-KEY]
 *   nvfile choose FLOOR SLOT SLOT [FLOOR SLOT SLOT...]
 *
 * LINEAGE is one byte, 32 times; PARENT and what it is from the SHA-256 of a file; "-" is no file,
 * no floor; "?" a slot that cannot be read. choose prints a line each for outcome, both verdicts,
 * and the permanent state in hexadecimal.
 * The environment tells what the image is: KEYS is keys.c's program, ROOT, ID, SIGNER, FLAGS its
 * arguments, IMAGE_SVN and MONITOR_SVN who is at work.
 */
#include <stdio.h>
#include <stdlib.h>

#include "guest/trustlets/rt/sha256.h"
#include "tests/unit/trustlets/fake.h"
#include "vtpm/nv.h"

bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);
uint64_t __wrap_trustlet_svn(void);
_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

static uint8_t made[NV_FILE_MAX], payload[NV_PAYLOAD_MAX];

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

static const char *told(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		abort();
	return value;
}

uint64_t __wrap_trustlet_svn(void)
{
	return strtoull(told("IMAGE_SVN"), NULL, 0) | strtoull(told("MONITOR_SVN"), NULL, 0) << 32;
}

static bool derive(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	uint8_t digest[SHA256_BYTES];
	char command[1024], text[40] = "";
	struct sha256 hash;
	size_t count = 0;
	FILE *from;

	sha256_start(&hash);
	sha256_add(&hash, label, strlen(label));
	sha256_end(&hash, digest);
	for (unsigned i = 0; i < 16; i++)
		sprintf(text + 2 * (size_t)i, "%02x", digest[i]);
	snprintf(command, sizeof(command), "%s %s %s %s %s %s %s %llu", told("KEYS"), told("ROOT"),
	    told("ID"), told("SIGNER"), told("IMAGE_SVN"), told("FLAGS"), text,
	    (unsigned long long)svn);
	from = popen(command, "r");
	for (unsigned byte; from && count < 32 && fscanf(from, "%2x", &byte) == 1; count++)
		key[count] = (uint8_t)byte;
	return from && pclose(from) == 0 && count == 32;
}

/* There is one label. The last key is kept, for the other program starts a machine each time. */
bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	static uint8_t kept[TRUSTLET_KEY_BYTES];
	static uint64_t kept_svn;

	if (kept_svn != svn && !derive(label, svn, kept))
		return false;
	kept_svn = svn;
	memcpy(key, kept, sizeof(kept));
	return true;
}

static struct nv_bytes file_of(const char *path)
{
	static uint8_t memory[4][NV_FILE_MAX + 1];
	static unsigned files;
	uint8_t *to = memory[files++ % 4];
	FILE *from;
	size_t size;

	if (strcmp(path, "-") == 0 || strcmp(path, "?") == 0)
		return (struct nv_bytes){ NULL, path[0] == '?' };
	from = fopen(path, "rb");
	if (!from)
		abort();
	size = fread(to, 1, sizeof(memory[0]), from);
	fclose(from);
	return (struct nv_bytes){ to, size };
}

static int seal(int argc, char *argv[])
{
	struct nv_header header = { .generation = strtoull(argv[3], NULL, 0),
		.first = strtoull(argv[4], NULL, 0),
		.kind = (uint32_t)strtoul(argv[5], NULL, 0) };
	struct nv_bytes parent = file_of(argv[7]);
	struct nv_content content = { 0 };
	enum nv_verdict verdict;
	FILE *to;

	memset(header.lineage, (int)strtoul(argv[6], NULL, 0), sizeof(header.lineage));
	if (parent.bytes)
		nv_digest(parent, header.parent);
	if (header.kind != NV_MANUFACTURED) {
		memset(header.origin_lineage, 0xab, sizeof(header.origin_lineage));
		memset(header.origin_digest, 0xcd, sizeof(header.origin_digest));
	}
	content.part[NV_PERMANENT] = file_of(argv[8]);
	if (argc > 9)
		content.part[NV_CA_KEY] = file_of(argv[9]);
	if (argc > 10)
		content.part[NV_ANCHOR] = file_of(argv[10]);
	if (argc > 11)
		content.part[NV_PPI] = file_of(argv[11]);
	verdict = nv_seal(&header, &content, made);
	if (verdict != NV_OK) {
		fprintf(stderr, "%s\n", nv_sentence(verdict));
		return 1;
	}
	to = fopen(argv[2], "wb");
	if (!to || fwrite(made, 1, nv_size(&content), to) != nv_size(&content) || fclose(to) != 0)
		abort();
	return 0;
}

static void choose(char *argv[])
{
	struct nv_bytes slots[NV_SLOTS] = { file_of(argv[1]), file_of(argv[2]) };
	struct nv_demand demand = { .has_floor = strcmp(argv[0], "-") != 0,
		.floor = strtoull(argv[0], NULL, 0) };
	struct nv_choice choice;

	nv_choose(slots, &demand, payload, &choice);
	printf("%d\n%s\n%s\n", (int)choice.outcome, nv_sentence(choice.verdict[0]),
	    nv_sentence(choice.verdict[1]));
	for (size_t i = 0; i < choice.content.part[NV_PERMANENT].size; i++)
		printf("%02x", choice.content.part[NV_PERMANENT].bytes[i]);
	puts("");
}

int main(int argc, char *argv[])
{
	fake_start();
	random_start();
	if (argc >= 9 && strcmp(argv[1], "seal") == 0)
		return seal(argc, argv);
	if (argc < 5 || argc % 3 != 2 || strcmp(argv[1], "choose") != 0)
		return 2;
	for (int i = 2; i < argc; i += 3)
		choose(argv + i);
	return 0;
}
