/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loader measures: into the platform's TPM what it is about to launch; into the vTPM,
 * where there is one, what platform_log() has, or else all that the loader sees, and what others
 * do (tcg2_serve.h).
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
 * Before the launch, where the machine has a TPM of its own: measures what is to be launched into
 * that, monitor and partitions into PCR 4 and redoubt.conf into PCR 5. Says what is in the way.
 */
void measure_platform(const struct measured *what);

/*
 * Measures what platform_log() has, or else what has run until now, and offers EFI_TCG2_PROTOCOL
 * to what runs next; `log` is for ACPI's table. Says what is in the way: then there is no log, and
 * registers are as they are.
 */
BOOLEAN measure_start(const struct measured *what, struct blob *log);

/* An image that is about to be started. */
void measure_image(struct blob file, EFI_DEVICE_PATH *path);

/*
 * The GUID partition table of the disk that an image is started from, unless its event is in the
 * log. Says what is in the way.
 */
void measure_disk(EFI_HANDLE volume);

/* Images that were measured so far, by whomever. */
UINT64 measure_images(void);

/* Nobody measures any more: the loader goes. */
void measure_end(void);

#endif
