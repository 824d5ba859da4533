/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a trustlet's program gets from the run-time, beside <assert.h>, <stdio.h>, <stdlib.h> and
 * <string.h>. Nothing here is for more than one VP yet.
 */
#ifndef TRUSTLET_RT_TRUSTLET_H
#define TRUSTLET_RT_TRUSTLET_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/abi/trustlet.h"

/* ---- Requests ---- */

#define REQUEST_WORDS 3u

/*
 * Statuses of requests: REDOUBT_OK, REDOUBT_INVALID, REDOUBT_UNKNOWN_CALL of monitor/abi/call.h,
 * and from here on the trustlet's own.
 */
#define REQUEST_OWN_STATUS 0x100u

/*
 * One per row NAME of requests.def, called by trustlet_serve() with arguments that have been read
 * once, those that the row does not name being zero. Returns the status. Only results that the row
 * names leave, and none unless the status is OK.
 */
#define REQUEST_HANDLER(name)                                                                      \
	uint64_t request_##name(const uint64_t args[REQUEST_WORDS],                                \
	    uint64_t results[REQUEST_WORDS]);                                                      \
	uint64_t request_##name(const uint64_t args[REQUEST_WORDS], uint64_t results[REQUEST_WORDS])

/* Answers requests for ever. */
_Noreturn void trustlet_serve(void);

/* ---- The end ---- */

enum exit_reason {
	EXIT_RETURNED, /* main() returned; detail: its value */
	EXIT_ASSERT,   /* detail: the line */
	EXIT_PANIC,    /* the run-time's own, or trustlet_panic() */
	EXIT_SMASHED,  /* a stack canary changed */
	EXIT_FAULT,    /* an exception; details: vector, RIP if it is in text */
};

_Noreturn void trustlet_exit(enum exit_reason reason, uint64_t detail, uint64_t more);

/* Logs the text and ends. */
_Noreturn void trustlet_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * One line of the monitor's log, which the normal world can read: never anything secret. What is
 * longer than 256 bytes is cut off.
 */
void trustlet_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- From the monitor ---- */

#define TRUSTLET_KEY_BYTES   32u
#define TRUSTLET_LABEL_BYTES 64u
#define TRUSTLET_NONCE_BYTES 32u

/*
 * Nanoseconds since the CPU's clock was started; does not run backwards. Where the loader could not
 * measure the clock: its cycles.
 */
uint64_t trustlet_time(void);

/* The image's SVN, and the monitor's in bits 63:32. */
uint64_t trustlet_svn(void);

/*
 * The key of a label for an SVN, this image's or an older one: the same at each start of an image
 * with this id, signer and debug flag. To seal, ask for trustlet_svn()'s and note it beside; to
 * open what an older image or monitor sealed, for what was noted then. The label has 1 to 64 bytes.
 * false: an SVN is newer than the present one, or the machine has no root key.
 */
bool trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES]);

/* Proof of what this partition is, for another partition of this machine; and whether one is. */
void trustlet_report(const uint8_t nonce[TRUSTLET_NONCE_BYTES], struct redoubt_report *report);
bool trustlet_report_genuine(const struct redoubt_report *report);

/* Random bytes fit for keys. Ends the trustlet rather than give weak ones. */
void trustlet_random(void *to, size_t bytes);

/* ---- The CPU ---- */

/*
 * Whether it has the SHA extensions, and SSSE3 and SSE4.1 with them: asked of the monitor's START_
 * bits, since CPUID would stop the VP. Without, their first use is #UD and ends the trustlet.
 */
bool trustlet_has_sha(void);

/* ---- Memory ---- */

/*
 * Copies memory that another party can write (lent or shared frames): each byte is read exactly
 * once. Check the copy, use the copy, never look at the original again: what was checked is then
 * what is used (T37). Ranges must not overlap.
 */
void copy_in_once(void *to, const volatile void *from, size_t bytes);

/* Pages of the heap: there are, in use, in use at most since the start. */
struct heap_use {
	size_t pages, used, peak;
};

struct heap_use trustlet_heap_use(void);

/* Zeroes memory; is never optimized away. */
void trustlet_scrub(void *memory, size_t bytes);

/* Whether the bytes are equal, in a time that does not depend on them. */
bool trustlet_equal(const void *a, const void *b, size_t bytes);

#endif
