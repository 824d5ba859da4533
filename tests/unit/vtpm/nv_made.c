/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Files by hand (nv_made.h).
 */
#include "tests/unit/vtpm/nv_made.h"

#include <stdlib.h>

#include "guest/trustlets/rt/seal/seal.h"
#include "guest/trustlets/rt/sha256.h"

uint8_t made_machine;

bool __real_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);
bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);
_Noreturn void rt_assert_failed(const char *condition, const char *file, int line);

bool __wrap_trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	bool there = __real_trustlet_key(label, svn, key);

	key[0] ^= made_machine;
	return there;
}

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

void made_start(void)
{
	fake_start();
	fake.svn = SVN;
	made_machine = 0;
	random_start();
}

struct nv_header made_header(uint8_t tag, uint64_t generation)
{
	struct nv_header header = { .magic = 0x314d505456544452ull,
		.version = 1,
		.header_size = 216,
		.generation = generation,
		.first = 1,
		.svn = SVN | MONITOR_SVN << 32,
		.kind = NV_MANUFACTURED };

	memset(header.lineage, tag, sizeof(header.lineage));
	memset(header.parent, (int)generation, sizeof(header.parent));
	memset(header.salt, (int)(tag + generation), sizeof(header.salt));
	return header;
}

size_t made_payload(const void *state, size_t size, uint8_t *payload)
{
	uint32_t head[2] = { 1, (uint32_t)size };

	memset(payload, 0, 8 + (size + 7) / 8 * 8);
	memcpy(payload, head, sizeof(head));
	memcpy(payload + 8, state, size);
	return 8 + (size + 7) / 8 * 8;
}

void made_mended(uint8_t *file, size_t total)
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, file, total - 32);
	sha256_end(&hash, file + total - 32);
}

void made_file(const struct nv_header *header, const uint8_t *payload, size_t size, uint8_t *file)
{
	struct nv_header *head = (struct nv_header *)(void *)file;
	struct seal_frame frame = { "vtpm state", header->svn, head->salt, file, sizeof(*head) };

	*head = *header;
	head->payload = (uint32_t)size;
	head->total = (uint32_t)(sizeof(*head) + size + 16 + 32);
	if (trustlet_seal_frame(&frame, payload, size, file + sizeof(*head)) != SEAL_OK)
		abort();
	made_mended(file, head->total);
}
