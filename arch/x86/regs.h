/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's general registers as entry.S saves them: first those of a call, as monitor_call()
 * takes them, then the others.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arch/upcall.h"

struct guest_regs {
	union {
		struct call call;
		struct {
			uint64_t rax, rcx, rdx, r8, r9;
		};
	};
	uint64_t rbx, rsi, r10, r11, rdi; /* entry.S saves these at each exit, */
	uint64_t rbp, r12, r13, r14, r15; /* and these at those that are not fast */
	uint64_t rsp;			  /* not saved here: the vendor's control block holds it */
};

_Static_assert(offsetof(struct guest_regs, r9) == offsetof(struct call, regs[3]),
    "a call's registers in the order of struct call");

/* The register that instructions encode as `number`, 0 to 15. */
static inline uint64_t *guest_reg(struct guest_regs *regs, unsigned number)
{
	static const uint8_t place[16] = { 0, 1, 2, 5, 15, 10, 6, 9, 3, 4, 7, 8, 11, 12, 13, 14 };

	return (uint64_t *)(void *)regs + place[number & 15];
}
