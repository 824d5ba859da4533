/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Asks whoever is at firmware's console whether the vTPM is to do what the operating system asked
 * for (vtpm/ppi.h). With no answer in time it is not.
 */
#ifndef BOOT_PRESENCE_H
#define BOOT_PRESENCE_H

#include "boot/efi.h"

BOOLEAN presence_confirmed(UINT64 operation);

#endif
