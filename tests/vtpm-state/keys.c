/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The monitor's own derivation of a key to seal with, on the fake machine:
 *
 *   keys ROOT ID SIGNER IMAGE_SVN FLAGS LABEL SVN
 *
 * ROOT is what the file root.key holds, LABEL the 16 bytes that the run-time makes of one, SVN that
 * of image and monitor; all but ID and the numbers in hexadecimal. Prints the key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/host/host.h"
#include "arch/upcall.h"
#include "arch/vp.h"
#include "monitor/call.h"
#include "monitor/lib/sha256.h"
#include "monitor/partition.h"

#define IMAGE 0x300000ull
#define DATA  (IMAGE + 0x80000ull)

static struct call wanted, got;
static bool at_start = true, asked;

static struct host_exit play(const struct vp_start *start, struct call *call, uint64_t cycles)
{
	if (!at_start && !asked) {
		*call = wanted;
		asked = true;
		return (struct host_exit){ .stop = VP_CALLED };
	}
	if (asked)
		got = *call;
	asked = false;
	at_start = false;
	*call = (struct call){ REDOUBT_CALL_next_request, { 0 } };
	return (struct host_exit){ .stop = VP_CALLED };
}

static void unhex(void *to, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		unsigned byte = 0;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			abort();
		((uint8_t *)to)[i] = (uint8_t)byte;
	}
}

/* What the loader does with the file's key: boot/root.c. */
static void loaders_key(const char *text)
{
	uint8_t *key = host_info()->root_key;
	struct sha256 hash;

	unhex(key, text, SHA256_BYTES);
	for (unsigned svn = REDOUBT_SVN; svn < BOOTINFO_SVN_END; svn++) {
		sha256_start(&hash);
		sha256_add(&hash, key, SHA256_BYTES);
		sha256_end(&hash, key);
	}
}

static void describe(char *argv[])
{
	static const uint8_t pages[3 * FRAME_SIZE];
	struct bootinfo_partition *p = &host_info()->partitions[0];
	struct sha256 hash;

	*p = (struct bootinfo_partition){ .image_base = IMAGE,
		.data_base = DATA,
		.text_pages = 1,
		.rodata_pages = 1,
		.data_pages = 4,
		.svn = (uint32_t)strtoul(argv[4], NULL, 0),
		.flags = (uint32_t)strtoul(argv[5], NULL, 0) };
	strncpy(p->id, argv[2], sizeof(p->id) - 1);
	unhex(p->signer, argv[3], sizeof(p->signer));
	sha256_start(&hash);
	sha256_add(&hash, pages, sizeof(pages));
	sha256_end(&hash, p->measurement);
}

int main(int argc, char *argv[])
{
	struct host_machine machine = host_default();
	struct call request;

	if (argc != 8)
		return 2;
	machine.flags |= BOOTINFO_ROOT_KEY;
	host_build(&machine);
	loaders_key(argv[1]);
	describe(argv);
	host_set_program(play);
	if (monitor_init(host_info()) != LAUNCH_OK)
		abort();
	wanted = (struct call){ REDOUBT_CALL_key_derive, { 0, 0, strtoull(argv[7], NULL, 0) } };
	unhex(wanted.regs, argv[6], 16);
	got.rax = ~0ull;
	while (got.rax == ~0ull) {
		request = (struct call){ REDOUBT_CALL_partition_call, { 1 } };
		monitor_call(&request);
		if (request.rax != REDOUBT_OK)
			abort();
	}
	for (size_t i = 0; i < SHA256_BYTES && got.rax == REDOUBT_OK; i++)
		printf("%02x", ((const uint8_t *)got.regs)[i]);
	puts("");
	return got.rax == REDOUBT_OK ? 0 : 1;
}
