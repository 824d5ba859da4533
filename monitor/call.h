/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Call handlers. monitor_call() of arch/upcall.h has checked id, rights and unused arguments before
 * one runs.
 *
 * A handler decodes first: decode_x() validates everything and takes what it needs; then invoke_x()
 * carries out the call and cannot fail (I5).
 */
#pragma once

#include <stdint.h>

#include "arch/upcall.h"
#include "monitor/abi/call.h"
#include "monitor/guest_mem.h"
#include "monitor/partition.h"

/*
 * Returns what goes to RAX. `rets` may be the same memory as `args`: what a handler needs of its
 * arguments it has read before it writes a result. It writes every result that its row names; on
 * any status but OK they are zeroed afterwards.
 */
typedef uint64_t call_handler(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS]);

#define CALL(id, name, rights, arguments, results, statuses, summary) call_handler call_##name;
#include "monitor/abi/calls.def"
#undef CALL

/* Carries out a call of the partition that runs on this CPU. */
void monitor_partition_call(struct call *call);

/* Memory of its own at an address that the running partition gives. */
static inline struct guest_place call_place(uint64_t address)
{
	return (struct guest_place){ { FRAME_PARTITION, partition_running() }, { address } };
}

/* A status caused by argument `arg` (from 1; 0: by none). */
static inline uint64_t call_error(enum redoubt_status status, unsigned arg)
{
	return (uint64_t)status | (uint64_t)arg << 16;
}
