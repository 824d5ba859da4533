/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The enroller: an EFI application that sets variables from files of its volume, in the order of
 * the table below, and powers the machine off. In setup mode this enrols the keys of Secure Boot:
 * the *.auth files are what tools/sign/variables.sh makes. PK is the last of these, since it ends
 * setup mode. What has no file is left alone; the first variable that firmware refuses ends it.
 *
 * Each step is told on port 0xE9, and at the end whether firmware is in setup mode.
 *
 * Test-only: it would enrol whatever lies beside it.
 */
#include <efi.h>

#include "boot/attempts.h"
#include "tests/acpi/debugcon.h"

#define FILE_MAX   65536u
#define NAME_CHARS 24u

/* Of UEFI 2.10, 32.6.1, of shim's README, and of boot/README.md. */
#define DATABASE_GUID                                                                              \
	{                                                                                          \
		0xd719b2cb, 0x3d3a, 0x4596,                                                        \
		{                                                                                  \
			0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f                             \
		}                                                                                  \
	}
#define SHIM_GUID                                                                                  \
	{                                                                                          \
		0x605dab50, 0xe046, 0x4300,                                                        \
		{                                                                                  \
			0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23                             \
		}                                                                                  \
	}

#define BOOT_ONLY (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS)
#define SIGNED                                                                                     \
	(BOOT_ONLY | EFI_VARIABLE_RUNTIME_ACCESS |                                                 \
	    EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static struct {
	CHAR16 variable[NAME_CHARS];
	CHAR16 file[NAME_CHARS];
	EFI_GUID guid;
	UINT32 attributes;
} steps[] = {
	{ L"MokList", L"\\MokList.esl", SHIM_GUID, BOOT_ONLY },
	{ L"SbatLevel", L"\\SbatLevel.csv", SHIM_GUID, BOOT_ONLY },
	{ ATTEMPTS_NAME, L"\\RedoubtAttempts.bin", ATTEMPTS_GUID, ATTEMPTS_ATTRIBUTES },
	{ L"db", L"\\db.auth", DATABASE_GUID, SIGNED },
	{ L"KEK", L"\\KEK.auth", EFI_GLOBAL_VARIABLE, SIGNED },
	{ L"PK", L"\\PK.auth", EFI_GLOBAL_VARIABLE, SIGNED },
};

static void report(const CHAR16 *name, EFI_STATUS status)
{
	debug_text("enroll: ");
	while (*name)
		port_out8(0xe9, (uint8_t)*name++);
	debug_text(" -> ");
	debug_hex(status);
	debug_text("\n");
}

static EFI_STATUS open_root(EFI_HANDLE image, EFI_BOOT_SERVICES *bs, EFI_FILE_HANDLE *root)
{
	EFI_GUID loaded_image = LOADED_IMAGE_PROTOCOL, file_system = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_LOADED_IMAGE *self;
	EFI_STATUS status = bs->HandleProtocol(image, &loaded_image, (void **)&self);

	if (!status)
		status = bs->HandleProtocol(self->DeviceHandle, &file_system, (void **)&volume);
	return status ? status : volume->OpenVolume(volume, root);
}

static EFI_STATUS set_from_file(EFI_FILE_HANDLE root, EFI_RUNTIME_SERVICES *rt, UINTN step)
{
	static UINT8 content[FILE_MAX];
	UINTN size = sizeof(content);
	EFI_FILE_HANDLE file;
	EFI_STATUS status = root->Open(root, &file, steps[step].file, EFI_FILE_MODE_READ, 0);

	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (!status) {
		status = file->Read(file, &size, content);
		file->Close(file);
	}
	if (!status)
		status = rt->SetVariable(steps[step].variable, &steps[step].guid,
		    steps[step].attributes, size, content);
	report(steps[step].variable, status);
	return status;
}

static void report_mode(EFI_RUNTIME_SERVICES *rt)
{
	static CHAR16 name[] = L"SetupMode";
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	UINT8 setup = 0xff;
	UINTN size = sizeof(setup);
	EFI_STATUS status = rt->GetVariable(name, &global, NULL, &size, &setup);

	if (status)
		debug_text("enroll: no Secure Boot here\n");
	else
		debug_text(setup ? "enroll: setup mode\n" : "enroll: user mode\n");
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_RUNTIME_SERVICES *rt = system->RuntimeServices;
	EFI_FILE_HANDLE root;
	EFI_STATUS status = open_root(image, system->BootServices, &root);

	report(L"volume", status);
	for (UINTN i = 0; !status && i < sizeof(steps) / sizeof(steps[0]); i++)
		status = set_from_file(root, rt, i);
	report_mode(rt);
	rt->ResetSystem(EfiResetShutdown, status, 0, NULL);
	return status;
}
