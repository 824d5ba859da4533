/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the parts of the run-time.
 */
#ifndef TRUSTLET_RT_RT_H
#define TRUSTLET_RT_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Written by start.S, read-only since: no bug can make the trustlet call the wrong way. */
struct rt_boot {
	uint32_t flags; /* START_ bits of monitor/abi/trustlet.h */
	uint32_t pages; /* of private memory */
	uint64_t reserved;
};

extern const struct rt_boot rt_boot;

/* What start.S pushes. */
struct rt_fault {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Where FS points. */
extern uint64_t rt_thread[8];

/* The heap's memory: page-aligned. Once, before the first malloc(). */
void heap_start(void *memory, size_t bytes, uint64_t secret);

/* Once, before the first trustlet_random(). */
void random_start(void);

/* A word from the CPU's generator, RDSEED or RDRAND; false if it has none ready. */
bool hardware_random(bool seed, uint64_t *word);

/*
 * Memory that calls hand to the monitor: at most 512 bytes, which do not cross a page. The next
 * call reuses it.
 */
#define EXCHANGE_BYTES 512u
extern uint8_t exchange[EXCHANGE_BYTES];

#endif
