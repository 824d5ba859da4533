/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the monitor does for a trustlet, as functions: log, time, keys, report, the end.
 */
#include <stdio.h>
#include <string.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/call.h"
#include "monitor/abi/result.h"

#define LOG_BYTES 256u

_Static_assert(sizeof(struct monitor_report) + TRUSTLET_NONCE_BYTES <= EXCHANGE_BYTES, "fits");

_Alignas(EXCHANGE_BYTES) uint8_t exchange[EXCHANGE_BYTES];

struct monitor_call monitor_must(struct monitor_call regs)
{
	uint64_t id = regs.rax;

	monitor_call(&regs);
	if (redoubt_status_of(regs.rax) != REDOUBT_OK)
		trustlet_panic("call %lu: status %u", id, redoubt_status_of(regs.rax));
	return regs;
}

_Noreturn void trustlet_exit(enum exit_reason reason, uint64_t detail, uint64_t more)
{
	struct monitor_call regs = { MONITOR_EXIT, reason, detail, more, 0 };

	monitor_call(&regs);
	__builtin_trap();
}

/* A line that the monitor does not take is lost: nobody is left to tell. */
static void log_line(const char *format, va_list args)
{
	struct monitor_call regs = { MONITOR_LOG_WRITE, (uint64_t)exchange, 0, 0, 0 };
	int length = vsnprintf((char *)exchange, LOG_BYTES + 1, format, args);

	regs.rdx = length < (int)LOG_BYTES ? (uint64_t)length : LOG_BYTES;
	if (length > 0)
		monitor_call(&regs);
}

void trustlet_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

_Noreturn void trustlet_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
	trustlet_exit(EXIT_PANIC, 0, 0);
}

uint64_t trustlet_time(void)
{
	return monitor_must((struct monitor_call){ MONITOR_TIME, 0, 0, 0, 0 }).rcx;
}

void trustlet_key(const char *label, uint8_t key[TRUSTLET_KEY_BYTES])
{
	uint8_t *out = exchange + TRUSTLET_LABEL_BYTES;
	size_t length = strnlen(label, TRUSTLET_LABEL_BYTES + 1);

	if (length == 0 || length > TRUSTLET_LABEL_BYTES)
		trustlet_panic("trustlet_key: a label of %zu bytes", length);
	memcpy(exchange, label, length);
	monitor_must((struct monitor_call){ MONITOR_KEY_DERIVE, (uint64_t)exchange, length,
	    (uint64_t)out, 0 });
	memcpy(key, out, TRUSTLET_KEY_BYTES);
	trustlet_scrub(exchange, sizeof(exchange));
}

void trustlet_report(const uint8_t nonce[TRUSTLET_NONCE_BYTES], struct monitor_report *report)
{
	uint8_t *out = exchange + TRUSTLET_NONCE_BYTES;

	memcpy(exchange, nonce, TRUSTLET_NONCE_BYTES);
	monitor_must(
	    (struct monitor_call){ MONITOR_REPORT, (uint64_t)exchange, (uint64_t)out, 0, 0 });
	memcpy(report, out, sizeof(*report));
}
