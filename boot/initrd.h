/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An initrd for kernels with an EFI stub, offered as Linux looks for it since 5.8: a LoadFile2
 * protocol at a device path of a well-known vendor GUID.
 */
#ifndef BOOT_INITRD_H
#define BOOT_INITRD_H

#include "boot/efi.h"

struct initrd {
	load_file2_t protocol; /* first: firmware hands back its address */
	EFI_HANDLE handle;     /* NULL: nothing is offered */
	EFI_FILE_HANDLE file;
	UINT64 size;
};

/*
 * Offers a file of `device`; `path` has at most CONFIG_PATH_MAX characters. EFI_ALREADY_STARTED:
 * another initrd is offered.
 */
EFI_STATUS initrd_offer(struct initrd *initrd, EFI_HANDLE device, const char *path);

/* Ends the offer, if there was one. */
void initrd_withdraw(struct initrd *initrd);

#endif
