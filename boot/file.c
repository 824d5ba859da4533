/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Files of the loader's own volume.
 */
#include "boot/file.h"

#include <string.h>

#include "boot/bytes.h"

#define NAME_CHARS  16u /* of a new name, its NUL included */
#define FOR_CHANGE  (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define NODE_HEADER 4u
#define READ_CHUNK  (4u << 20)

void file_widen(CHAR16 *out, const char *text)
{
	while (*text)
		*out++ = (CHAR16)*text++;
	*out = 0;
}

/* Appends a character; once the path is full nothing more, so that the result ends in a NUL. */
static void append(CHAR16 *path, UINTN *length, CHAR16 c)
{
	if (*length + 1 < FILE_PATH_CHARS)
		path[(*length)++] = c;
	path[*length] = 0;
}

/* Appends the text of a file path node, with one backslash between it and what is there. */
static void append_node(CHAR16 *path, UINTN *length, const UINT8 *node)
{
	UINTN chars = (get16(node + 2) - NODE_HEADER) / 2;

	if (*length == 0 || path[*length - 1] != '\\')
		append(path, length, '\\');
	for (UINTN i = 0; i < chars; i++) {
		CHAR16 c = get16(node + NODE_HEADER + 2 * i);

		if (c == 0)
			break;
		if (c != '\\' || path[*length - 1] != '\\')
			append(path, length, c);
	}
}

/* The text of all file path nodes; 0 where there is none or they are too long. */
static UINTN own_path(const EFI_LOADED_IMAGE *image, CHAR16 path[FILE_PATH_CHARS])
{
	const UINT8 *node = (const UINT8 *)image->FilePath;
	UINTN length = 0;

	for (; node && node[0] != END_DEVICE_PATH_TYPE; node += get16(node + 2)) {
		if (get16(node + 2) < NODE_HEADER)
			return 0;
		if (node[0] == MEDIA_DEVICE_PATH && node[1] == MEDIA_FILEPATH_DP)
			append_node(path, &length, node);
	}
	return length + 1 < FILE_PATH_CHARS ? length : 0;
}

BOOLEAN file_own(const EFI_LOADED_IMAGE *image, CHAR16 path[FILE_PATH_CHARS])
{
	return own_path(image, path) != 0;
}

BOOLEAN file_beside(const EFI_LOADED_IMAGE *image, const char *name, CHAR16 path[FILE_PATH_CHARS])
{
	UINTN length = own_path(image, path);

	while (length && path[length - 1] != '\\')
		length--;
	if (!length || length + text_length(name) >= FILE_PATH_CHARS)
		return FALSE;
	file_widen(path + length, name);
	return TRUE;
}

static EFI_STATUS size_of(EFI_FILE_HANDLE file, UINT64 *size)
{
	EFI_STATUS status = file->SetPosition(file, ~0ull); /* UEFI 2.10, 13.5: the end */

	if (!EFI_ERROR(status))
		status = file->GetPosition(file, size);
	return status;
}

EFI_STATUS file_open(EFI_HANDLE device, CHAR16 *path, EFI_FILE_HANDLE *file, UINT64 *size)
{
	EFI_FILE_HANDLE root = LibOpenRoot(device);
	EFI_STATUS status;

	if (!root)
		return EFI_NOT_FOUND;
	status = root->Open(root, file, path, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (EFI_ERROR(status))
		return status;
	status = size_of(*file, size);
	if (EFI_ERROR(status))
		(*file)->Close(*file);
	return status;
}

EFI_STATUS file_whole(EFI_HANDLE device, CHAR16 *path, void **bytes, UINT64 *size)
{
	EFI_FILE_HANDLE file;
	EFI_STATUS status = file_open(device, path, &file, size);

	if (EFI_ERROR(status))
		return status;
	/* With no bytes given LoadImage() may read the file itself, unseen by us. */
	status = EFI_LOAD_ERROR;
	if (*size)
		status = BS->AllocatePool(EfiLoaderData, *size, bytes);
	if (!EFI_ERROR(status)) {
		status = file_read(file, *bytes, *size);
		if (EFI_ERROR(status))
			BS->FreePool(*bytes);
	}
	file->Close(file);
	return status;
}

EFI_STATUS file_read(EFI_FILE_HANDLE file, void *buffer, UINT64 size)
{
	UINT8 *at = buffer;
	EFI_STATUS status = file->SetPosition(file, 0);

	while (!EFI_ERROR(status) && size) {
		UINTN part = size < READ_CHUNK ? size : READ_CHUNK;

		status = file->Read(file, &part, at);
		if (!EFI_ERROR(status) && part == 0)
			status = EFI_VOLUME_CORRUPTED;
		at += part;
		size -= part;
	}
	return status;
}

static EFI_STATUS open_for_change(EFI_HANDLE device, CHAR16 *path, UINT64 mode,
    EFI_FILE_HANDLE *file)
{
	EFI_FILE_HANDLE root = LibOpenRoot(device);
	EFI_STATUS status;

	if (!root)
		return EFI_NOT_FOUND;
	status = root->Open(root, file, path, FOR_CHANGE | mode, 0);
	root->Close(root);
	return status;
}

EFI_STATUS file_write(EFI_HANDLE device, CHAR16 *path, const void *data, UINTN size)
{
	UINTN written = size;
	EFI_FILE_HANDLE file;
	EFI_STATUS status = open_for_change(device, path, 0, &file);

	if (!EFI_ERROR(status))
		file->Delete(file);
	status = open_for_change(device, path, EFI_FILE_MODE_CREATE, &file);
	if (EFI_ERROR(status))
		return status;
	status = file->Write(file, &written, (void *)(UINTN)data);
	if (!EFI_ERROR(status) && written != size)
		status = EFI_VOLUME_FULL;
	if (!EFI_ERROR(status))
		status = file->Flush(file);
	/* A file that is not whole must not be taken for one. */
	if (EFI_ERROR(status))
		file->Delete(file);
	else
		file->Close(file);
	return status;
}

EFI_STATUS file_put(EFI_HANDLE device, CHAR16 *path, UINT64 at, const void *data, UINTN size)
{
	UINTN written = size;
	EFI_FILE_HANDLE file;
	EFI_STATUS status = open_for_change(device, path, EFI_FILE_MODE_CREATE, &file);

	if (EFI_ERROR(status))
		return status;
	status = file->SetPosition(file, at);
	if (!EFI_ERROR(status))
		status = file->Write(file, &written, (void *)(UINTN)data);
	if (!EFI_ERROR(status) && written != size)
		status = EFI_VOLUME_FULL;
	if (!EFI_ERROR(status))
		status = file->Flush(file);
	file->Close(file);
	return status;
}

EFI_STATUS file_rename(EFI_HANDLE device, CHAR16 *path, const char *name)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	struct {
		EFI_FILE_INFO info;
		CHAR16 more[FILE_PATH_CHARS];
	} now;
	UINTN size = sizeof(now);
	EFI_FILE_HANDLE file;
	EFI_STATUS status = open_for_change(device, path, 0, &file);

	if (EFI_ERROR(status))
		return status;
	memset(&now, 0, sizeof(now));
	status = file->GetInfo(file, &guid, &size, &now);
	if (!EFI_ERROR(status) && text_length(name) >= NAME_CHARS)
		status = EFI_INVALID_PARAMETER;
	if (!EFI_ERROR(status)) {
		file_widen(now.info.FileName, name);
		now.info.Size = sizeof(now.info) + NAME_CHARS * sizeof(CHAR16);
		status = file->SetInfo(file, &guid, now.info.Size, &now);
	}
	file->Close(file);
	return status;
}
