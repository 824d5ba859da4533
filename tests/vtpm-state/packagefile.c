/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/package.c at work on files, for what the tool must agree with:
 *
 *   packagefile ask PLACE OUT
 *   packagefile make OUT GENERATION LINEAGE DIGEST PART...
 *   packagefile open PLACE FILE...
 *   packagefile key           the fingerprint, in hexadecimal
 *
 * PLACE, LINEAGE and DIGEST are one byte, 32 times; PART is a file, in the order of enum nv_part,
 * "-" none. open prints a line for each file: the verdict's name, and if that is OK kind,
 * generation, first, lineage, origin's lineage, origin's digest, and each part. The environment's
 * ROOT is the key that follows from the machine's root key.
 */
#include "vtpm/package.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/trustlets/fake.h"

bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);
_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

static uint8_t made[NV_FILE_MAX], payload[NV_PAYLOAD_MAX];

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

/* Of the image and monitor at work. */
bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	const char *root = getenv("ROOT");

	if (!root || strlen(root) != 2 * TRUSTLET_KEY_BYTES ||
	    strcmp(label, "vtpm transfer") != 0 || svn != trustlet_svn())
		abort();
	for (size_t i = 0; i < TRUSTLET_KEY_BYTES; i++) {
		unsigned byte;

		if (sscanf(root + 2 * i, "%2x", &byte) != 1)
			abort();
		key[i] = (uint8_t)byte;
	}
	return true;
}

static void fill(const char *byte, uint8_t to[NV_DIGEST])
{
	memset(to, (int)strtoul(byte, NULL, 0), NV_DIGEST);
}

static struct nv_bytes file_of(const char *path)
{
	static uint8_t memory[NV_PARTS][NV_FILE_MAX + 1];
	static unsigned files;
	uint8_t *to = memory[files++ % NV_PARTS];
	FILE *from;
	size_t size;

	if (strcmp(path, "-") == 0)
		return (struct nv_bytes){ NULL, 0 };
	from = fopen(path, "rb");
	if (!from)
		abort();
	size = fread(to, 1, NV_FILE_MAX + 1, from);
	fclose(from);
	return (struct nv_bytes){ to, size };
}

static int write_out(const char *path, const void *bytes, size_t size)
{
	FILE *to = fopen(path, "wb");

	if (!to || fwrite(bytes, 1, size, to) != size || fclose(to) != 0)
		abort();
	return 0;
}

static int ask(char *argv[])
{
	uint8_t place[NV_DIGEST];
	struct package_ask ask;

	fill(argv[0], place);
	return package_ask(place, &ask) ? write_out(argv[1], &ask, sizeof(ask)) : 1;
}

static int make(int argc, char *argv[])
{
	struct nv_header header = { .generation = strtoull(argv[1], NULL, 0) };
	struct nv_content content = { 0 };
	uint8_t digest[NV_DIGEST];
	struct package_source source = { &header, digest, &content };

	fill(argv[2], header.lineage);
	fill(argv[3], digest);
	for (int i = 0; i < argc - 4 && i < NV_PARTS; i++)
		content.part[i] = file_of(argv[4 + i]);
	return write_out(argv[0], made, package_make(&source, made));
}

static void print_hex(const void *bytes, size_t size)
{
	putchar(' ');
	for (size_t i = 0; i < size; i++)
		printf("%02x", ((const uint8_t *)bytes)[i]);
	if (!size)
		putchar('-');
}

static int key(void)
{
	uint8_t digest[NV_DIGEST];

	if (!package_key(digest))
		return 1;
	print_hex(digest, sizeof(digest));
	puts("");
	return 0;
}

static void open_one(const uint8_t place[NV_DIGEST], const char *path)
{
	static const char *const names[] = {
#define VERDICT(name, sentence) #name,
#include "monitor/abi/tpm_state.def"
#undef VERDICT
	};
	struct nv_content content = { 0 };
	struct nv_header h = { 0 };
	enum nv_verdict verdict = package_open(file_of(path), place, payload, &h, &content);

	printf("%s", names[verdict]);
	if (verdict == NV_OK) {
		printf(" %" PRIu32 " %" PRIu64 " %" PRIu64, h.kind, h.generation, h.first);
		print_hex(h.lineage, sizeof(h.lineage));
		print_hex(h.origin_lineage, sizeof(h.origin_lineage));
		print_hex(h.origin_digest, sizeof(h.origin_digest));
		for (unsigned i = 0; i < NV_PARTS; i++)
			print_hex(content.part[i].bytes, content.part[i].size);
	}
	puts("");
}

int main(int argc, char *argv[])
{
	uint8_t place[NV_DIGEST];

	fake_start();
	random_start();
	if (argc == 2 && strcmp(argv[1], "key") == 0)
		return key();
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv + 2);
	if (argc >= 7 && strcmp(argv[1], "make") == 0)
		return make(argc - 2, argv + 2);
	if (argc < 4 || strcmp(argv[1], "open") != 0)
		return 2;
	fill(argv[2], place);
	for (int i = 3; i < argc; i++)
		open_one(place, argv[i]);
	return 0;
}
