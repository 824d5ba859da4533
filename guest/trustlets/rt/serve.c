/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests: one switch made from the trustlet's requests.def, which the build puts on the include
 * path. A row is
 *
 *   REQUEST(id, name, ARGS(ARG(name, meaning), ...), RETS(RET(name, meaning), ...), summary)
 *
 * with at most REQUEST_WORDS of each, and a handler REQUEST_HANDLER(name).
 */
#include <string.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"

/* Each ARG() or RET() of a row becomes one element. */
#define ARG(name, meaning) 0
#define ARGS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)
#define RET(name, meaning) 0
#define RETS(...)	   (sizeof((const char[]){ 0, __VA_ARGS__ }) - 1)

#define REQUEST(id, name, arguments, results, summary)                                             \
	uint64_t request_##name(const uint64_t args[REQUEST_WORDS], uint64_t out[REQUEST_WORDS]);  \
	_Static_assert((arguments) <= REQUEST_WORDS && (results) <= REQUEST_WORDS,                 \
	    "too many words");
#include <requests.def>
#undef REQUEST

static bool zero_from(const uint64_t *words, size_t first)
{
	uint64_t any = 0;

	for (size_t i = first; i < REQUEST_WORDS; i++)
		any |= words[i];
	return any == 0;
}

static uint64_t answer(uint64_t id, const uint64_t *args, uint64_t *out, size_t *results)
{
	switch (id) {
#define REQUEST(number, name, arguments, rets, summary)                                            \
	case (number):                                                                             \
		*results = (rets);                                                                 \
		return zero_from(args, arguments) ? request_##name(args, out) : REDOUBT_INVALID;
#include <requests.def>
#undef REQUEST
	default:
		return REDOUBT_UNKNOWN_CALL;
	}
}

_Noreturn void trustlet_serve(void)
{
	struct monitor_call regs = { .rax = 0 };

	for (;;) {
		uint64_t out[REQUEST_WORDS] = { 0 }, args[REQUEST_WORDS], status;
		size_t results = 0;

		regs.rax = REDOUBT_CALL_next_request;
		regs = monitor_must(regs);
		memcpy(args, &regs.rdx, sizeof(args));
		status = answer(regs.rcx, args, out, &results);
		if (status != REDOUBT_OK)
			results = 0;
		memset(out + results, 0, (REQUEST_WORDS - results) * sizeof(out[0]));
		regs.rcx = status;
		memcpy(&regs.rdx, out, sizeof(out));
	}
}
