/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A next image that says that it was started, and nothing else; with load options that begin with
 * "fail" it ends as if firmware had refused to start it. What Secure Boot thinks of it depends on
 * how the test signs it and on the .sbat section that it carries.
 */
#include <efi.h>

#include "tests/acpi/debugcon.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *self;
	EFI_STATUS status = system->BootServices->HandleProtocol(image, &guid, (void **)&self);
	const CHAR16 *options;

	debug_text("probe: started\n");
	if (status || self->LoadOptionsSize < 4 * sizeof(CHAR16))
		return status;
	options = self->LoadOptions;
	if (options[0] == 'f' && options[1] == 'a' && options[2] == 'i' && options[3] == 'l')
		return EFI_SECURITY_VIOLATION;
	return EFI_SUCCESS;
}
