/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUs of the guest, their exceptions and interrupts.
 *
 * What is expected to fault runs under trap_try(): whatever exception comes ends the function, and
 * what happened is the result. An exception that nobody expects ends the run with the registers
 * printed.
 */
#ifndef GUEST_LIB_TRAP_H
#define GUEST_LIB_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAP_NONE      256u
#define TRAP_ANY_ERROR (~0ull)

/* What entry.S saves. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* How a function under trap_try() ended: `frame.vector` is TRAP_NONE if it returned. */
struct trap {
	struct trap_frame frame;
	uint64_t cr2;
};

/* One for each CPU, found through TR. */
struct cpu {
	unsigned index;
	uint32_t apic_id;
	void *point;	   /* of the innermost trap_try() */
	struct trap *trap; /* where it wants its result */
	uint64_t stack_top;
	volatile bool online;
	volatile uint64_t starts; /* times it came up by SIPI */
	volatile uint64_t nmis;	  /* NMIs taken */
	void (*volatile on_nmi)(struct cpu *cpu, struct trap_frame *frame);
	void (*volatile job)(void *arg);
	void *volatile job_arg;
	uint8_t *tss; /* 104 bytes */
};

/* The running CPU, the CPU with an index, the number of CPUs the firmware listed. */
struct cpu *cpu_self(void);
struct cpu *cpu_at(unsigned index);
unsigned cpu_total(void);

/* Makes tables for `count` CPUs. Called once; memory.h must be ready. */
void cpu_tables_init(unsigned count);

/* Loads GDT, IDT and TR on the running CPU, which is `cpu`. */
void cpu_tables_load(struct cpu *cpu);

/* Calls `fn(arg)`. Returns the vector that ended it, or TRAP_NONE. `trap` may be NULL. Nests. */
unsigned trap_try(void (*fn)(void *arg), void *arg, struct trap *trap);

/*
 * A TAP point: `fn(arg)` must end by `vector` (or TRAP_NONE), with `error` unless TRAP_ANY_ERROR.
 */
bool expect(const char *what, unsigned vector, uint64_t error, void (*fn)(void *arg), void *arg);

/* The same for a trap that is at hand. */
bool expect_trap(const char *what, unsigned vector, uint64_t error, const struct trap *trap);

/* "#GP" and the like. */
const char *trap_name(unsigned vector);

/*
 * An interrupt handler (not for NMI: struct cpu.on_nmi), or NULL for none. Exceptions may be
 * handled too: before trap_try() sees them.
 */
typedef void (*trap_handler)(struct trap_frame *frame);
void trap_set_handler(unsigned vector, trap_handler handler);

/* Gate of a vector: stack table entry (0: none, 4 is free for tests), who may call it by INT. */
void trap_set_ist(unsigned vector, unsigned ist);
void trap_set_dpl(unsigned vector, unsigned dpl);

/* GDT entry by selector, for tests that build descriptors. */
uint64_t *gdt_entry(unsigned selector);

#endif
