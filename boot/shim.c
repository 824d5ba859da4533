/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Shim's protocols.
 */
#include "boot/shim.h"

/* Shim takes the size as a positive number of 32 bits. */
#define IMAGE_MAX 0x7fffffffull

#define SHIM_LOCK_GUID                                                                             \
	{                                                                                          \
		0x605dab50, 0xe046, 0x4300,                                                        \
		{                                                                                  \
			0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23                             \
		}                                                                                  \
	}

/* Shim, from version 16 on, puts it on the handle of each image that its own LoadImage() loads. */
#define SHIM_LOADED_IMAGE_GUID                                                                     \
	{                                                                                          \
		0x6e6baeb8, 0x7108, 0x4179,                                                        \
		{                                                                                  \
			0x94, 0x9d, 0xa3, 0x49, 0x34, 0x15, 0xec, 0x97                             \
		}                                                                                  \
	}

struct shim_lock {
	/* Not EFIAPI: shim's functions have the System V calling convention. */
	EFI_STATUS (*verify)(void *image, UINT32 size);
	void *hash;
	void *context;
};

EFI_STATUS shim_verify(void *image, UINT64 size)
{
	EFI_GUID guid = SHIM_LOCK_GUID;
	struct shim_lock *shim;
	EFI_STATUS status = BS->LocateProtocol(&guid, NULL, (void **)&shim);

	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(status))
		return status;
	if (size > IMAGE_MAX)
		return EFI_UNSUPPORTED;
	return shim->verify(image, (UINT32)size);
}

BOOLEAN shim_loaded(EFI_HANDLE image)
{
	EFI_GUID guid = SHIM_LOADED_IMAGE_GUID;
	void *ignored;

	return !EFI_ERROR(BS->HandleProtocol(image, &guid, &ignored));
}
