/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Facts as firmware shows them, before any operating system.
 */
#ifndef TOOLS_DOCTOR_EFI_SOURCE_H
#define TOOLS_DOCTOR_EFI_SOURCE_H

#include "tools/doctor/facts.h"

/* The one source; needs gnu-efi's InitializeLib(). */
const struct source *efi_source(void);

#endif
