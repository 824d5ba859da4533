/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What _FORTIFY_SOURCE makes of calls of the C library: the same, ended if the target is too small.
 */
#include <stdio.h>
#include <string.h>

#include "guest/trustlets/rt/trustlet.h"
#include "vtpm/platform/libc/libc.h"
#include "vtpm/platform/platform.h"

#define LINE_MAX 256

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...);
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args);

static void check(size_t bytes, size_t room, const char *name)
{
	if (bytes > room)
		platform_halt(name, "writes behind its target");
}

void *__memcpy_chk(void *restrict to, const void *restrict from, size_t bytes, size_t room)
{
	check(bytes, room, __func__);
	return memcpy(to, from, bytes);
}

void *__memset_chk(void *to, int byte, size_t bytes, size_t room)
{
	check(bytes, room, __func__);
	return memset(to, byte, bytes);
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args)
{
	check(size, room, __func__);
	return vsnprintf(to, size, format, args);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = __vsnprintf_chk(to, size, flag, room, format, args);
	va_end(args);
	return length;
}

/*
 * The log in place of a file: where failure mode was entered, and nothing else. libtpms shows the
 * command too, which may hold a password, and everyone reads the log.
 */
int __vdprintf_chk(int file, int flag, const char *format, va_list args)
{
	char line[LINE_MAX];
	int length = vsnprintf(line, sizeof(line), format, args);

	if (strstr(line, "Entering failure mode"))
		trustlet_log("%s", line);
	return length;
}
