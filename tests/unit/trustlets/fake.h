/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * In place of the monitor and of the CPU's generator; and the run-time's functions by the names
 * that they have here.
 */
#ifndef TESTS_UNIT_TRUSTLETS_FAKE_H
#define TESTS_UNIT_TRUSTLETS_FAKE_H

#include <setjmp.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "tests/unit/unit.h"

void *rt_memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *rt_memmove(void *to, const void *from, size_t bytes);
void *rt_memset(void *to, int byte, size_t bytes);
int rt_memcmp(const void *a, const void *b, size_t bytes);
void *rt_memchr(const void *memory, int byte, size_t bytes);
size_t rt_strlen(const char *text);
size_t rt_strnlen(const char *text, size_t most);
int rt_strcmp(const char *a, const char *b);
int rt_strncmp(const char *a, const char *b, size_t most);
char *rt_strncpy(char *restrict to, const char *restrict from, size_t most);
char *rt_strchr(const char *text, int c);
int rt_snprintf(char *to, size_t size, const char *format, ...);
void *rt_malloc(size_t bytes);
void *rt_calloc(size_t count, size_t bytes);
void *rt_realloc(void *memory, size_t bytes);
void rt_free(void *memory);

#define MONITOR_SVN 2ull /* the fake monitor's */

/* What the fake monitor was told, and what it answers. */
struct fake {
	char log[4096];		  /* all lines, each ended by a newline */
	struct monitor_call exit; /* the exit call's registers */
	uint64_t refuse;	  /* id of a call that is refused with INVALID; 0: none */
	uint64_t time, khz, entropy;
	uint64_t svn;	 /* of the image */
	uint8_t genuine; /* last byte of reports' macs that are */
	void (*next_request)(struct monitor_call *regs);
	bool (*hardware)(bool seed, uint64_t *word); /* NULL: a good generator */
	jmp_buf end;
};

extern struct fake fake;
void fake_start(void);

/* Runs fn(arg); whether it ended the trustlet. */
bool ends(void (*fn)(void *arg), void *arg);

/* The same, and that it ended by a panic that logged the text. */
#define assert_panics(fn, arg, text)                                                               \
	do {                                                                                       \
		fake.log[0] = 0;                                                                   \
		assert_true(ends(fn, arg));                                                        \
		assert_int_equal(fake.exit.rcx, EXIT_PANIC);                                       \
		assert_string_equal(fake.log, text "\n");                                          \
	} while (0)

/* Numbers from SEED and N, for random tests. */
uint64_t random_next(void);
uint64_t rounds(void);

#endif
