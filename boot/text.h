/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text in ASCII, checked by the compiler as printf is; EFI's own print functions take
 * wide formats that no compiler checks.
 */
#ifndef BOOT_TEXT_H
#define BOOT_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Formats into out, at most size - 1 characters and a NUL; what does not fit is cut off. Returns
 * the length written. Knows %s %c %u %x %lu %lx %%, and a width with or without a leading 0 for
 * numbers; anything else is copied as it stands.
 */
size_t text_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t text_vformat(char *out, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
