/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * doctor.efi: what this machine offers Redoubt, told before anything is changed on it. It only
 * reads. Words among its load options: `save` writes the lines to doctor.txt beside it as well,
 * `nowait` does not wait for a reader.
 */
#include <stdbool.h>

#include "tools/doctor/doctor.h"
#include "tools/doctor/efi/efi.h"
#include "tools/doctor/efi/source.h"

#define WAIT_100NS    600000000ull /* a minute */
#define ROWS_DEFAULT  25u
#define FILE_NAME     L"doctor.txt"
#define OPTIONS_CHARS 256u

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system);

struct screen {
	bool wait;
	UINTN rows, row; /* of a page, of the cursor */
};

/* A key, or a minute. */
static void wait_for_reader(void)
{
	EFI_EVENT events[2];
	EFI_INPUT_KEY key;
	UINTN which, count = 1;

	if (EFI_ERROR(BS->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &events[0])))
		return;
	if (ST->ConIn)
		events[count++] = ST->ConIn->WaitForKey;
	if (!EFI_ERROR(BS->SetTimer(events[0], TimerRelative, WAIT_100NS)) &&
	    !EFI_ERROR(BS->WaitForEvent(count, events, &which)) && which == 1)
		ST->ConIn->ReadKeyStroke(ST->ConIn, &key);
	BS->CloseEvent(events[0]);
}

static void put_text(const char *text)
{
	for (; *text; text++) {
		CHAR16 wide[2] = { (CHAR16)*text, 0 };

		ST->ConOut->OutputString(ST->ConOut, wide);
	}
}

static void put_console(void *opaque, const char *text)
{
	struct screen *screen = opaque;

	put_text(text);
	for (; *text; text++) {
		if (*text != '\n' || ++screen->row < screen->rows || !screen->wait)
			continue;
		put_text("-- a key goes on --\r\n");
		wait_for_reader();
		screen->row = 0;
	}
}

static void show(const struct report *report, bool wait)
{
	struct screen screen = { .wait = wait };
	struct printer printer = { put_console, &screen, "\r\n" };
	UINTN columns, rows;

	if (!ST->ConOut)
		return;
	if (EFI_ERROR(ST->ConOut->QueryMode(ST->ConOut, (UINTN)ST->ConOut->Mode->Mode, &columns,
		&rows)) ||
	    rows < 4)
		rows = ROWS_DEFAULT;
	screen.rows = rows - 2;
	doctor_print(report, &printer);
	if (wait) {
		put_text("-- the end; a key goes back --\r\n");
		wait_for_reader();
	}
}

struct output {
	EFI_FILE_HANDLE file;
	EFI_STATUS status;
};

static void put_file(void *opaque, const char *text)
{
	struct output *output = opaque;
	UINTN size = 0;

	while (text[size])
		size++;
	if (!EFI_ERROR(output->status))
		output->status = output->file->Write(output->file, &size, (void *)(UINTN)text);
}

/* The path of our own file with its last part replaced, to be freed; NULL: it is not known. */
static CHAR16 *path_beside(EFI_LOADED_IMAGE *image)
{
	CHAR16 *own = DevicePathToStr(image->FilePath), *path;
	UINTN length;

	if (!own)
		return NULL;
	for (length = StrLen(own); length && own[length - 1] != '\\'; length--)
		;
	path = AllocateZeroPool((length + sizeof(FILE_NAME) / sizeof(CHAR16)) * sizeof(CHAR16));
	if (path) {
		CopyMem(path, own, length * sizeof(CHAR16));
		StrCpy(path + length, FILE_NAME);
	}
	FreePool(own);
	return path;
}

/* Writes over an older file of that name, longer or not. */
static EFI_STATUS create(EFI_FILE_HANDLE root, CHAR16 *path, EFI_FILE_HANDLE *file)
{
	const UINT64 mode = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;

	if (!EFI_ERROR(root->Open(root, file, path, mode, 0)))
		(*file)->Delete(*file);
	return root->Open(root, file, path, mode | EFI_FILE_MODE_CREATE, 0);
}

static EFI_STATUS save(EFI_LOADED_IMAGE *image, const struct report *report)
{
	struct output output = { .status = EFI_SUCCESS };
	const struct printer printer = { put_file, &output, "\r\n" };
	CHAR16 *path = path_beside(image);
	EFI_FILE_HANDLE root = path ? LibOpenRoot(image->DeviceHandle) : NULL;

	output.status = root ? create(root, path, &output.file) : EFI_NOT_FOUND;
	if (!EFI_ERROR(output.status)) {
		doctor_print(report, &printer);
		output.file->Close(output.file);
	}
	if (root)
		root->Close(root);
	if (path)
		FreePool(path);
	return output.status;
}

/* Whether a word stands among the load options, which end with them or at a NUL. */
static bool has_word(const EFI_LOADED_IMAGE *image, const char *word)
{
	const CHAR16 *text = image->LoadOptions;
	UINTN chars = text ? image->LoadOptionsSize / sizeof(CHAR16) : 0, matched = 0;
	bool start = true, matching = true;

	if (chars > OPTIONS_CHARS)
		chars = OPTIONS_CHARS;
	for (UINTN i = 0; i <= chars; i++) {
		CHAR16 c = i < chars ? text[i] : 0;

		if (c == 0 || c == ' ') {
			if (!start && matching && !word[matched])
				return true;
			if (c == 0)
				return false;
			matched = 0;
			start = matching = true;
			continue;
		}
		start = false;
		matching = matching && word[matched] && c == (CHAR16)word[matched];
		matched += matching;
	}
	return false;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system)
{
	static struct report report;
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;

	InitializeLib(self, system);
	status = BS->HandleProtocol(self, &LoadedImageProtocol, (void **)&image);
	if (EFI_ERROR(status))
		return status;
	doctor_examine(efi_source(), &report);
	doctor_finish(&report, "");
	if (has_word(image, "save")) {
		status = save(image, &report);
		report_line(&report, "file", EFI_ERROR(status) ? ANSWER_NO : ANSWER_YES,
		    EFI_ERROR(status) ? "doctor.txt could not be written"
				      : "doctor.txt is written");
	}
	show(&report, !has_word(image, "nowait"));
	return status;
}
