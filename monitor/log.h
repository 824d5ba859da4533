/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The log: a ring of text lines, each with time stamp, CPU and level. Positions count bytes since
 * launch, so a reader knows what it has missed. Lines of the boot information's level and above
 * (lower numbers) go to the consoles too. klog() is declared in arch/upcall.h.
 */
#pragma once

#include "arch/upcall.h"

#define LOG_BYTES 65536u
/* The longest line, with its prefix and newline; a longer one is cut and ends in '~'. */
#define LOG_LINE 256u

struct log_part {
	uint64_t next;	 /* position behind the last byte copied */
	uint64_t copied; /* bytes */
	uint64_t lost;	 /* bytes between the position asked for and the oldest one kept */
};

/*
 * What a reader at `position` who wants `wanted` gets of a ring that keeps the newest `kept` of
 * `end`.
 */
struct log_part log_part(uint64_t position, uint64_t wanted, uint64_t end, uint64_t kept);

/*
 * Copies up to `bytes` bytes from `position` on. A position behind the end counts as the end. Takes
 * the log lock.
 */
struct log_part log_copy(uint64_t position, char *to, size_t bytes);

/* Position behind the last byte. */
uint64_t log_end(void);

/* The newest whole lines that fit; without a lock, for the panic path. Returns the bytes. */
size_t log_tail(char *to, size_t bytes);
