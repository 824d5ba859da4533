/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Messages that are not sent through the interrupt command register (T30, T73): stores to the
 * window of interrupt messages, redirection entries of the I/O APIC, local vectors. On SVM an
 * INIT that gets through takes the CPU away from the monitor, so each attack has a victim of
 * its own, and on the test build the victim is gone when the protection was off.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/attack.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/audit.h"
#include "monitor/abi/cpuid.h"

#define A_WHILE		 2000000u
#define PATIENCE	 100u
#define MESSAGE_WINDOW	 0xfee00000ull
#define APIC_REGISTER_0	 0xfee00000ull
#define IOAPIC_INDEX	 0xfec00000ull
#define IOAPIC_DATA	 0xfec00010ull
#define TIMER_ENTRY	 0x14u /* pin 2, lower half */
#define ENTRY_MASKED	 0x10000u
#define TIMER_COMMAND	 0x43
#define TIMER_CHANNEL	 0x40
#define TIMER_PERIODIC	 0x34
#define TIMER_HIGH_COUNT 0x20 /* about 7 ms */
#define VICTIM_STORE	 1u
#define VICTIM_IOAPIC	 2u
#define MODE_FIXED_VALUE (ENTRY_MASKED | 0xe3u)

struct store {
	uint64_t address;
	uint32_t value;
};

static volatile uint64_t turns;

static void do_store(void *store)
{
	const struct store *s = store;

	*(volatile uint32_t *)s->address = s->value;
}

/* Vector that a 32-bit store ends with, TRAP_NONE if it worked. */
static unsigned try_store(uint64_t address, uint32_t value)
{
	struct store s = { address, value };

	return trap_try(do_store, &s, NULL);
}

static void count(void *arg)
{
	for (;;) {
		turns++;
		cpu_pause();
	}
}

static void victim_counts(unsigned victim)
{
	if (!smp_start(victim))
		bail("CPU %u does not start", victim);
	turns = 0;
	smp_begin(victim, count, NULL);
	wait_flag(&turns);
}

/* On a busy host an emulated CPU that runs may stand still for long. */
static bool stands_still(void)
{
	uint64_t before;

	delay(A_WHILE);
	before = turns;
	for (unsigned i = 0; i < PATIENCE && turns == before; i++)
		delay(A_WHILE);
	return turns == before;
}

/* ---- Attacks ---- */

/* What a device would write to the window: physical destination, INIT. */
static bool init_by_store(void)
{
	victim_counts(VICTIM_STORE);
	try_store(MESSAGE_WINDOW | (uint64_t)cpu_at(VICTIM_STORE)->apic_id << 12, ICR_INIT);
	return stands_still();
}

static uint32_t entry_read(unsigned index)
{
	try_store(IOAPIC_INDEX, index);
	return *(volatile uint32_t *)IOAPIC_DATA;
}

static unsigned entry_write(unsigned index, uint32_t value)
{
	try_store(IOAPIC_INDEX, index);
	return try_store(IOAPIC_DATA, value);
}

/* The timer's interrupt as an INIT. */
static bool init_by_timer(void)
{
	bool still;

	victim_counts(VICTIM_IOAPIC);
	entry_write(TIMER_ENTRY + 1, cpu_at(VICTIM_IOAPIC)->apic_id << 24);
	entry_write(TIMER_ENTRY, ICR_INIT);
	outb(TIMER_COMMAND, TIMER_PERIODIC);
	outb(TIMER_CHANNEL, 0);
	outb(TIMER_CHANNEL, TIMER_HIGH_COUNT);
	delay(A_WHILE * 5);
	still = stands_still();
	entry_write(TIMER_ENTRY, ENTRY_MASKED);
	return still;
}

static const struct attack attacks[] = {
	{ "T30 an INIT by a store to the message window", "NO_INIT_GUARD", init_by_store, SUCCEEDS,
	    true, false },
	{ "T73 an INIT by the timer's I/O APIC entry", "NO_INIT_GUARD", init_by_timer, SUCCEEDS,
	    true, false },
};

/* ---- Expectations ---- */

static uint64_t refusals(void)
{
	struct redoubt_test_audit_total r = { 0, 0 };

	redoubt_test_audit_total(REDOUBT_AUDIT_INTERRUPT_REFUSED, &r);
	return r.total;
}

/* On the test build the refusal is seen in the audit ring, too. */
static void audited(uint64_t before, unsigned times, const char *what)
{
	if (call_test_build())
		tap(refusals() == before + times, "%s: %u refusals audited", what, times);
}

static void ioapic(void)
{
	static const uint32_t refused[] = { ICR_INIT, ICR_NMI, 0x200 /* SMI */ };
	uint64_t before = call_test_build() ? refusals() : 0;
	unsigned wrong = 0;

	entry_write(TIMER_ENTRY, MODE_FIXED_VALUE);
	tap(entry_read(TIMER_ENTRY) == MODE_FIXED_VALUE, "T73 I/O APIC: a fixed vector is taken");
	for (unsigned i = 0; i < 3; i++) {
		entry_write(TIMER_ENTRY, ENTRY_MASKED | refused[i]);
		wrong += entry_read(TIMER_ENTRY) != MODE_FIXED_VALUE;
	}
	tap(!wrong, "T73 I/O APIC: entries with INIT, NMI and SMI stay as they were");
	audited(before, 3, "T73 I/O APIC");
}

static void local_vector(void)
{
	uint64_t before = call_test_build() ? refusals() : 0;
	uint32_t old = apic_read(APIC_LVT_LINT0);

	tap(try_store(MESSAGE_WINDOW + APIC_LVT_LINT0, LVT_MASKED | ICR_INIT) == VECTOR_GP &&
		apic_read(APIC_LVT_LINT0) == old,
	    "T73 a local vector with INIT is #GP and stays as it was");
	audited(before, 1, "T73 local vector");
}

/* To QEMU's APIC a store to its first bytes is a message as well, to the CPU with id 0. */
static void window(void)
{
	uint64_t before = call_test_build() ? refusals() : 0;
	unsigned wrong = 0, pages = 0;

	for (uint64_t page = 0x1000; page < 0x100000; page += 0x1000, pages++)
		wrong += try_store(MESSAGE_WINDOW + page, ICR_INIT) != VECTOR_GP;
	tap(!wrong, "T30 stores to %u pages of the message window are #GP", pages);
	audited(before, pages, "T30 message window");
	try_store(APIC_REGISTER_0, ICR_INIT);
	try_store(APIC_REGISTER_0 + 0x10, ICR_INIT);
	tap(monitor_present(), "T30 stores to the APIC's first registers are no messages");
}

/* The driver knows what the machine lacks. */
static void claim(void)
{
	struct cpuid state = cpuid(REDOUBT_CPUID_STATE, 0);
	struct redoubt_features features = { 0, 0, 0 };
	bool claimed = state.ebx & REDOUBT_DEGRADED_INIT;

	redoubt_features(&features);
	tap(claimed == !!(features.degraded & REDOUBT_DEGRADED_INIT),
	    "T30 CPUID and the call agree on init=forgeable");
	if (option("INIT")[0])
		tap(claimed == text_equal(option("INIT"), "forgeable"),
		    "T30 init=%s: CPUID says so", claimed ? "forgeable" : "guarded");
}

void suite_message(void)
{
	if (cpuid(REDOUBT_CPUID_IDENT, 0).ecx != REDOUBT_VENDOR_SVM) {
		tap_skip("INIT exits on VT-x, wherever it comes from", "message");
		return;
	}
	claim();
	ioapic();
	local_vector();
	window();
	for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		attack_carry_out(&attacks[i]);
}
