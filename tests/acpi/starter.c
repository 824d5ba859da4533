/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The test starter: the \EFI\BOOT\BOOTX64.EFI of test disks. It does what a script says, line by
 * line, reporting each step on port 0xE9. The script is \start.txt, or the file that its load
 * options name, where they begin with a backslash (so that a script can start the starter with
 * another).
 *
 *   acpi [enabled|later]     install ACPI tables (tables.h); with a word they list a CPU that is
 *                            not there as enabled, or as one that can be switched on later
 *   failed [runtime]         as after three starts of the loader that failed (boot/attempts.h): it
 *                            will step aside; with the word, in a variable of the kind that an
 *                            operating system can make
 *   start PATH [OPTIONS...]  load and start an EFI program of this volume; OPTIONS, as they stand,
 *                            become its load options; the next line follows when it returns
 *   nameless PATH            the same for a program that is not told what file it came from, as one
 *                            is that was loaded out of memory
 *   watch                    from here on variables that a program writes are counted, and are not
 *                            written; for programs that return
 *   # ...                    nothing
 *
 * Test-only: no part of the product starts it.
 */
#include <efi.h>

#include "boot/attempts.h"
#include "tests/acpi/debugcon.h"
#include "tests/acpi/tables.h"

#define MAX_SCRIPT 4096

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

struct starter {
	EFI_HANDLE self;
	EFI_HANDLE device;
	EFI_SYSTEM_TABLE *system;
	EFI_BOOT_SERVICES *bs;
	BOOLEAN nameless; /* what is started */
};

static void report(const char *what, EFI_STATUS status)
{
	debug_text("starter: ");
	debug_text(what);
	debug_text(" -> ");
	debug_hex(status);
	debug_text("\n");
}

static UINTN variables_written;

static EFI_STATUS EFIAPI count_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes,
    UINTN size, VOID *data)
{
	variables_written++;
	return EFI_WRITE_PROTECTED;
}

static EFI_STATUS read_script(struct starter *s, CHAR16 *name, char *text, UINTN *size)
{
	EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *volume;
	EFI_FILE_HANDLE root, file;
	EFI_STATUS status;

	if ((status = s->bs->HandleProtocol(s->device, &guid, (void **)&volume)) ||
	    (status = volume->OpenVolume(volume, &root)) ||
	    (status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0)))
		return status;
	status = file->Read(file, size, text);
	file->Close(file);
	root->Close(root);
	return status;
}

/* Length in bytes of the device path up to its end node. */
static UINTN path_length(const EFI_DEVICE_PATH *path)
{
	const UINT8 *p = (const UINT8 *)path;

	while (p[0] != 0x7f)
		p += p[2] | p[3] << 8;
	return (UINTN)(p - (const UINT8 *)path);
}

/* The device path of a file on the starter's volume; to be freed with FreePool. */
static EFI_STATUS file_path(struct starter *s, const CHAR16 *name, UINTN chars,
    EFI_DEVICE_PATH **path)
{
	EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	UINTN node = 4 + (chars + 1) * sizeof(CHAR16);
	EFI_DEVICE_PATH *volume;
	EFI_STATUS status;
	UINTN prefix;
	UINT8 *p;

	status = s->bs->HandleProtocol(s->device, &guid, (void **)&volume);
	if (status)
		return status;
	prefix = path_length(volume);
	status = s->bs->AllocatePool(EfiLoaderData, prefix + node + 4, (void **)&p);
	if (status)
		return status;
	*path = (EFI_DEVICE_PATH *)p;
	s->bs->CopyMem(p, volume, prefix);
	p += prefix;
	p[0] = 4; /* media device path: file path */
	p[1] = 4;
	p[2] = (UINT8)node;
	p[3] = (UINT8)(node >> 8);
	s->bs->CopyMem(p + 4, (void *)(UINTN)name, chars * sizeof(CHAR16));
	p[node - 2] = p[node - 1] = 0;
	s->bs->CopyMem(p + node, (UINT8[]){ 0x7f, 0xff, 4, 0 }, 4);
	return EFI_SUCCESS;
}

static EFI_STATUS tell(struct starter *s, EFI_HANDLE image, CHAR16 *options, UINTN chars)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *loaded;
	EFI_STATUS status = s->bs->HandleProtocol(image, &guid, (void **)&loaded);

	if (status)
		return status;
	if (s->nameless)
		loaded->FilePath = NULL;
	if (!chars)
		return EFI_SUCCESS;
	loaded->LoadOptions = options;
	loaded->LoadOptionsSize = (UINT32)((chars + 1) * sizeof(CHAR16));
	return EFI_SUCCESS;
}

/* `line` is PATH [OPTIONS], as wide characters, ended by 0. */
static EFI_STATUS start(struct starter *s, CHAR16 *line, UINTN chars)
{
	EFI_DEVICE_PATH *path;
	EFI_HANDLE image;
	EFI_STATUS status;
	UINTN name = 0;

	while (name < chars && line[name] != ' ')
		name++;
	status = file_path(s, line, name, &path);
	if (status)
		return status;
	status = s->bs->LoadImage(FALSE, s->self, path, NULL, 0, &image);
	s->bs->FreePool(path);
	report("loaded", status);
	if (status)
		return status;
	name += name < chars;
	status = tell(s, image, line + name, chars - name);
	return status ? status : s->bs->StartImage(image, NULL, NULL);
}

/* The script's name: the load options, if they are a path and end with a 0. */
static CHAR16 *script_name(EFI_LOADED_IMAGE *self)
{
	static CHAR16 default_name[] = L"\\start.txt";
	CHAR16 *options = self->LoadOptions;
	UINTN chars = self->LoadOptionsSize / sizeof(CHAR16);

	if (!options || chars < 2 || options[0] != '\\' || options[chars - 1] != 0)
		return default_name;
	return options;
}

static BOOLEAN begins(const char *line, UINTN length, const char *word)
{
	UINTN i;

	for (i = 0; word[i]; i++) {
		if (i >= length || line[i] != word[i])
			return FALSE;
	}
	return i == length || line[i] == ' ';
}

/* MADT flags of the CPU that `word`, with a blank before it, asks for; 0: none. */
static UINT32 missing_cpu(const char *word, UINTN length)
{
	if (begins(word, length, " enabled"))
		return 1;
	return begins(word, length, " later") ? 2 : 0;
}

static EFI_STATUS set_failed(struct starter *s, BOOLEAN runtime)
{
	CHAR16 name[] = ATTEMPTS_NAME;
	EFI_GUID guid = ATTEMPTS_GUID;
	UINT32 count = ATTEMPTS_MAX;
	UINT32 attributes = ATTEMPTS_ATTRIBUTES;

	if (runtime)
		attributes |= EFI_VARIABLE_RUNTIME_ACCESS;
	return s->system->RuntimeServices->SetVariable(name, &guid, attributes, sizeof(count),
	    &count);
}

static void do_line(struct starter *s, const char *line, UINTN length)
{
	static CHAR16 wide[MAX_SCRIPT + 1];
	UINTN chars = 0;

	if (!length || line[0] == '#')
		return;
	if (begins(line, length, "acpi")) {
		report("acpi", install_acpi_tables(s->system, missing_cpu(line + 4, length - 4)));
	} else if (begins(line, length, "failed")) {
		report("failed", set_failed(s, begins(line + 6, length - 6, " runtime")));
	} else if (begins(line, length, "start") || begins(line, length, "nameless")) {
		s->nameless = line[0] == 'n';
		for (UINTN i = s->nameless ? 9 : 6; i < length; i++)
			wide[chars++] = (CHAR16)line[i];
		wide[chars] = 0;
		debug_text("starter: start\n");
		report("ended", start(s, wide, chars));
		report("variables written", variables_written);
	} else if (begins(line, length, "watch")) {
		s->system->RuntimeServices->SetVariable = count_variable;
	} else {
		report("unknown line", EFI_INVALID_PARAMETER);
	}
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static char script[MAX_SCRIPT];
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	struct starter s = { .self = image, .system = system, .bs = system->BootServices };
	UINTN size = sizeof(script), begin = 0;
	EFI_LOADED_IMAGE *self;
	EFI_STATUS status;

	status = s.bs->HandleProtocol(image, &guid, (void **)&self);
	if (!status) {
		s.device = self->DeviceHandle;
		status = read_script(&s, script_name(self), script, &size);
	}
	report("script", status);
	if (status)
		return status;
	for (UINTN i = 0; i <= size; i++) {
		if (i < size && script[i] != '\n')
			continue;
		do_line(&s, script + begin, i - begin);
		begin = i + 1;
	}
	debug_text("starter: end of script\n");
	return EFI_SUCCESS;
}
