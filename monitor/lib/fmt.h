/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Formatted text: %s %u %x %lu %lx %%. Anything else ends it with a
 * '!', so that it is seen and no argument is taken for another.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes at most size - 1 bytes and a terminating zero; size is not 0. Returns the bytes written
 * without the zero. What does not fit is cut off.
 */
size_t format_text(char *to, size_t size, const char *format, va_list args);
