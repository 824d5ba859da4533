/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading redoubt.conf.
 */
#include "boot/settings.h"

#include "boot/console.h"
#include "boot/file.h"
#include "monitor/abi/bootinfo.h"

#define ERRORS_SHOWN 10u

static void report(void *context, unsigned line, const char *complaint, const char *key)
{
	unsigned *shown = context;

	if ((*shown)++ >= ERRORS_SHOWN)
		return;
	say(SETTINGS_FILE ":%u: %s%s%s", line, key, *key ? ": " : "", complaint);
}

static void ignore(void *context, unsigned line, const char *complaint, const char *key)
{
}

/* Parses twice, so that errors appear on the console that a later line asks for. */
static BOOLEAN parse(const char *text, UINT64 size, struct config *config)
{
	unsigned shown = 0, errors;

	config_parse(config, text, size, ignore, NULL);
	if (config->flags & BOOTINFO_DEBUGCON)
		console_debugcon();
	if (config->log_level == LOG_DEBUG)
		console_details();
	errors = config_parse(config, text, size, report, &shown);
	if (errors > ERRORS_SHOWN)
		say(SETTINGS_FILE ": %u more", errors - ERRORS_SHOWN);
	return errors == 0 ? TRUE : refuse(SETTINGS_FILE " has errors (%u).", errors);
}

static EFI_STATUS read(EFI_HANDLE device, CHAR16 *path, char **text, UINT64 *size)
{
	EFI_FILE_HANDLE file;
	EFI_STATUS status = file_open(device, path, &file, size);

	if (EFI_ERROR(status))
		return status;
	*text = *size <= CONFIG_FILE_MAX ? AllocatePool(CONFIG_FILE_MAX) : NULL;
	status = *text ? file_read(file, *text, *size) : EFI_OUT_OF_RESOURCES;
	file->Close(file);
	if (EFI_ERROR(status) && *text)
		FreePool(*text);
	return status;
}

BOOLEAN settings_read(const EFI_LOADED_IMAGE *image, struct config *config)
{
	CHAR16 path[FILE_PATH_CHARS];
	EFI_STATUS status = EFI_NOT_FOUND;
	UINT64 size = 0;
	BOOLEAN good;
	char *text;

	config_defaults(config);
	if (file_beside(image, SETTINGS_FILE, path))
		status = read(image->DeviceHandle, path, &text, &size);
	if (status == EFI_NOT_FOUND) {
		say("no " SETTINGS_FILE " beside the loader: the defaults hold");
		return TRUE;
	}
	if (size > CONFIG_FILE_MAX)
		return refuse(SETTINGS_FILE " is larger than %u bytes.", CONFIG_FILE_MAX);
	if (EFI_ERROR(status))
		return refuse(SETTINGS_FILE " cannot be read (%s).", status_text(status));
	good = parse(text, size, config);
	FreePool(text);
	return good;
}
