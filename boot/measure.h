/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loader measures into the vTPM, and that others can (tcg2_serve.h). Without a vTPM
 * nothing is done.
 */
#ifndef BOOT_MEASURE_H
#define BOOT_MEASURE_H

#include "boot/efi.h"
#include "boot/partition.h"

struct measured {
	const EFI_LOADED_IMAGE *image; /* the loader's own */
	struct blob monitor;
	const struct partitions *partitions;
};

/*
 * Measures what has run until now, and offers EFI_TCG2_PROTOCOL to what runs next; `log` is for
 * ACPI's table. Says what is in the way: then there is no log, and registers are as they are.
 */
BOOLEAN measure_start(const struct measured *what, struct blob *log);

/* An image that is about to be started. */
void measure_image(struct blob file, EFI_DEVICE_PATH *path);

/* Images that were measured so far, by whomever. */
UINT64 measure_images(void);

/* Nobody measures any more: the loader goes. */
void measure_end(void);

#endif
