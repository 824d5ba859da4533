/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the loader says: lines on firmware's console and, once configured, on port 0xE9.
 */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H

#include <stdbool.h>

#include "boot/efi.h"

/* From now on lines also go to port 0xE9 (Bochs, QEMU). */
void console_debugcon(void);

/* From now on details are shown on firmware's console too. */
void console_details(void);

/*
 * As say(), for those who look for a fault or measure: on port 0xE9, and on firmware's console,
 * which is slow, only after console_details().
 */
void detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says "redoubt: " and a line. Formats: text.h. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says "redoubt: refused: " and a sentence; returns false. */
bool refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shows bytes that nobody vouches for, line by line, what is not printable as a dot. */
void show_text(const char *text, unsigned length);

/* Gives a person ten seconds to read, or until a key is pressed. */
void console_pause(void);

/* A status of firmware's in words. */
const char *status_text(EFI_STATUS status);

#endif
