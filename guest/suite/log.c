/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a guest can make the monitor do without end is bounded, coalesced and counted (T74): audit
 * records, log lines, splits of the second-stage tables.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/audit.h"

#define FLOOD_DEFAULT  20000u
#define LOG_LIMIT      16384u /* bytes of log that a flood of one kind may add */
#define MTRR_ROUNDS    50u
#define VARIABLE_VALID (1ull << 11)

static uint64_t log_end(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	struct call_regs r = { .rcx = 0 };
	uint64_t next = 0;

	do {
		r = (struct call_regs){ REDOUBT_CALL_log_read, next, (uint64_t)page, PAGE, 0 };
		call_monitor(&r);
		next = r.rcx;
	} while (r.rax == REDOUBT_OK && r.rdx);
	return next;
}

static uint64_t total(unsigned event, uint64_t *lost)
{
	struct redoubt_test_audit_total r;

	redoubt_test_audit_total(event, &r);
	*lost = r.lost;
	return r.total;
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = 0;
}

static void write_once(uint64_t i)
{
	unsigned count;

	trap_try(do_write, (void *)monitor_frames(&count)[0].base, NULL);
}

static void read_msr_once(uint64_t i)
{
	uint64_t value;

	try_rdmsr(0x480 + i % 16, &value);
}

static void vmx_once(uint64_t i)
{
	uint64_t cr4 = read_cr4() | CR4_VMXE;

	trap_try(do_write_cr4, &cr4, NULL);
}

/*
 * `n` times the same kind of event: each is counted, the log grows by a bounded amount, nothing
 * gives way.
 */
static void flood(const char *what, unsigned event, void (*once)(uint64_t i), uint64_t n)
{
	uint64_t before, after, lost_before = 0, lost_after = 0;
	uint64_t end = log_end();

	before = call_test_build() ? total(event, &lost_before) : 0;
	for (uint64_t i = 0; i < n; i++)
		once(i);
	tap(log_end() - end < LOG_LIMIT, "T74 %lu times %s: the log grows by %lu bytes", n, what,
	    log_end() - end);
	if (!call_test_build())
		return;
	after = total(event, &lost_after);
	tap(after - before == n, "T74 each of them is counted (%lu)", after - before);
	tap(lost_after == lost_before, "T74 no record gave way");
}

/* The newest record; number ~0: there is none. */
static struct redoubt_audit_record newest(struct redoubt_audit_record *page)
{
	struct redoubt_audit_record last = { .number = ~0ull };
	struct redoubt_audit_read r = { 0 };

	while (redoubt_audit_read(r.next, (uint64_t)page, REDOUBT_AUDIT_PAGE, &r) == REDOUBT_OK &&
	    r.copied > 0)
		last = page[r.copied - 1];
	return last;
}

static void call_once(uint64_t i)
{
	call_simple(~0ull - i, 0, 0, 0, 0);
}

/* What stood in the ring before all the floods is there behind them, byte for byte. */
static void floods(uint64_t n)
{
	struct redoubt_audit_record *page = pages_alloc(1);
	struct redoubt_audit_record evidence, last;
	struct redoubt_audit_read r;

	write_once(0);
	evidence = newest(page);
	flood("a write to the monitor's frame", REDOUBT_AUDIT_MONITOR_WRITE, write_once, n);
	flood("a denied MSR", REDOUBT_AUDIT_MSR_READ, read_msr_once, n);
	flood("CR4.VMXE", REDOUBT_AUDIT_CR_WRITE, vmx_once, n);
	flood("a call that does not exist", REDOUBT_AUDIT_CALL_REFUSED, call_once, n);
	last = newest(page);
	tap(last.number - evidence.number < 200, "T74 the floods made %lu records",
	    last.number - evidence.number);
	tap(redoubt_audit_read(evidence.number, (uint64_t)page, 1, &r) == REDOUBT_OK &&
		r.copied == 1 && !r.lost &&
		__builtin_memcmp(page, &evidence, sizeof(evidence)) == 0,
	    "T74 evidence from before the floods is as it was");
}

static uint64_t tables_left(void)
{
	struct redoubt_test_walk r;

	tap(redoubt_test_walk(&r) == REDOUBT_OK && r.broken == ~0ull,
	    "T74 the second-stage tables keep their invariants");
	return r.available;
}

/* Every variable MTRR over another 4 KiB of RAM, on and on: each forces splits of large pages. */
static void splits(void)
{
	uint64_t phys = (1ull << (cpuid(0x80000008, 0).eax & 0xff)) - 1;
	unsigned count = rdmsr(MSR_MTRRCAP) & 0xff;
	uint64_t old[2 * 16], before = call_test_build() ? tables_left() : 0;
	unsigned wrong = 0;

	for (unsigned i = 0; i < 2 * count; i++)
		old[i] = rdmsr(MSR_MTRR_BASE0 + i);
	for (unsigned round = 0; round < MTRR_ROUNDS; round++) {
		for (unsigned i = 2; i < count; i++) {
			uint64_t at = 0x1000000 + ((uint64_t)round * count + i) * 0x201000;

			wrong += try_wrmsr(MSR_MTRR_MASK0 + 2 * i, 0) != TRAP_NONE;
			wrong += try_wrmsr(MSR_MTRR_BASE0 + 2 * i, at & 0x1ffff000) != TRAP_NONE;
			wrong += try_wrmsr(MSR_MTRR_MASK0 + 2 * i,
				     (phys & ~0xfffull) | VARIABLE_VALID) != TRAP_NONE;
		}
	}
	for (unsigned i = 0; i < 2 * count; i++)
		wrmsr(MSR_MTRR_BASE0 + (i ^ 1), old[i ^ 1]);
	tap(!wrong, "T74 %u rounds of MTRRs over single pages of RAM", MTRR_ROUNDS);
	if (call_test_build())
		tap(tables_left() >= before, "T74 all tables that the splits took are back");
}

void suite_log(void)
{
	uint64_t n = option_number("FLOOD", FLOOD_DEFAULT);

	floods(n);
	splits();
}
