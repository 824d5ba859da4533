/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A next image that says that it was started, and nothing else. What Secure Boot thinks of it
 * depends on how the test signs it and on the .sbat section that it carries.
 */
#include <efi.h>

#include "tests/acpi/debugcon.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	debug_text("probe: started\n");
	return EFI_SUCCESS;
}
