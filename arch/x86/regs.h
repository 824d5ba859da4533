/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guest's general registers as entry.S saves them, in the order of their encoding in instructions.
 */
#ifndef ARCH_X86_REGS_H
#define ARCH_X86_REGS_H

#include <stdint.h>

struct guest_regs {
	uint64_t rax, rcx, rdx, rbx;
	uint64_t rsp; /* not saved here: the vendor's control block holds it */
	uint64_t rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
};

#endif
