/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * codeint: judges images of trustlets and has the monitor launch them. Its requests stand in
 * requests.def.
 */
#include <string.h>

#include "guest/trustlets/codeint/judge.h"
#include "guest/trustlets/rt/monitor_calls.h"
#include "monitor/abi/bootinfo.h"

#define FILE_MAX 0x200000u /* bytes of a file that can be launched */

static struct judge judge;

/* The file, copied: what is judged is this, and the monitor keeps what it was copied from. */
static _Alignas(IMAGE_PAGE) uint8_t file[FILE_MAX];

static bool read_file(uint64_t partition, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += REDOUBT_IMAGE_PIECE) {
		struct monitor_call regs = { .rax = REDOUBT_CALL_image_read,
			.rcx = partition,
			.rdx = at,
			.r8 = (uint64_t)(file + at) };

		monitor_call(&regs);
		if (regs.rax != REDOUBT_OK)
			return false;
	}
	return true;
}

static uint64_t launch(uint64_t partition, const struct signer *signer)
{
	static _Alignas(256) struct bootinfo_partition is;
	const struct redoubt_image *header = judge_header();
	struct monitor_call regs = { .rax = REDOUBT_CALL_partition_launch,
		.rcx = partition,
		.rdx = (uint64_t)&is };

	is = (struct bootinfo_partition){ .text_pages = header->text_pages,
		.rodata_pages = header->rodata_pages,
		.data_pages = header->data_pages,
		.svn = header->svn,
		.flags = header->flags };
	memcpy(is.id, header->id, sizeof(is.id));
	memcpy(is.measurement, judge.measurement, sizeof(is.measurement));
	memcpy(is.signer, signer->key, sizeof(is.signer));
	monitor_call(&regs);
	return regs.rax == REDOUBT_OK ? REDOUBT_OK : CODEINT_NOT_LAUNCHED;
}

REQUEST_HANDLER(launch)
{
	struct signer signer;
	uint64_t status;

	if (args[1] == 0 || args[1] > FILE_LENGTH_MAX)
		return REDOUBT_INVALID;
	if (args[1] > sizeof(file))
		return CODEINT_NO_ROOM;
	if (!read_file(args[0], args[1]))
		return CODEINT_NOT_READ;
	status = judge_file(&judge, file, args[1], &signer);
	if (status == REDOUBT_OK)
		status = launch(args[0], &signer);
	memcpy(results, &signer, REQUEST_WORDS * sizeof(results[0]));
	return status;
}

REQUEST_HANDLER(heap)
{
	struct heap_use use = trustlet_heap_use();

	results[0] = use.peak;
	results[1] = use.pages;
	return REDOUBT_OK;
}

int main(void)
{
	judge.policy = &built_policy;
	trustlet_log("codeint: ready, %zu signers trusted, debug images %s",
	    built_policy.signer_count, built_policy.debug ? "accepted" : "refused");
	trustlet_serve();
}
