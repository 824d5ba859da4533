/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exceptions: who takes them, and how a test that expects one gets it.
 */
#include "guest/lib/trap.h"

#include "guest/lib/desc.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/power.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define VECTORS 256u

/*
 * Landing: entry.S returns 1 from trap_point_run() with the stack pointer that it saved in the
 * point.
 */
struct trap_point {
	uint64_t rsp;
};

uint64_t trap_point_run(struct trap_point *point, void (*fn)(void *arg), void *arg);
extern const char trap_point_land[];
void trap_entry(struct trap_frame *frame);

static trap_handler handlers[VECTORS];

static const char *const names[] = {
	"#DE",
	"#DB",
	"NMI",
	"#BP",
	"#OF",
	"#BR",
	"#UD",
	"#NM",
	"#DF",
	"#9",
	"#TS",
	"#NP",
	"#SS",
	"#GP",
	"#PF",
	"#15",
	"#MF",
	"#AC",
	"#MC",
	"#XM",
	"#VE",
	"#CP",
};

const char *trap_name(unsigned vector)
{
	if (vector < sizeof(names) / sizeof(names[0]))
		return names[vector];
	return vector == TRAP_NONE ? "no exception" : "interrupt";
}

void trap_set_handler(unsigned vector, trap_handler handler)
{
	handlers[vector] = handler;
}

unsigned trap_try(void (*fn)(void *arg), void *arg, struct trap *trap)
{
	struct cpu *cpu = cpu_self();
	void *outer_point = cpu->point;
	struct trap *outer_trap = cpu->trap;
	struct trap here = { .frame = { .vector = TRAP_NONE } };
	struct trap_point point;

	cpu->trap = &here;
	cpu->point = &point;
	trap_point_run(&point, fn, arg);
	cpu->point = outer_point;
	cpu->trap = outer_trap;
	if (trap)
		*trap = here;
	return (unsigned)here.frame.vector;
}

/*
 * Ends the function under trap_try(): the frame is changed so that the way back leads to the
 * landing.
 */
static void land(struct cpu *cpu, struct trap_frame *frame)
{
	const struct trap_point *point = cpu->point;

	cpu->trap->frame = *frame;
	cpu->trap->cr2 = read_cr2();
	if (frame->vector == LOW_END_VECTOR)
		cpu->trap->frame.vector = TRAP_NONE;
	frame->rip = (uint64_t)trap_point_land;
	frame->cs = SEL_CODE64;
	frame->ss = SEL_DATA;
	frame->rflags = RFLAGS_FIXED;
	frame->rsp = point->rsp;
}

static _Noreturn void die(const struct cpu *cpu, const struct trap_frame *f)
{
	tap_note("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx", f->rax, f->rbx, f->rcx,
	    f->rdx, f->rsi, f->rdi, f->rbp);
	tap_note("cs %lx rflags %lx rsp %lx ss %lx cr2 %lx cr3 %lx", f->cs, f->rflags, f->rsp,
	    f->ss, read_cr2(), read_cr3());
	bail("unexpected %s (%lx) on CPU %u at %lx, error %lx", trap_name((unsigned)f->vector),
	    f->vector, cpu->index, f->rip, f->error);
}

/* Called by entry.S with every vector. */
void trap_entry(struct trap_frame *frame)
{
	struct cpu *cpu = cpu_self();

	if (frame->vector == VECTOR_NMI) {
		cpu->nmis++;
		if (cpu->on_nmi)
			cpu->on_nmi(cpu, frame);
	} else if (handlers[frame->vector]) {
		handlers[frame->vector](frame);
	} else if (cpu->point) {
		land(cpu, frame);
	} else {
		die(cpu, frame);
	}
}

bool expect_trap(const char *what, unsigned vector, uint64_t error, const struct trap *trap)
{
	const struct trap_frame *f = &trap->frame;
	bool pass = f->vector == vector &&
	    (vector == TRAP_NONE || error == TRAP_ANY_ERROR || f->error == error);

	tap(pass, "%s: %s", what, trap_name(vector));
	if (!pass)
		tap_note("got %s (%lx) error %lx at %lx", trap_name((unsigned)f->vector), f->vector,
		    f->error, f->rip);
	return pass;
}

bool expect(const char *what, unsigned vector, uint64_t error, void (*fn)(void *arg), void *arg)
{
	struct trap trap;

	trap_try(fn, arg, &trap);
	return expect_trap(what, vector, error, &trap);
}
