/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Names of glibc's that libtpms's archive calls and the trustlet run-time lacks. The archive was
 * compiled against glibc's headers: types are as wide as there. What it never calls in the vTPM's
 * configuration is in absent.c.
 */
#ifndef VTPM_LIBC_H
#define VTPM_LIBC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* ---- fortify.c: the last argument, `room`, is what the compiler knew of the target ---- */
void *__memcpy_chk(void *restrict to, const void *restrict from, size_t bytes, size_t room);
void *__memset_chk(void *to, int byte, size_t bytes, size_t room);
/* And __snprintf_chk, __vsnprintf_chk, declared there. */
int __vdprintf_chk(int file, int flag, const char *format, va_list args);

/* ---- jump.S: eight registers of the 200 bytes of a jmp_buf ---- */
int _setjmp(uint64_t registers[8]) __attribute__((returns_twice));
_Noreturn void __longjmp_chk(const uint64_t registers[8], int value);

/* ---- process.c ---- */
struct timespec {
	int64_t seconds, nanoseconds;
};

long clock(void);
int clock_gettime(int id, struct timespec *now);
int getpid(void);
int rand(void);
void srand(unsigned seed);
int *__errno_location(void);
char *strdup(const char *text);
char *strstr(const char *text, const char *what);
_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
    const char *function);

#endif
