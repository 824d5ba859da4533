/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent */
/* What the parts of hostile.ko know of each other. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <linux/kernel.h>
#include <linux/types.h>

#include "monitor/abi/call.h"

#define PROBE		1u	/* the test partition that is attacked */
#define SECRET_MAKE	1u	/* its requests */
#define SECRET_LEAK	2u
#define RANDOM		5u
#define HEAP_WORK	8u
#define ONES		(~0ull)
#define MARK		0x600d600d600d600dull

/* Frames that are not this kernel's: the module's parameters say where. */
struct frames {
	const char *what;
	u64 base;
	u64 pages;
};

extern struct frames hostile_frames[3]; /* the probe's image, its memory, the monitor's region */
#define HOSTILE_MEMORY 1

/* A line of the kernel's log that the driver of the test reads. */
void hostile_point(bool good, const char *format, ...) __printf(2, 3);

/* ---- calls.c ---- */

struct call {
	u64 rax, regs[CALL_REGS];
};

void hostile_calls_init(void);
void hostile_call(struct call *call);
u64 hostile_do(u64 id, u64 a, u64 b, u64 c, u64 d);

/* A request, resumed until it is answered; false: it is not. */
bool hostile_request(u32 partition, u32 number, u64 a, u64 b, u64 words[3]);

/* 0 or a status that is not OK; ends a partition that was made. */
u64 hostile_create(u64 *partition);
u64 hostile_give(u64 partition, u64 what, u64 *list, u64 count, u64 page);
u64 hostile_end(u64 partition);

void hostile_tokens(void);
void hostile_twice(void);

/* ---- memory.c ---- */

int hostile_memory_init(void);
void hostile_memory_exit(void);

/* Each is kept out. */
void hostile_memory(void);

/* The same with the protection off: each succeeds. The test build alone. */
void hostile_memory_open(void);

/* ---- storm.c ---- */

void hostile_fuzz(unsigned int calls);
void hostile_flips(unsigned int rounds);
void hostile_nmis(unsigned int count);

#endif
