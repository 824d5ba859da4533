/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtual processors of secure partitions (arch/include/arch/vp.h), driven by the test build's
 * calls without any partition: what they may do and what ends them, what interrupts them and who
 * gets that (T28), and that neither world sees the other's registers (T25, T31).
 */
#include "guest/suite/vp.h"

#include "guest/lib/apic.h"
#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/suite.h"
#include "guest/suite/timer.h"
#include "monitor/abi/trustlet.h"

#define VPS	     4u
#define EBX_AT_START 0xb0b0b0b0u
#define ESI_AT_START 0x51515151u
#define EDI_AT_START 0xd1d1d1d1u
#define HOLE_MAX     64u
#define TIMER_SOON   50000u
#define EXPIRY	     3000000ull
#define EXPIRY_SLACK 3000000ull
#define WILD	     0x40000000ull

/* ---- Driving them ---- */

/* The instruction that calls the monitor is the vendor's. */
static void adapt(uint8_t *code)
{
	const char *call = call_instruction();

	for (unsigned i = 0; i + 3 <= PAGE; i++)
		if (!memcmp(code + i, "\x0f\x01\xc1", 3))
			memcpy(code + i, call, 3);
}

void vp_make_of(unsigned index, const uint8_t *from, const uint8_t *end, const void *hole,
    size_t bytes)
{
	static const uint8_t tail[] = { 0xb8, 0x0d, 0x60, 0, 0, 0x0f, 0x01, 0xc1, 0xeb, 0xfe };
	static uint8_t *code, *memory[VPS];
	uint64_t status;

	if (!code)
		code = pages_alloc(1);
	if (!memory[index])
		memory[index] = pages_alloc(VP_PAGES);
	memset(code, 0, PAGE);
	memcpy(code, from, (size_t)(end - from));
	if (hole) {
		memcpy(code + VP_HOLE, hole, bytes);
		memcpy(code + VP_HOLE + bytes, tail, sizeof(tail));
	}
	adapt(code);
	status = redoubt_test_vp_make(index, (uint64_t)code, (uint64_t)memory[index], VP_PAGES);
	if (status != REDOUBT_OK)
		bail("test_vp_make: status %lx", status);
}

void vp_drop(unsigned index)
{
	uint64_t status = redoubt_test_vp_drop(index);

	if (status != REDOUBT_OK)
		bail("test_vp_drop: status %lx", status);
}

struct redoubt_test_vp_run vp_run(unsigned index, uint64_t cycles)
{
	struct redoubt_test_vp_run run;
	uint64_t status = redoubt_test_vp_run(index, cycles, &run);

	if (status != REDOUBT_OK)
		bail("test_vp_run: status %lx", status);
	return run;
}

const char *vp_stop_name(uint64_t stop)
{
	static const char *const names[] = { "called", "interrupted", "expired", "faulted" };

	return stop < sizeof(names) / sizeof(names[0]) ? names[stop] : "?";
}

bool vp_expect(const char *what, uint64_t stop, const struct redoubt_test_vp_run *run)
{
	bool pass = tap(run->stop == stop, "%s: %s", what, vp_stop_name(stop));

	if (!pass)
		tap_note("got %s, reason %lx at %lx, fact %lx", vp_stop_name(run->stop),
		    run->reason, run->rip, run->fact);
	return pass;
}

uint64_t vp_word(unsigned index, uint64_t address)
{
	struct redoubt_test_vp_peek words;
	uint64_t offset = address - VP_BASE;
	uint64_t status = redoubt_test_vp_peek(index, offset & ~31ull, &words);

	if (status != REDOUBT_OK)
		bail("test_vp_peek: status %lx", status);
	return (
	    const uint64_t[]){ words.word0, words.word1, words.word2, words.word3 }[offset / 8 % 4];
}

static struct redoubt_test_vp_regs regs_of(unsigned index)
{
	struct redoubt_test_vp_regs regs;
	uint64_t status = redoubt_test_vp_regs(index, &regs);

	if (status != REDOUBT_OK)
		bail("test_vp_regs: status %lx", status);
	return regs;
}

/* ---- Calls ---- */

static bool calls_with(const char *what, uint64_t rax, uint64_t rcx, uint64_t rdx)
{
	struct redoubt_test_vp_run run = vp_run(0, VP_ENOUGH);
	struct redoubt_test_vp_regs regs = regs_of(0);
	bool pass = run.stop == VP_CALLED && regs.rax == rax && regs.rcx == rcx && regs.rdx == rdx;

	tap(pass, "%s", what);
	if (!pass)
		tap_note("%s, reason %lx at %lx, fact %lx: %lx %lx %lx", vp_stop_name(run.stop),
		    run.reason, run.rip, run.fact, regs.rax, regs.rcx, regs.rdx);
	return pass;
}

static void calls(void)
{
	vp_make(0, echo);
	calls_with("vp: a VP starts in 32-bit code and makes a call", 0x1111, 0x2222, 0x3333);
	redoubt_test_vp_answer(0, 5, 7, 100);
	calls_with("vp: it goes on behind the call with what it was answered", 12, 7, 101);
	redoubt_test_vp_answer(0, ~0ull, 1, ~0ull);
	calls_with("vp: and in 32-bit code with the lower halves", 0, 1, 0);
	vp_drop(0);
	vp_make(0, long);
	calls_with("vp: a VP goes to 64-bit code on tables of its own", 0x123456789abcdef0,
	    ~0x123456789abcdef0ull, 0);
	redoubt_test_vp_answer(0, 1ull << 63, 1ull << 62, ~0ull);
	calls_with("vp: it is answered in 64 bits", 3ull << 62, 1ull << 62, 0);
	tap(redoubt_test_vp_drop(0) == REDOUBT_OK && redoubt_test_vp_drop(0) == REDOUBT_STATE,
	    "vp: a VP can be dropped, once");
}

static void own_faults(void)
{
	vp_make(0, faults);
	calls_with("vp: its page fault is its own, with its CR2 and error code", 14, 0x40000123, 2);
	calls_with("vp: so is its #UD", 6, 0x40000123, 2);
	calls_with("vp: and it goes on behind them", VP_MARK, 0x40000123, 2);
	vp_drop(0);
}

static void stays_watched(void)
{
	struct redoubt_test_vp_run run;

	vp_make(0, unwatched);
	run = vp_run(0, VP_ENOUGH);
	if (!tap(vp_word(0, VP_DATA) == 0, "T25 no handler of a VP's writes CR4 unwatched"))
		tap_note("it %s", vp_stop_name(run.stop));
	vp_drop(0);
}

/* ---- What it may do, and what stops it ---- */

struct act {
	const char *what;
	const char *code;
	size_t bytes;
	uint64_t stop;
	bool in_32;
};

/* RDI is the address of memory of its own; RAX, RCX and RDX are 0. Behind the code is a call. */
static const struct act acts[] = {
	{ "nothing", CODE("\x90"), VP_CALLED },
	{ "RDTSC", CODE("\x0f\x31"), VP_CALLED },
	{ "MOV CR3", CODE("\x0f\x20\xd8\x0f\x22\xd8"), VP_CALLED },
	{ "INVLPG", CODE("\x0f\x01\x3f"), VP_CALLED },
	{ "MOV CR0 that sets TS, MP, EM, AM", CODE("\x0f\x20\xc0\x0d\x0e\x00\x04\x00\x0f\x22\xc0"),
	    VP_CALLED },
	{ "MOV CR0 that clears WP", CODE("\x0f\x20\xc0\x0f\xba\xf0\x10\x0f\x22\xc0"), VP_CALLED },
	{ "CLTS", CODE("\x0f\x06"), VP_CALLED },
	{ "MOV CR4 that changes nothing", CODE("\x0f\x20\xe0\x0f\x22\xe0"), VP_CALLED },
	{ "SIDT, SGDT at CPL 0", CODE("\x0f\x01\x0f\x0f\x01\x07"), VP_CALLED },
	{ "STI and CLI", CODE("\xfb\x90\xfa"), VP_CALLED },
	{ "SSE", CODE("\x66\x0f\xef\xc0\x0f\x58\xc0"), VP_CALLED },
	{ "x87", CODE("\xd9\xe8\xde\xc0"), VP_CALLED },
	{ "MOV CR3 beyond the physical addresses",
	    CODE("\x48\xb8\x00\x00\x00\x00\x00\x00\x00\x10\x0f\x22\xd8"), VP_FAULTED },
	{ "CPUID", CODE("\x0f\xa2"), VP_FAULTED },
	{ "IN", CODE("\x66\xba\x80\x00\xec"), VP_FAULTED },
	{ "OUT", CODE("\x66\xba\x80\x00\xee"), VP_FAULTED },
	{ "OUT to an immediate port", CODE("\xe6\xe9"), VP_FAULTED },
	{ "REP INSB", CODE("\x66\xba\x80\x00\x67\xf3\x6c"), VP_FAULTED },
	{ "REP OUTSB", CODE("\x66\xba\x80\x00\x89\xfe\xb1\x01\xf3\x6e"), VP_FAULTED },
	{ "RDMSR of EFER", CODE("\xb9\x80\x00\x00\xc0\x0f\x32"), VP_FAULTED },
	{ "RDMSR of KERNEL_GS_BASE", CODE("\xb9\x02\x01\x00\xc0\x0f\x32"), VP_FAULTED },
	{ "RDMSR of TSC", CODE("\xb9\x10\x00\x00\x00\x0f\x32"), VP_FAULTED },
	{ "WRMSR of FS_BASE", CODE("\xb9\x00\x01\x00\xc0\x0f\x30"), VP_FAULTED },
	{ "WRMSR of an unknown number", CODE("\xb9\x00\x00\x00\x50\x0f\x30"), VP_FAULTED },
	{ "MOV from DR0", CODE("\x0f\x21\xc0"), VP_FAULTED },
	{ "MOV to DR6", CODE("\x0f\x23\xf0"), VP_FAULTED },
	{ "MOV to DR7", CODE("\x0f\x23\xf8"), VP_FAULTED },
	{ "single-stepping", CODE("\x9c\x80\x4c\x24\x01\x01\x9d\x90\x90"), VP_FAULTED },
	{ "HLT", CODE("\xf4"), VP_FAULTED },
	{ "MWAIT", CODE("\x0f\x01\xc9"), VP_FAULTED },
	{ "MONITOR", CODE("\x89\xf8\x0f\x01\xc8"), VP_FAULTED },
	{ "RDPMC", CODE("\x0f\x33"), VP_FAULTED },
	{ "RDTSCP", CODE("\x0f\x01\xf9"), VP_FAULTED },
	{ "RDPID", CODE("\xf3\x0f\xc7\xf8"), VP_FAULTED },
	{ "INVPCID", CODE("\x66\x0f\x38\x82\x07"), VP_FAULTED },
	{ "INVD", CODE("\x0f\x08"), VP_FAULTED },
	{ "WBINVD", CODE("\x0f\x09"), VP_FAULTED },
	{ "XGETBV", CODE("\x0f\x01\xd0"), VP_FAULTED },
	{ "XSETBV", CODE("\xb0\x01\x0f\x01\xd1"), VP_FAULTED },
	{ "XSAVE", CODE("\x0f\xae\x27"), VP_FAULTED },
	{ "AVX", CODE("\xc5\xfc\x57\xc0"), VP_FAULTED },
	{ "SYSCALL", CODE("\x0f\x05"), VP_FAULTED },
	{ "SYSENTER", CODE("\x0f\x34"), VP_FAULTED },
	{ "GETSEC", CODE("\x0f\x37"), VP_FAULTED },
	{ "RSM", CODE("\x0f\xaa"), VP_FAULTED },
	{ "MOV CR4 that sets OSXSAVE", CODE("\x0f\x20\xe0\x0f\xba\xe8\x12\x0f\x22\xe0"),
	    VP_FAULTED },
	{ "MOV CR4 that sets FSGSBASE", CODE("\x0f\x20\xe0\x0f\xba\xe8\x10\x0f\x22\xe0"),
	    VP_FAULTED },
	{ "MOV CR4 that clears OSFXSR", CODE("\x0f\x20\xe0\x0f\xba\xf0\x09\x0f\x22\xe0"),
	    VP_FAULTED },
	{ "MOV CR0 that sets CD", CODE("\x0f\x20\xc0\x0f\xba\xe8\x1e\x0f\x22\xc0"), VP_FAULTED },
	{ "MOV CR0 that clears NE", CODE("\x0f\x20\xc0\x0f\xba\xf0\x05\x0f\x22\xc0"), VP_FAULTED },
	{ "MOV CR0 that clears PE, in 32-bit code", CODE("\x0f\x20\xc0\x24\xfe\x0f\x22\xc0"),
	    VP_FAULTED, true },
	{ "MOV CR8", CODE("\x44\x0f\x22\xc0"), VP_FAULTED },
	{ "MOV from CR8", CODE("\x44\x0f\x20\xc0"), VP_FAULTED },
	{ "VMXON", CODE("\xf3\x0f\xc7\x37"), VP_FAULTED },
	{ "VMPTRLD", CODE("\x0f\xc7\x37"), VP_FAULTED },
	{ "VMREAD", CODE("\x0f\x78\xc0"), VP_FAULTED },
	{ "VMLAUNCH", CODE("\x0f\x01\xc2"), VP_FAULTED },
	{ "VMFUNC", CODE("\x0f\x01\xd4"), VP_FAULTED },
	{ "INVEPT", CODE("\x66\x0f\x38\x80\x07"), VP_FAULTED },
	{ "VMRUN", CODE("\x0f\x01\xd8"), VP_FAULTED },
	{ "VMLOAD", CODE("\x0f\x01\xda"), VP_FAULTED },
	{ "CLGI", CODE("\x0f\x01\xdd"), VP_FAULTED },
	{ "INVLPGA", CODE("\x0f\x01\xdf"), VP_FAULTED },
	{ "SKINIT", CODE("\x0f\x01\xde"), VP_FAULTED },
	{ "ENCLS", CODE("\x0f\x01\xcf"), VP_FAULTED },
	{ "an exception that it has no handler for", CODE("\x0f\x0b"), VP_FAULTED },
	{ "an interrupt that it has no handler for", CODE("\xcd\x80"), VP_FAULTED },
	{ "a jump to where nothing is mapped", CODE("\x31\xff\xff\xe7"), VP_FAULTED },
	{ "port 80 in 32-bit code", CODE("\xe6\x80"), VP_FAULTED, true },
	{ "CPUID in 32-bit code", CODE("\x0f\xa2"), VP_FAULTED, true },
	{ "a read outside its memory, paging off", CODE("\xa1\x00\x00\x00\x40"), VP_FAULTED, true },
};

static void act(const struct act *a)
{
	const uint8_t *from = a->in_32 ? vp_code_hole32 : vp_code_hole;
	const uint8_t *end = a->in_32 ? vp_code_hole32_end : vp_code_hole_end;
	struct redoubt_test_vp_run run;
	uint64_t hole = VP_BASE + VP_HOLE;
	char what[80] = "T31 ";

	vp_make_of(0, from, end, a->code, a->bytes);
	run = vp_run(0, VP_ENOUGH);
	for (unsigned i = 0; a->what[i] && i + 5 < sizeof(what); i++)
		what[i + 4] = a->what[i];
	vp_expect(what, a->stop, &run);
	if (run.stop == VP_CALLED)
		tap(regs_of(0).rax == VP_MARK && run.rip == hole + a->bytes + 8,
		    "vp: RIP is behind the call");
	else if (!redoubt_test_vp_run(0, VP_ENOUGH, &run))
		tap(false, "vp: a VP that faulted is run again");
	vp_drop(0);
}

static void forbidden(void)
{
	for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		act(&acts[i]);
	tap(monitor_present(), "T31 the monitor and the normal world go on");
}

/* The fact of a second-stage violation is its address. */
static void violations(void)
{
	static const struct {
		const char *what;
		const char *code;
		size_t bytes;
		uint64_t fact;
	} table[] = {
		{ "T31 it reads behind its memory", CODE("\xa1\x10\x80\x10\x00"), 0x108010 },
		{ "T31 it writes below it", CODE("\xa3\xf8\xff\x0f\x00"), 0xffff8 },
		{ "T31 it touches the local APIC", CODE("\xa1\x30\x00\xe0\xfe"), 0xfee00030 },
		{ "T31 it jumps out of it", CODE("\xb8\x00\x80\x10\x00\xff\xe0"), 0x108000 },
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct redoubt_test_vp_run run;

		vp_make_of(0, vp_code_hole32, vp_code_hole32_end, table[i].code, table[i].bytes);
		run = vp_run(0, VP_ENOUGH);
		vp_expect(table[i].what, VP_FAULTED, &run);
		tap(run.fact == table[i].fact, "vp: the record says where: %lx", run.fact);
		vp_drop(0);
	}
}

static void from_user(void)
{
	struct redoubt_test_vp_run run;

	vp_make(0, user);
	run = vp_run(0, VP_ENOUGH);
	vp_expect("T31 a call from CPL 3", VP_FAULTED, &run);
	tap(run.rip >= VP_USER, "vp: it came that far");
	vp_drop(0);
}

/* ---- What is the normal world's ---- */

static void interrupts(void)
{
	struct redoubt_test_vp_run run;
	uint64_t counted;

	timer_use();
	vp_make(0, spin);
	for (unsigned i = 1; i <= 3; i++) {
		timer_in(TIMER_SOON);
		run = vp_run(0, VP_LONG);
		counted = vp_word(0, VP_DATA);
		vp_expect("T28 an interrupt comes while a VP runs", VP_INTERRUPTED, &run);
		tap(timer_hits() == i - 1, "vp: it waits as long as interrupts are off");
		run = vp_run(0, VP_LONG);
		tap(run.stop == VP_INTERRUPTED && vp_word(0, VP_DATA) - counted < 2,
		    "T28 and the VP does not run meanwhile");
		take_interrupts();
		take_interrupts();
		tap(timer_hits() == i, "T28 the interrupt is delivered once (%lu of %u)",
		    timer_hits(), i);
	}
	vp_drop(0);
	timer_done();
}

/* Where the CPU has no timer for it an interrupt must do. */
static void expiry(void)
{
	bool timed = by_intel();
	struct redoubt_test_vp_run run;
	uint64_t start, took, counted;

	timer_use();
	vp_make(0, spin);
	for (unsigned i = 0; i < 3; i++) {
		counted = vp_word(0, VP_DATA);
		timer_in(timed ? 0 : (uint32_t)(EXPIRY * tick_scale()));
		start = rdtsc();
		run = vp_run(0, timed ? EXPIRY : VP_LONG);
		took = rdtsc() - start;
		take_interrupts();
		vp_expect("T28 a VP that goes on for ever", timed ? VP_EXPIRED : VP_INTERRUPTED,
		    &run);
		tap(vp_word(0, VP_DATA) > counted, "vp: it ran meanwhile");
		tap(!timed || (took >= EXPIRY && took < EXPIRY + EXPIRY_SLACK),
		    "vp: in time (%lu cycles)", took);
	}
	if (timed) {
		run = vp_run(0, 0);
		vp_expect("vp: no time at all", VP_EXPIRED, &run);
	}
	vp_drop(0);
	timer_done();
}

static struct redoubt_test_vp_run in_handler;
static uint64_t nested_nmis;

/* The first one: another is sent, which waits for the IRET; a VP is run meanwhile. */
static void on_nmi(struct cpu *cpu, struct trap_frame *frame)
{
	if (nested_nmis++)
		return;
	apic_send(cpu->apic_id, ICR_NMI | ICR_ASSERT);
	delay(1000);
	in_handler = vp_run(0, VP_LONG);
}

static void nmi_waits(void)
{
	struct cpu *self = cpu_self();
	uint64_t before = self->nmis;

	vp_make(0, spin);
	nested_nmis = 0;
	self->on_nmi = on_nmi;
	apic_send(self->apic_id, ICR_NMI | ICR_ASSERT);
	delay(100000);
	self->on_nmi = NULL;
	vp_expect("T28 a VP is run while an NMI waits", VP_INTERRUPTED, &in_handler);
	tap(self->nmis == before + 2, "T28 the NMI is delivered once (%lu)",
	    self->nmis - before - 1);
	vp_drop(0);
}

/* ---- Registers ---- */

#define KEPT 10u /* RBX, RBP, RSI, RDI, R10 to R15 */

static struct filled {
	uint64_t in[KEPT], out[KEPT];
	uint64_t call[4]; /* RAX, RCX, RDX */
	uint8_t fx[512], fx_out[512];
} filled __attribute__((aligned(64)));
_Static_assert(offsetof(struct filled, out) == FILLED_OUT, "layout");
_Static_assert(offsetof(struct filled, call) == FILLED_CALL, "layout");
_Static_assert(offsetof(struct filled, fx) == FILLED_FX, "layout");
_Static_assert(offsetof(struct filled, fx_out) == FILLED_FX_OUT, "layout");

void vp_run_filled(struct filled *filled, bool svm);

#define FX_ST0	   32u
#define FX_XMM0	   160u
#define FX_END	   416u
#define FX_MXCSR   24u
#define MXCSR_MINE 0xdf80u /* round down, flush to zero */
#define MARK_GS	   0xffffff8123456000ull
#define MARK_CR2   0x5a5a5a5a5000ull

static void write_cr2(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"(value) : "memory");
}

/* Eight x87 registers, sixteen XMM, MXCSR, control word, general registers. */
static void fill(void)
{
	uint16_t control = 0x0f7f; /* round to zero */
	uint32_t mxcsr = MXCSR_MINE;

	memset(&filled, 0, sizeof(filled));
	for (unsigned i = 0; i < KEPT; i++)
		filled.in[i] = 0xfeedfacecafe0000ull + i;
	memcpy(filled.fx, &control, sizeof(control));
	filled.fx[4] = 0xff; /* all x87 registers are in use */
	memcpy(filled.fx + FX_MXCSR, &mxcsr, sizeof(mxcsr));
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < 10; k++)
			filled.fx[FX_ST0 + 16 * i + k] = (uint8_t)(k == 9 ? 0x3f : 0x80 + i);
	for (unsigned i = FX_XMM0; i < FX_END; i++)
		filled.fx[i] = (uint8_t)(i ^ 0xc3);
	filled.call[0] = VP_RUN_CALL;
	filled.call[1] = 0;
	filled.call[2] = VP_ENOUGH;
}

/* The normal world's registers are what they were before the run. */
static void unchanged(const char *when)
{
	vp_run_filled(&filled, !by_intel());
	tap(filled.call[0] == REDOUBT_OK && filled.call[1] == VP_CALLED, "vp: it calls %s", when);
	tap(!memcmp(filled.in, filled.out, sizeof(filled.in)),
	    "T25 the normal world's general registers are its own %s", when);
	tap(!memcmp(filled.fx, filled.fx_out, FX_ST0 - 4),
	    "T25 so are x87's and SSE's control registers");
	tap(!memcmp(filled.fx + FX_ST0, filled.fx_out + FX_ST0, FX_END - FX_ST0),
	    "T25 so are the x87 and XMM registers");
	tap(read_cr2() == MARK_CR2, "T25 so is CR2 (%lx)", read_cr2());
	tap(rdmsr(MSR_KERNEL_GS) == MARK_GS, "T25 so is KERNEL_GS_BASE (%lx)",
	    rdmsr(MSR_KERNEL_GS));
}

/* EBX tells a VP what CPUID would: the call's instruction, RDRAND, RDSEED, SHA (abi/trustlet.h). */
static uint32_t start_ebx(void)
{
	return EBX_AT_START | (by_intel() ? 0 : START_VMMCALL) |
	    (cpuid(1, 0).ecx & 1u << 30 ? START_RDRAND : 0) |
	    (cpuid(7, 0).ebx & 1u << 18 ? START_RDSEED : 0) | (cpu_has_sha() ? START_SHA : 0);
}

/* What a VP sees when it starts: nothing but what arch/vp.h says. */
static void start_state(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < 17; i++) {
		uint64_t seen = vp_word(0, VP_MORE + 8 * i);
		uint64_t wanted = i == 3 ? start_ebx()
		    : i == 6		 ? ESI_AT_START
		    : i == 7		 ? EDI_AT_START
					 : 0;

		if (seen == wanted)
			continue;
		tap_note("register %u is %lx", i, seen);
		wrong++;
	}
	tap(!wrong, "T25 general registers and CR2 of a VP that starts are zero but three");
	wrong = 0;
	for (unsigned at = FX_ST0; at < FX_END; at += 8)
		wrong += vp_word(0, VP_DATA + at) != 0;
	tap(!wrong, "T25 its x87 and XMM registers are zero");
	tap(vp_word(0, VP_DATA) == 0x37f && (uint32_t)vp_word(0, VP_DATA + FX_MXCSR) == 0x1f80,
	    "T25 their control registers are as FNINIT and reset leave them");
	tap((uint32_t)vp_word(0, VP_MORE + 0x88) == VP_MARK, "T25 KERNEL_GS_BASE of a VP is 0");
}

/* What it sees behind its call: its own. */
static void own_state(void)
{
	unsigned wrong = 0;
	uint64_t wanted;

	for (unsigned i = 1; i < 16; i++) {
		bool kept = i == 3 || (i >= 5 && i <= 7) || i >= 10;

		wanted = i == 1 ? 1 : i == 2 ? 2 : i == 8 ? 3 : i == 9 ? 4 : 0xa5a5a5a55a5a5a5a;
		if (i != 4 && vp_word(0, VP_MORE + 0x100 + 8 * i) != wanted) {
			tap_note("register %u (%s)", i, kept ? "kept" : "of the call");
			wrong++;
		}
	}
	tap(!wrong, "T25 a VP finds its general registers as they were");
	tap(vp_word(0, VP_MORE + 0x180) == 0x2345678, "T25 its CR2");
	for (unsigned at = 0; at < FX_END; at += 8)
		wrong += vp_word(0, VP_DATA + 0x200 + at) != vp_word(0, VP_DATA + 0x400 + at);
	tap(!wrong, "T25 its x87 and SSE state");
	tap((uint32_t)vp_word(0, VP_MORE + 0x188) == VP_MARK, "T25 its KERNEL_GS_BASE");
}

static void registers(void)
{
	uint64_t gs = rdmsr(MSR_KERNEL_GS), cr2 = read_cr2();

	fill();
	wrmsr(MSR_KERNEL_GS, MARK_GS);
	write_cr2(MARK_CR2);
	vp_make(0, look);
	unchanged("where it starts");
	start_state();
	fill();
	unchanged("where it goes on");
	own_state();
	vp_drop(0);
	wrmsr(MSR_KERNEL_GS, gs);
	write_cr2(cr2);
}

void suite_vp(void)
{
	if (!call_test_build()) {
		tap_skip("no test build", "vp");
		return;
	}
	calls();
	own_faults();
	stays_watched();
	forbidden();
	violations();
	from_user();
	interrupts();
	expiry();
	nmi_waits();
	registers();
	if (cpu_total() >= 2 && smp_start_all())
		vp_between_cpus();
}
