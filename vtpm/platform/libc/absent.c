/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Names that must be there for the archive to link, and that nothing calls: files, since states
 * come and go through callbacks; the environment; the decoder of blobs. A call ends the partition
 * and says which it was.
 */
#include "vtpm/platform/platform.h"

#define ABSENT(name)                                                                               \
	_Noreturn void name(void);                                                                 \
	_Noreturn void name(void)                                                                  \
	{                                                                                          \
		platform_halt(#name, "is not there");                                              \
	}

ABSENT(__asprintf_chk)
ABSENT(__ctype_b_loc)
ABSENT(__dprintf_chk)
ABSENT(fclose)
ABSENT(fflush)
ABSENT(fopen)
ABSENT(fread)
ABSENT(fseek)
ABSENT(ftell)
ABSENT(fwrite)
ABSENT(getenv)
ABSENT(remove)
ABSENT(strerror)

/* Data: FILE *. */
extern void *stderr;
void *stderr;
