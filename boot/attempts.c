/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The counter of starts.
 */
#include "boot/attempts.h"

UINT32 attempts_read(void)
{
	CHAR16 name[] = ATTEMPTS_NAME;
	EFI_GUID guid = ATTEMPTS_GUID;
	UINT32 count = 0, attributes = 0;
	UINTN size = sizeof(count);

	if (EFI_ERROR(RT->GetVariable(name, &guid, &attributes, &size, &count)) ||
	    size != sizeof(count) || attributes != ATTEMPTS_ATTRIBUTES)
		return 0;
	return count;
}

EFI_STATUS attempts_write(UINT32 count)
{
	CHAR16 name[] = ATTEMPTS_NAME;
	EFI_GUID guid = ATTEMPTS_GUID;

	return RT->SetVariable(name, &guid, ATTEMPTS_ATTRIBUTES, sizeof(count), &count);
}
