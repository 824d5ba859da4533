/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls of a partition to the monitor (monitor/abi/CALLS.md): VMCALL or VMMCALL, RAX the id,
 * arguments and results in RCX, RDX, R8, R9, RAX the status.
 */
#ifndef TRUSTLET_RT_MONITOR_CALLS_H
#define TRUSTLET_RT_MONITOR_CALLS_H

#include <stdint.h>

#include "monitor/abi/call.h"

struct monitor_call {
	uint64_t rax, rcx, rdx, r8, r9;
};

/* Makes the call; the results replace the arguments. */
void monitor_call(struct monitor_call *regs);

/* A call whose failure is the end: the status must be OK. */
struct monitor_call monitor_must(struct monitor_call regs);

#endif
