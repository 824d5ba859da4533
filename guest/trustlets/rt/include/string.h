/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory and strings, as the C library has them.
 */
#ifndef TRUSTLET_RT_STRING_H
#define TRUSTLET_RT_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *memory, int byte, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strncpy(char *restrict to, const char *restrict from, size_t most);
char *strchr(const char *text, int c);

#endif
