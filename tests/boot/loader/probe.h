/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions of the probe, and the one function of MP services that the loader does without.
 */
#ifndef TESTS_BOOT_LOADER_PROBE_H
#define TESTS_BOOT_LOADER_PROBE_H

#include "boot/efi.h"

typedef EFI_STATUS(
    EFIAPI *enable_disable_t)(mp_services_t *self, UINTN number, BOOLEAN enable, UINT32 *health);

void write_msr(UINT32 msr, UINT64 value);
void set_cr4_vmxe(void);
void set_efer_svme(void);

/* A call without arguments to the monitor, on VT-x and on SVM; returns RAX. */
UINT64 call_vmx(UINT64 id);
UINT64 call_svm(UINT64 id);

#endif
