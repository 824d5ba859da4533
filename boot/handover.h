/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What is handed to the monitor: its memory with the relocated image in it, that of the secure
 * partitions, and the boot information block.
 */
#ifndef BOOT_HANDOVER_H
#define BOOT_HANDOVER_H

#include "boot/config.h"
#include "boot/cpus.h"
#include "boot/efi.h"
#include "boot/image.h"
#include "boot/partition.h"
#include "boot/ranges.h"
#include "boot/vtpm.h"

struct handover {
	struct bootinfo *info;
	monitor_entry_fn entry;
	UINT64 text_base; /* made executable, and no longer writable */
	UINT64 text_pages;
	UINT64 text_before; /* their attributes */
};

/* What the block is made of beside memory. */
struct handover_facts {
	const struct config *config;
	const struct cpus *cpus;
	const struct partitions *partitions; /* have passed partitions_find() */
	const EFI_LOADED_IMAGE *image;	     /* the loader's own */
	UINT32 attempts;
	enum vtpm_place vtpm;
};

/*
 * Reserves memory, puts `payload` (checked) and the partitions there and fills in the block. FALSE,
 * after saying why; then nothing is reserved.
 */
BOOLEAN handover_prepare(struct handover *handover, struct blob payload,
    const struct handover_facts *facts);

/*
 * Once every CPU is covered: makes the tables of IOMMUs that the monitor drives unfindable for
 * the operating system. Until then they are as firmware left them.
 */
void handover_hide_iommus(void);

/* Gives back all that was reserved. Only before a CPU was launched. */
void handover_release(struct handover *handover);

#endif
