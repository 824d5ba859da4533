/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Memory, text and TAP. Everything a guest says goes to port 0xE9, and to COM1 once text_serial()
 * was called (before that the port is the firmware's or the monitor's).
 */
#ifndef GUEST_LIB_TEXT_H
#define GUEST_LIB_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* From now on COM1 gets a copy. */
void text_serial(void);

/* Waits until a byte comes in on COM1: the driver lets the guest go on. */
void text_wait(void);

/*
 * %s %c %d %u %x %lu %lx %% with a width and a leading 0. Any CPU; a line printed at once stays
 * whole.
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list args);

/* One test point, numbered from 1: "ok N - text" or "not ok N - text". Returns `pass`. */
bool tap(bool pass, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tap_skip(const char *why, const char *what);

/* A comment line that belongs to the point before it. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the plan. Points so far: count and failures. */
void tap_end(void);
unsigned tap_failures(void);

/* Prints "Bail out!" and switches the machine off. */
_Noreturn void bail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
