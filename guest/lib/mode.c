/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Snippets in the modes of long mode; low.c has the others.
 */
#include "guest/lib/mode.h"

#include "guest/lib/desc.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define INT_OPCODE 0xcd

/* As mode_iret() in entry.S reads it. */
struct mode_entry {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9;
	uint64_t ds;
	uint64_t rip, cs, rflags, rsp, ss;
};

void mode_iret(const struct mode_entry *entry);

static const struct {
	const char *name;
	uint16_t code, stack; /* selectors in long mode; 0: no long mode */
} modes[MODE_COUNT] = {
	[MODE_KERNEL64] = { "64-bit ring 0", SEL_CODE64, SEL_DATA },
	[MODE_USER64] = { "64-bit ring 3", SEL_CODE64_USER, SEL_DATA_USER },
	[MODE_COMPAT32] = { "32-bit segment of long mode, ring 0", SEL_CODE32, SEL_DATA },
	[MODE_COMPAT16] = { "16-bit segment of long mode, ring 0", SEL_CODE16, SEL_DATA },
	[MODE_USER32] = { "32-bit segment of long mode, ring 3", SEL_CODE32_USER, SEL_DATA_USER },
	[MODE_USER16] = { "16-bit segment of long mode, ring 3", SEL_CODE16_USER, SEL_DATA_USER },
	[MODE_PROTECTED32] = { "32-bit protected mode", 0, 0 },
	[MODE_PROTECTED16] = { "16-bit protected mode", 0, 0 },
	[MODE_PAE32] = { "32-bit protected mode with PAE paging", 0, 0 },
	[MODE_PAGED32] = { "32-bit protected mode with 32-bit paging", 0, 0 },
	[MODE_PROTECTED_USER32] = { "32-bit protected mode, ring 3", 0, 0 },
	[MODE_V86] = { "virtual-8086 mode", 0, 0 },
	[MODE_REAL] = { "real mode", 0, 0 },
};

const char *mode_name(enum mode mode)
{
	return modes[mode].name;
}

static void copy_code(uint8_t *to, const struct snippet *s)
{
	if (s->bytes > SNIPPET_MAX)
		bail("snippet of %lu bytes", s->bytes);
	memcpy(to, s->code, s->bytes);
	to[s->bytes] = INT_OPCODE;
	to[s->bytes + 1] = LOW_END_VECTOR;
}

static void enter(void *arg)
{
	mode_iret(arg);
}

static unsigned long_mode_run(enum mode mode, const struct snippet *s, struct trap *trap)
{
	bool user = modes[mode].code & 3;
	uint8_t *code = low_area() + (user ? LOW_CODE_USER : LOW_CODE);
	struct mode_entry entry = {
		.rax = s->rax,
		.rbx = s->rbx,
		.rcx = s->rcx,
		.rdx = s->rdx,
		.rsi = s->rsi,
		.rdi = s->rdi,
		.r8 = s->r8,
		.r9 = s->r9,
		.ds = SEL_DATA_USER,
		.rip = (uint64_t)code,
		.cs = modes[mode].code,
		.rflags = RFLAGS_FIXED,
		.rsp = (uint64_t)low_area() + (user ? LOW_STACK_USER_TOP : LOW_STACK_TOP),
		.ss = modes[mode].stack,
	};

	copy_code(code, s);
	return trap_try(enter, &entry, trap);
}

unsigned mode_run(enum mode mode, const struct snippet *snippet, struct trap *trap)
{
	struct legacy legacy;

	if (modes[mode].code)
		return long_mode_run(mode, snippet, trap);
	copy_code(low_area() + LOW_CODE, snippet);
	legacy_prepare(mode, snippet, &legacy);
	return legacy_run(&legacy, trap);
}

bool mode_expect(const char *what, enum mode mode, const struct snippet *snippet, unsigned vector,
    uint64_t error)
{
	struct trap trap;
	bool pass;

	mode_run(mode, snippet, &trap);
	pass = trap.frame.vector == vector &&
	    (vector == TRAP_NONE || error == TRAP_ANY_ERROR || trap.frame.error == error);
	tap(pass, "%s in %s: %s", what, mode_name(mode), trap_name(vector));
	if (!pass)
		tap_note("got %s (%lx) error %lx at %lx:%lx",
		    trap_name((unsigned)trap.frame.vector), trap.frame.vector, trap.frame.error,
		    trap.frame.cs, trap.frame.rip);
	return pass;
}
