/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secrets (secrets.h).
 */
#include "boot/secrets.h"

#include "boot/bytes.h"
#include "boot/console.h"
#include "boot/random.h"
#include "boot/root.h"
#include "boot/x86.h"

#define STALL_US 1000u

static uint32_t measure_clock(void)
{
	uint64_t start = read_tsc(), khz;

	if (EFI_ERROR(BS->Stall(STALL_US)))
		return 0;
	khz = (read_tsc() - start) * 1000 / STALL_US;
	return khz < UINT32_MAX ? (uint32_t)khz : 0;
}

void secrets_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image)
{
	if (!random_gather(info->entropy))
		say("note: neither firmware nor the CPU has random numbers");
	info->tsc_khz = measure_clock();
	root_fill(info, image);
}

void secrets_forget(struct bootinfo *info)
{
	scrub(info->entropy, sizeof(info->entropy));
	scrub(info->root_key, sizeof(info->root_key));
}
