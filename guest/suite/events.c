/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Events around instructions that the monitor carries out: single-stepping, interrupt shadows,
 * breakpoints held back by MOV SS (T27, CVE-2018-8897), and exceptions that the monitor intercepts
 * and hands on.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/desc.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define DR6_B0	       (1u << 0)
#define DR6_BS	       (1u << 14)
#define DR7_FIXED      0x400ull
#define DR7_L0_WRITE2  (DR7_FIXED | 1 | 1ull << 16 | 1ull << 18) /* DR0, writes, 2 bytes */
#define DR7_L0_ACCESS2 (DR7_FIXED | 1 | 3ull << 16 | 1ull << 18)
#define DR7_L0_FETCH   (DR7_FIXED | 1)
#define DR7_ALL_FETCH  (DR7_FIXED | 0xff)
#define MONITOR_HEADER 0x1000u
#define MONITOR_TEXT   0x200u
#define FUNCTION       16u
#define DENIED_MSR     0x480u

/* PUSHF; OR dword [SP], TF; POPF: the same bytes in 64-bit and in 32-bit code. */
#define SET_TF	     "\x9c\x81\x0c\x24\x00\x01\x00\x00\x9d"
#define SET_TF_BYTES 9u

static uint64_t read_dr6(void)
{
	uint64_t v;

	__asm__ volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}

static void set_breakpoint(uint64_t address, uint64_t dr7)
{
	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr6; mov %2, %%dr7"
			 :
			 : "r"(address), "r"(0xffff0ff0ull), "r"(dr7));
}

static void clear_breakpoint(void)
{
	set_breakpoint(0, DR7_FIXED);
}

/* Where snippets of ring 0 are. */
static uint64_t code(void)
{
	return (uint64_t)low_area() + LOW_CODE;
}

struct step {
	const char *name;
	const char *bytes;
	unsigned length;
	uint64_t rax, rcx;
};

/* Instructions that exit always, and one that never does, to check the test itself. */
static const struct step steps[] = {
	{ "NOP", "\x90", 1, 0, 0 },
	{ "CPUID", "\x0f\xa2", 2, 0, 0 },
	{ "RDMSR", "\x0f\x32", 2, 0, MSR_BIOS_SIGN_ID },
	{ "XSETBV", "\x0f\x01\xd1", 3, 3, 0 },
	{ "INVD", "\x0f\x08", 2, 0, 0 },
};

static struct snippet step_snippet(const struct step *s, char *buffer)
{
	memcpy(buffer, SET_TF, SET_TF_BYTES);
	memcpy(buffer + SET_TF_BYTES, s->bytes, s->length);
	buffer[SET_TF_BYTES + s->length] = (char)0x90;
	return (struct snippet){ .code = buffer,
		.bytes = SET_TF_BYTES + s->length + 1,
		.rax = s->rax,
		.rcx = s->rcx };
}

/* One #DB right behind the instruction, with BS set, whoever carried it out. */
static void single_step(const struct step *s, enum mode mode)
{
	char buffer[32];
	struct snippet snippet = step_snippet(s, buffer);
	struct trap t;

	clear_breakpoint();
	mode_run(mode, &snippet, &t);
	if (!tap(t.frame.vector == VECTOR_DB && read_dr6() & DR6_BS &&
		    t.frame.rip == code() + SET_TF_BYTES + s->length,
		"T27 single step over %s in %s: #DB behind it", s->name, mode_name(mode)))
		tap_note("vector %lx at %lx, DR6 %lx", t.frame.vector, t.frame.rip - code(),
		    read_dr6());
}

static void single_steps(void)
{
	struct step call = { "a call", call_instruction(), 3, REDOUBT_CALL_version, 0 };

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		single_step(&steps[i], MODE_KERNEL64);
		single_step(&steps[i], MODE_PROTECTED32);
	}
	single_step(&call, MODE_KERNEL64);
}

/*
 * An interrupt that waits is taken behind the instruction that STI shadows, not before, not later.
 */
static void interrupt_shadow(const struct step *s)
{
	char buffer[16] = "\xfb";
	struct snippet snippet = { .code = buffer,
		.bytes = s->length + 2,
		.rax = s->rax,
		.rcx = s->rcx };
	struct trap t;

	memcpy(buffer + 1, s->bytes, s->length);
	buffer[1 + s->length] = (char)0x90;
	apic_send(0, ICR_SELF | ICR_FIXED | ICR_ASSERT | VECTOR_IPI);
	mode_run(MODE_KERNEL64, &snippet, &t);
	apic_eoi();
	if (!tap(t.frame.vector == VECTOR_IPI && t.frame.rip == code() + 1 + s->length,
		"events: STI; %s: the interrupt comes behind it", s->name))
		tap_note("vector %lx at %lx", t.frame.vector, t.frame.rip - code());
}

/* MOV SS from a watched word holds the #DB back until the next instruction is done. */
static void held_back(const struct step *s)
{
	static uint16_t selector = SEL_DATA;
	char buffer[16] = "\x8e\x16"; /* MOV SS, [RSI] */
	struct snippet snippet = { .code = buffer,
		.bytes = s->length + 3,
		.rax = s->rax,
		.rcx = s->rcx,
		.rsi = (uint64_t)&selector };
	struct trap t;

	memcpy(buffer + 2, s->bytes, s->length);
	buffer[2 + s->length] = (char)0x90;
	set_breakpoint((uint64_t)&selector, DR7_L0_ACCESS2);
	mode_run(MODE_KERNEL64, &snippet, &t);
	if (!tap(t.frame.vector == VECTOR_DB && read_dr6() & DR6_B0 &&
		    t.frame.rip == code() + 2 + s->length,
		"T27 MOV SS from a watched word, then %s: #DB behind both", s->name))
		tap_note("vector %lx at %lx, DR6 %lx", t.frame.vector, t.frame.rip - code(),
		    read_dr6());
	clear_breakpoint();
}

/*
 * With INT3 next, the #DB comes at the first instruction of #BP's handler: either may reach the
 * test first.
 */
static void held_back_interrupt(void)
{
	static uint16_t selector = SEL_DATA;
	static const struct snippet snippet = { CODE("\x8e\x16\xcc\x90") };
	struct snippet s = snippet;
	struct trap t;

	s.rsi = (uint64_t)&selector;
	set_breakpoint((uint64_t)&selector, DR7_L0_ACCESS2);
	mode_run(MODE_KERNEL64, &s, &t);
	clear_breakpoint();
	tap(t.frame.vector == VECTOR_DB || t.frame.vector == VECTOR_BP,
	    "T27 MOV SS from a watched word, then INT3: the guest takes both");
}

/* Interrupts are shadowed by MOV SS as by STI; an exit in the shadow ends it. */
static void data_breakpoint(void)
{
	static uint64_t word;
	static const struct snippet store = { CODE("\x66\x89\x06\x90") }; /* MOV [RSI], AX */
	struct snippet s = store;
	struct trap t;

	s.rsi = (uint64_t)&word;
	set_breakpoint((uint64_t)&word, DR7_L0_WRITE2);
	mode_run(MODE_KERNEL64, &s, &t);
	tap(t.frame.vector == VECTOR_DB && read_dr6() & DR6_B0 && t.frame.rip == code() + 3,
	    "events: a data breakpoint reaches the guest with DR6 as on hardware");
	clear_breakpoint();
}

static void fetch_breakpoint(void)
{
	static const struct snippet s = { CODE("\x0f\xa2\x90\x90") };
	struct trap t;

	set_breakpoint(code() + 2, DR7_L0_FETCH);
	mode_run(MODE_KERNEL64, &s, &t);
	tap(t.frame.vector == VECTOR_DB && read_dr6() & DR6_B0 && t.frame.rip == code() + 2,
	    "events: an instruction breakpoint behind CPUID is hit");
	clear_breakpoint();
}

/*
 * The guest's breakpoints do not count in root mode: fetches are waited for in the first bytes
 * of the monitor's text, behind the header; the assembly that every exit goes through is linked
 * there. (Few, because QEMU forgets all it has translated each time.)
 */
static void monitor_breakpoints(void)
{
	unsigned count;
	uint64_t base = monitor_frames(&count)->base + MONITOR_HEADER;
	uint64_t value;

	for (uint64_t at = base; at < base + MONITOR_TEXT; at += 4 * FUNCTION) {
		__asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
				 :
				 : "r"(at), "r"(at + FUNCTION), "r"(at + 2 * FUNCTION),
				 "r"(at + 3 * FUNCTION));
		__asm__ volatile("mov %0, %%dr7" : : "r"(DR7_ALL_FETCH));
		cpuid(0, 0);
		call_simple(REDOUBT_CALL_version, 0, 0, 0, 0);
		try_rdmsr(DENIED_MSR, &value);
		clear_breakpoint();
	}
	tap(monitor_present(), "T27 breakpoints at the monitor's instructions: it goes on");
}

/* #AC of ring 3, which the monitor sees first. Ring 0 never gets it. */
static void alignment_check(void)
{
	/* PUSHF; OR dword [RSP], AC; POPF; MOV EAX, [RSP+1] */
	static const struct snippet s = { CODE(
	    "\x9c\x81\x0c\x24\x00\x00\x04\x00\x9d\x8b\x44\x24\x01") };

	write_cr0(read_cr0() | CR0_AM);
	mode_expect("events: an unaligned access with EFLAGS.AC", MODE_USER64, &s, VECTOR_AC, 0);
	mode_expect("events: an unaligned access with EFLAGS.AC", MODE_KERNEL64, &s, TRAP_NONE, 0);
	mode_expect("events: an unaligned access with EFLAGS.AC", MODE_PROTECTED_USER32, &s,
	    VECTOR_AC, 0);
	write_cr0(read_cr0() & ~CR0_AM);
}

void suite_events(void)
{
	single_steps();
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		interrupt_shadow(&steps[i]);
		held_back(&steps[i]);
	}
	held_back_interrupt();
	data_breakpoint();
	fetch_breakpoint();
	if (monitor_present())
		monitor_breakpoints();
	alignment_check();
}
