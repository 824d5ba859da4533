/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * States in files of a folder. A file is the old one or the new one, whatever happens.
 */
#ifndef VTPM_HOST_FILES_H
#define VTPM_HOST_FILES_H

#include <stdbool.h>

#include "vtpm/tpm.h"

/* Reads a whole file; bytes NULL if there is none. Ends the program if it cannot be read. */
struct vtpm_bytes file_read(const char *folder, const char *name);

/*
 * Replaces a file by renaming a new one; `durable`: not before it has reached the disk. Ends the
 * program if that cannot be done.
 */
void file_write(const char *folder, const char *name, struct vtpm_bytes state, bool durable);

/* Removes a file, which need not be there. */
void file_remove(const char *folder, const char *name);

#endif
