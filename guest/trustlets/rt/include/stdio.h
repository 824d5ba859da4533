/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text. There are no files. %s %c %d %i %u %x %p %%, with l or z, a width, and the flag
 * 0. Anything else, %n first of all, prints as itself behind a '!', so that it is seen.
 */
#ifndef TRUSTLET_RT_STDIO_H
#define TRUSTLET_RT_STDIO_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Write at most `size` bytes, a terminating zero among them if size is not 0. Return the length
 * that the whole text has.
 */
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
