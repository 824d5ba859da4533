/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The call interface as a guest sees it: statuses and call ids; result.h reads what a call returns.
 *
 * A call is VMCALL (Intel) or VMMCALL (AMD) from 64-bit mode at CPL 0; from anywhere else it is
 * #UD. calls.def describes the registers.
 */
#ifndef REDOUBT_ABI_CALL_H
#define REDOUBT_ABI_CALL_H

#include <stdint.h>

#define REDOUBT_ABI_MAJOR   1u
#define REDOUBT_ABI_MINOR   0u
#define REDOUBT_ABI_VERSION (REDOUBT_ABI_MAJOR << 16 | REDOUBT_ABI_MINOR)

/* Number of argument and result registers: RCX, RDX, R8, R9. */
#define CALL_REGS 4u

/* Values of the rights column. */
#define RIGHT_NORMAL (1u << 0)

enum redoubt_status {
#define STATUS(name, value, sentence) REDOUBT_##name = (value),
#include "status.def"
#undef STATUS
};

enum redoubt_call {
#define CALL(id, name, rights, args, rets, statuses, summary) REDOUBT_CALL_##name = (id),
#include "calls.def"
#undef CALL
	REDOUBT_CALL_COUNT
};

#endif
