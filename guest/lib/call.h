/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calls to the monitor, as the registers stand; for tests that also send what no stub would.
 */
#ifndef GUEST_LIB_CALL_H
#define GUEST_LIB_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/calls.h" /* made from the call table: a stub for each row */
#include "monitor/abi/call.h"

struct call_regs {
	uint64_t rax, rcx, rdx, r8, r9;
};

/* Makes the call: VMCALL, or VMMCALL on AMD. Without a monitor this is #UD. */
void call_monitor(struct call_regs *regs);

/* The same; returns RAX. */
uint64_t call_simple(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* The instruction's bytes, 3 of them, for snippets. */
const char *call_instruction(void);

/* Whether this monitor is a test build. */
bool call_test_build(void);

#endif
