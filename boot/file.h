/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Files on the volume that the loader was started from.
 */
#ifndef BOOT_FILE_H
#define BOOT_FILE_H

#include "boot/efi.h"

/* Characters of a path, its NUL included. */
#define FILE_PATH_CHARS 512u

/* ASCII to the characters of EFI; `out` has room for the text and a NUL. */
void file_widen(CHAR16 *out, const char *text);

/* The path of the file `name` beside the loader's own. false: it was not started from a file. */
BOOLEAN file_beside(const EFI_LOADED_IMAGE *image, const char *name, CHAR16 path[FILE_PATH_CHARS]);

/* The loader's own path. FALSE: it was not started from a file. */
BOOLEAN file_own(const EFI_LOADED_IMAGE *image, CHAR16 path[FILE_PATH_CHARS]);

/* A file that is not empty, in memory of the pool. EFI_LOAD_ERROR: it is empty. */
EFI_STATUS file_whole(EFI_HANDLE device, CHAR16 *path, void **bytes, UINT64 *size);

/* Opens a file for reading; the caller closes it. Tells its size. */
EFI_STATUS file_open(EFI_HANDLE device, CHAR16 *path, EFI_FILE_HANDLE *file, UINT64 *size);

/* Reads exactly `size` bytes from the start. EFI_VOLUME_CORRUPTED: the file ended before. */
EFI_STATUS file_read(EFI_FILE_HANDLE file, void *buffer, UINT64 size);

/* Writes a file anew; if that fails there is none. */
EFI_STATUS file_write(EFI_HANDLE device, CHAR16 *path, const void *data, UINTN size);

/* Writes in the midst of a file, made if it is not there, and flushes. */
EFI_STATUS file_put(EFI_HANDLE device, CHAR16 *path, UINT64 at, const void *data, UINTN size);

/* Gives a file another name in its folder. Fails if there is one of that name. */
EFI_STATUS file_rename(EFI_HANDLE device, CHAR16 *path, const char *name);

#endif
