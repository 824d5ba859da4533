/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exceptions that raise themselves while they are delivered (CVE-2015-5307 #AC, CVE-2015-8104 #DB).
 * On hardware the CPU never comes back to an instruction; with both intercepted the monitor sees
 * each round, so the other CPUs go on and can end it by NMI or INIT (T27).
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/desc.h"
#include "guest/lib/low.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/audit.h"

#define A_WHILE		      3000000u
#define GATE32_DPL3_INTERRUPT 0xee
#define IST_TEST	      4u
#define IST1_OFFSET	      36
#define DR7_L0_WRITE8	      (0x400ull | 1 | 1ull << 16 | 2ull << 18)

static volatile uint64_t entered, left;
static struct trap ended;

static uint64_t loops_seen(void)
{
	struct redoubt_test_audit_total r;

	if (!call_test_build())
		return 0;
	redoubt_test_audit_total(REDOUBT_AUDIT_EVENT_LOOP, &r);
	return r.total;
}

/*
 * Ring 3 of 32-bit protected mode, its #AC gate leading to ring 3 too, the stack unaligned: the
 * push of the exception's own frame is unaligned again. DEC ESP; PUSH EAX.
 */
static void alignment_loop(void *arg)
{
	static const struct snippet s = { CODE("\x4c\x50") };
	struct legacy legacy;

	memcpy(low_area() + LOW_CODE, "\x4c\x50\xcd\x41", 4);
	legacy_prepare(MODE_PROTECTED_USER32, &s, &legacy);
	legacy.eflags |= (uint32_t)RFLAGS_AC;
	low_data()->mode_cr0 |= (uint32_t)CR0_AM;
	legacy_gate(VECTOR_AC, SEL_CODE32_USER, (uint32_t)(uint64_t)low_area() + LOW_CODE,
	    GATE32_DPL3_INTERRUPT);
	entered = 1;
	legacy_run(&legacy, &ended);
	left = 1;
}

/* #DB on a stack of its own whose top word is watched: delivering #DB writes it. */
static void debug_loop(void *arg)
{
	const struct cpu *cpu = cpu_self();
	uint64_t top;

	memcpy(&top, cpu->tss + IST1_OFFSET + 8 * (IST_TEST - 1), sizeof(top));
	trap_set_ist(VECTOR_DB, IST_TEST);
	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" : : "r"(top - 8), "r"(DR7_L0_WRITE8));
	entered = 1;
	*(volatile uint64_t *)(top - 8) = 0;
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ull));
	left = 1;
}

static void under_try(void *job)
{
	trap_try((void (*)(void *))job, NULL, &ended);
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ull));
	left = 1;
}

static void begin(void (*job)(void *arg), void *arg)
{
	entered = 0;
	left = 0;
	smp_begin(1, job, arg);
	wait_flag(&entered);
	delay(A_WHILE);
}

static void others_live(const char *what, uint64_t seen)
{
	struct cpu *self = cpu_self();
	uint64_t nmis = self->nmis;

	tap_note("%s: %s, %lu rounds seen by the monitor", what,
	    left ? "ended by itself" : "goes on", loops_seen() - seen);
	apic_send(self->apic_id, ICR_NMI | ICR_ASSERT);
	delay(A_WHILE);
	tap(self->nmis == nmis + 1 && monitor_present(), "T27 %s on another CPU: this one goes on",
	    what);
	if (call_test_build())
		tap(redoubt_test_flush(10) == REDOUBT_OK,
		    "T27 %s: the monitor can flush on all CPUs", what);
}

static void ends_by_init(const char *what)
{
	trap_set_ist(VECTOR_DB, 0);
	tap(smp_start(1), "T27 %s: INIT and SIPI bring the CPU back", what);
}

static void alignment(void)
{
	uint64_t seen = loops_seen();

	begin(alignment_loop, NULL);
	others_live("#AC loop", seen);
	if (!left) {
		apic_send(cpu_at(1)->apic_id, ICR_NMI | ICR_ASSERT);
		tap(wait_flag(&left) && ended.frame.vector == VECTOR_NMI,
		    "T27 #AC loop: an NMI ends it");
	}
	ends_by_init("#AC loop");
}

static void debug(void)
{
	uint64_t seen = loops_seen();

	begin(under_try, (void *)debug_loop);
	others_live("#DB loop", seen);
	ends_by_init("#DB loop");
}

void suite_loops(void)
{
	alignment();
	debug();
}
