/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls of a partition to the monitor: VMCALL or VMMCALL, RAX the id, arguments and results in
 * RCX, RDX, R8, R9, RAX the status as monitor/abi/call.h has it. GPAs are of private memory, and
 * what they name does not cross a page.
 */
#ifndef TRUSTLET_RT_MONITOR_CALLS_H
#define TRUSTLET_RT_MONITOR_CALLS_H

#include <stdint.h>

enum monitor_call_id {
	/*
	 * Ends a request (status, three result words; ignored the first time) and waits for the
	 * next. Results: its id, three argument words.
	 */
	MONITOR_NEXT_REQUEST = 64,
	MONITOR_LOG_WRITE, /* GPA of text, its bytes, 1 to 256: a line of the monitor's log */
	MONITOR_ENTROPY,   /* GPA that gets 32 bytes gathered by the loader, new ones each time */
	/* GPA of a label, its bytes, 1 to 64, GPA that gets the key, 32 bytes */
	MONITOR_KEY_DERIVE,
	MONITOR_REPORT, /* GPA of a nonce of 32 bytes, GPA that gets struct monitor_report */
	MONITOR_EXIT,	/* enum exit_reason, two words of detail; does not return */
	MONITOR_TIME,	/* result: nanoseconds since launch, never less than before */
};

struct monitor_call {
	uint64_t rax, rcx, rdx, r8, r9;
};

/* Makes the call; the results replace the arguments. */
void monitor_call(struct monitor_call *regs);

/* A call whose failure is the end: the status must be OK. */
struct monitor_call monitor_must(struct monitor_call regs);

#endif
