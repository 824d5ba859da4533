/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A few bytes of code, run in any mode and at any privilege level of the CPU.
 *
 * The bytes are copied, an INT that ends them is put behind, registers are loaded, and whatever
 * ends them is the result: TRAP_NONE if they ran to the end, the exception otherwise. Registers at
 * that moment are in the result's frame. Modes without long mode are for one CPU at a time, with
 * interrupts off.
 */
#ifndef GUEST_LIB_MODE_H
#define GUEST_LIB_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/lib/trap.h"

enum mode {
	MODE_KERNEL64,
	MODE_USER64,
	MODE_COMPAT32, /* CPL 0 in a 32-bit segment of long mode */
	MODE_COMPAT16,
	MODE_USER32, /* CPL 3 in a 32-bit segment of long mode */
	MODE_USER16,
	MODE_PROTECTED32, /* no long mode, paging off, CPL 0 */
	MODE_PROTECTED16,
	MODE_PAE32,	       /* no long mode, PAE paging, CPL 0 */
	MODE_PAGED32,	       /* no long mode, 32-bit paging, CPL 0 */
	MODE_PROTECTED_USER32, /* no long mode, paging off, CPL 3 */
	MODE_V86,
	MODE_REAL,
	MODE_COUNT
};

#define SNIPPET_MAX 256u

struct snippet {
	const void *code;
	size_t bytes;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, r8, r9;
};

/* Bytes of a string literal as a snippet's code. */
#define CODE(text) .code = (text), .bytes = sizeof(text) - 1

const char *mode_name(enum mode mode);

/* Whether code in this mode runs with CPL 0 in a 64-bit segment: from where calls are taken. */
static inline bool mode_is_kernel64(enum mode mode)
{
	return mode == MODE_KERNEL64;
}

/* Runs the snippet. Returns the vector that ended it; `trap` may be NULL. */
unsigned mode_run(enum mode mode, const struct snippet *snippet, struct trap *trap);

/* A TAP point about it. */
bool mode_expect(const char *what, enum mode mode, const struct snippet *snippet, unsigned vector,
    uint64_t error);

/* ---- Inside, for tests that need more ---- */

/*
 * State of the way to modes without long mode; legacy_prepare() fills it, tests may change it,
 * legacy_run() goes.
 */
struct legacy {
	enum mode mode;
	uint32_t cs, eflags, ds;
};
void legacy_prepare(enum mode mode, const struct snippet *snippet, struct legacy *legacy);
unsigned legacy_run(const struct legacy *legacy, struct trap *trap);

/* Gates of the legacy IDT; legacy_prepare() sets them all. */
void legacy_gate(unsigned vector, uint16_t selector, uint32_t offset, uint8_t type);

#endif
