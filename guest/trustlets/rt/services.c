/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the monitor does for a trustlet, as functions: log, time, keys, report, the end.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/sha256.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/result.h"

#define LOG_BYTES 256u
#define NS_PER_MS 1000000u

_Static_assert(sizeof(struct redoubt_report) <= EXCHANGE_BYTES, "fits");

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
	struct monitor_call regs = { .rax = REDOUBT_CALL_partition_exit,
		.rcx = reason,
		.rdx = detail,
		.r8 = more };

	monitor_call(&regs);
	__builtin_trap();
}

/* A line that the monitor does not take is lost: nobody is left to tell. */
static void log_line(const char *format, va_list args)
{
	struct monitor_call regs = { .rax = REDOUBT_CALL_log_write, .rcx = (uint64_t)exchange };
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
	struct monitor_call now = monitor_must((struct monitor_call){ .rax = REDOUBT_CALL_time });

	if (now.rdx == 0)
		return now.rcx;
	return now.rcx / now.rdx * NS_PER_MS + now.rcx % now.rdx * NS_PER_MS / now.rdx;
}

/* What the monitor says of this partition. */
static struct monitor_call info(uint64_t item)
{
	return monitor_must(
	    (struct monitor_call){ .rax = REDOUBT_CALL_partition_info, .rdx = item });
}

/* Arguments or results as bytes. */
static uint8_t *bytes_of(struct monitor_call *regs)
{
	return (uint8_t *)regs + offsetof(struct monitor_call, rcx);
}

uint64_t trustlet_svn(void)
{
	struct monitor_call regs = info(REDOUBT_INFO_SUMMARY);

	return (regs.rcx & ~(uint64_t)UINT32_MAX) | (uint32_t)regs.rdx;
}

bool trustlet_key(const char *label, uint64_t svn, uint8_t key[TRUSTLET_KEY_BYTES])
{
	struct monitor_call regs = { .rax = REDOUBT_CALL_key_derive, .r8 = svn };
	size_t length = strnlen(label, TRUSTLET_LABEL_BYTES + 1);
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	if (length == 0 || length > TRUSTLET_LABEL_BYTES)
		trustlet_panic("trustlet_key: a label of %zu bytes", length);
	sha256_start(&hash);
	sha256_add(&hash, label, length);
	sha256_end(&hash, digest);
	memcpy(bytes_of(&regs), digest, sizeof(regs.rcx) + sizeof(regs.rdx));
	monitor_call(&regs);
	if (regs.rax != REDOUBT_OK)
		return false;
	memcpy(key, bytes_of(&regs), TRUSTLET_KEY_BYTES);
	trustlet_scrub(&regs, sizeof(regs));
	return true;
}

void trustlet_report(const uint8_t nonce[TRUSTLET_NONCE_BYTES], struct redoubt_report *report)
{
	struct monitor_call regs = info(REDOUBT_INFO_SUMMARY);

	*report = (struct redoubt_report){ .svn = (uint32_t)regs.rdx,
		.flags = (uint32_t)(regs.rdx >> 32) };
	for (unsigned i = 0; i < sizeof(report->items) / sizeof(report->items[0]); i++) {
		regs = info(REDOUBT_INFO_ID + i);
		memcpy(report->items[i], bytes_of(&regs), sizeof(report->items[i]));
	}
	memcpy(report->nonce, nonce, TRUSTLET_NONCE_BYTES);
	regs = (struct monitor_call){ .rax = REDOUBT_CALL_report_make };
	memcpy(bytes_of(&regs), nonce, TRUSTLET_NONCE_BYTES);
	regs = monitor_must(regs);
	memcpy(report->mac, bytes_of(&regs), sizeof(report->mac));
}

bool trustlet_report_genuine(const struct redoubt_report *report)
{
	memcpy(exchange, report, sizeof(*report));
	return monitor_must((struct monitor_call){ .rax = REDOUBT_CALL_report_check,
				.rcx = (uint64_t)exchange })
		   .rcx == 1;
}
