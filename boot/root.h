/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The root key: root.tpm beside the loader where firmware offers a TPM 2.0 (root_seal.h), root.key
 * where it does not. README.md tells what is done in each case, and the ways out.
 */
#ifndef BOOT_ROOT_H
#define BOOT_ROOT_H

#include "boot/efi.h"
#include "monitor/abi/bootinfo.h"

/*
 * Fills in root_key for this SVN and its flags. A key is made only where neither file is there. If
 * there is none to be had that is said, nothing is overwritten, and partitions can seal nothing.
 */
void root_fill(struct bootinfo *info, const EFI_LOADED_IMAGE *image);

/*
 * From now on nothing unseals root.tpm until the machine is reset. To be called on every way out of
 * the loader; says so where it cannot be.
 */
void root_close(void);

#endif
