/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A driver as next image: it stays when it has returned, and looks at its load options again each
 * time that another image is loaded, when the loader that gave them has ended.
 */
#include <efi.h>

#include "tests/acpi/debugcon.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static void EFIAPI show_options(EFI_EVENT event, void *context)
{
	const EFI_LOADED_IMAGE *self = context;
	const CHAR16 *options = self->LoadOptions;

	debug_text("resident: options ");
	for (UINTN i = 0; options && i < self->LoadOptionsSize / sizeof(CHAR16) && options[i]; i++)
		port_out8(0xe9, (uint8_t)options[i]);
	debug_text(".\n");
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_BOOT_SERVICES *bs = system->BootServices;
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *self;
	EFI_EVENT event;
	void *registration;
	EFI_STATUS status = bs->HandleProtocol(image, &guid, (void **)&self);

	if (!status)
		status = bs->CreateEvent(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, show_options, self,
		    &event);
	if (!status)
		status = bs->RegisterProtocolNotify(&guid, event, &registration);
	debug_text("resident: stays\n");
	return status;
}
