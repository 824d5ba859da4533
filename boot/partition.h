/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Images of secure partitions that redoubt.efi carries: which pass, and laying one out. No call to
 * firmware: tested and fuzzed on the host.
 */
#ifndef BOOT_PARTITION_H
#define BOOT_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "boot/image.h"

#define PARTITION_COMPLAINT 192u /* bytes, the NUL included */

/* Files of partitions (monitor/abi/image.h), where they lie in our own image. */
struct partitions {
	unsigned count;
	struct blob file[BOOTINFO_PARTITIONS];
};

/*
 * Finds the sections .part0 to .part3 of our own image, which lies in memory as loaded, and judges
 * each: every field of the header, the file's size, the form of a signature block, and no id twice.
 * false: one does not pass; `complaint` is a sentence that names it. Sections lie at multiples of
 * 8, as do those of any image whose sections lie on pages.
 */
bool partitions_find(struct blob own, struct partitions *found,
    char complaint[PARTITION_COMPLAINT]);

/* The id of a file that has passed. */
const char *partition_id(struct blob file);

/* Pages to reserve for a file that has passed: its image's, then its private memory. */
uint64_t partition_pages(struct blob file);

/* The same of a partition that was placed. */
uint64_t partition_placed_pages(const struct bootinfo_partition *placed);

/*
 * Copies the image's pages of a file that has passed to `target`, page-aligned and
 * partition_pages() long, and describes the copy: it is what is measured. Private memory begins
 * behind it and stays as it is: the monitor scrubs what changes owner.
 */
void partition_place(struct blob file, uint8_t *target, struct bootinfo_partition *placed);

#endif
