/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Call dispatch: one constant table made from calls.def.
 */
#include "monitor/call.h"

#include "arch/upcall.h"
#include "monitor/abi/audit.h"
#include "monitor/lib/checked.h"

struct row {
	call_handler *handler;
	uint32_t rights;
	uint32_t args;
};

/* The number of arguments: each ARG() of a row becomes one element. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)
#define CALL(id, name, rights, arguments, results, statuses, summary)                              \
	[id] = { call_##name, rights, arguments },
static const struct row rows[] = {
#include "monitor/abi/calls.def"
};
#undef CALL

/* Ids run from 0 without a gap, so every element of the table is a row. */
#define CALL(id, name, rights, arguments, results, statuses, summary) +1
_Static_assert(sizeof(rows) / sizeof(rows[0]) == REDOUBT_CALL_COUNT && REDOUBT_CALL_COUNT == 0
#include "monitor/abi/calls.def"
    ,
    "the call table has a gap");
#undef CALL

static uint64_t refuse(uint64_t id, uint64_t result)
{
	/* Unknown ids are one subject: a guest that tries them all makes one record. */
	audit(REDOUBT_AUDIT_CALL_REFUSED, id < REDOUBT_CALL_COUNT ? id : ~0ull, id);
	return result;
}

static uint64_t dispatch(uint64_t id, const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	const struct row *row = &rows[index_clamp(id, REDOUBT_CALL_COUNT)];

	if (id >= REDOUBT_CALL_COUNT)
		return refuse(id, REDOUBT_UNKNOWN_CALL);
	if (!(row->rights & RIGHT_NORMAL))
		return refuse(id, REDOUBT_DENIED);
	for (unsigned i = row->args; i < CALL_REGS; i++)
		if (args[i] != 0)
			return call_error(REDOUBT_INVALID, i + 1);
	return row->handler(args, rets);
}

void monitor_call(struct call *call)
{
	uint64_t rets[CALL_REGS] = { 0 };

	if (test_call(call))
		return;
	call->rax = dispatch(call->rax, call->regs, rets);
	for (unsigned i = 0; i < CALL_REGS; i++)
		call->regs[i] = call->rax == REDOUBT_OK ? rets[i] : 0;
}
