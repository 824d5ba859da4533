/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's variable SecureBoot.
 */
#include "boot/secure_boot.h"

#include "boot/efi.h"

enum secure_boot secure_boot_read(void)
{
	CHAR16 name[] = L"SecureBoot";
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	UINT8 value[2] = { 0, 0 }; /* room to see that there is more than there should be */
	UINTN size = sizeof(value);
	UINT32 attributes = 0;
	EFI_STATUS status = RT->GetVariable(name, &guid, &attributes, &size, value);
	struct secure_boot_answer answer = {
		.absent = status == EFI_NOT_FOUND,
		.failed = EFI_ERROR(status),
		.attributes = attributes,
		.size = size,
		.value = value[0],
	};

	return secure_boot_state(&answer);
}
