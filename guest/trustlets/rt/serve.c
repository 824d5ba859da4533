/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests: one switch made from the trustlet's requests.def, which the build puts on the include
 * path. A row is
 *
 *   REQUEST(id, name, ARGS(ARG(name, meaning), ...), RETS(RET(name, meaning), ...), summary)
 *
 * with at most REQUEST_WORDS of each, and a handler REQUEST_HANDLER(name).
 */
#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "monitor/abi/result.h"

/* Each ARG() or RET() of a row becomes one element. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)
#define RET(name, meaning) 0
#define RETS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)

_Static_assert(REQUEST_WORDS == 3, "as the registers below");

#define REQUEST(id, name, arguments, results, summary)                                             \
	uint64_t request_##name(const uint64_t args[REQUEST_WORDS], uint64_t out[REQUEST_WORDS]);  \
	_Static_assert((arguments) <= REQUEST_WORDS && (results) <= REQUEST_WORDS,                 \
	    "too many words");
#include <requests.def>
#undef REQUEST

/* Inlined, with constants, into the one switch: what a null request costs is this loop. */
static inline __attribute__((always_inline)) uint64_t any_from(const uint64_t *words, size_t first)
{
	uint64_t any = 0;

	for (size_t i = first; i < REQUEST_WORDS; i++)
		any |= words[i];
	return any;
}

static inline __attribute__((always_inline)) uint64_t answer(uint64_t id, const uint64_t *args,
    uint64_t *out)
{
	uint64_t status;

	switch (id) {
#define REQUEST(number, name, arguments, rets, summary)                                            \
	case (number):                                                                             \
		status = any_from(args, arguments) == 0 ? request_##name(args, out)                \
							: REDOUBT_INVALID;                         \
		for (size_t i = (rets); i < REQUEST_WORDS; i++)                                    \
			out[i] = 0;                                                                \
		break;
#include <requests.def>
#undef REQUEST
	default:
		return REDOUBT_UNKNOWN_CALL;
	}
	return status;
}

_Noreturn void trustlet_serve(void)
{
	struct monitor_call regs = { .rax = 0 };

	for (;;) {
		uint64_t args[REQUEST_WORDS], out[REQUEST_WORDS] = { 0 };

		regs.rax = REDOUBT_CALL_next_request;
		monitor_call(&regs);
		if (regs.rax != REDOUBT_OK)
			trustlet_panic("call %u: status %u", REDOUBT_CALL_next_request,
			    redoubt_status_of(regs.rax));
		args[0] = regs.rdx;
		args[1] = regs.r8;
		args[2] = regs.r9;
		regs.rcx = answer(regs.rcx, args, out);
		regs.rdx = regs.rcx == REDOUBT_OK ? out[0] : 0;
		regs.r8 = regs.rcx == REDOUBT_OK ? out[1] : 0;
		regs.r9 = regs.rcx == REDOUBT_OK ? out[2] : 0;
	}
}
