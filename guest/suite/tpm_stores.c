/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions that write to the vTPM's registers: each encoding of MOV does, everything else is
 * #GP and changes nothing; and the window as code, as page table, as a stack of the CPU's own.
 */
#include "guest/lib/apic.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/mode.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/accesses.h"
#include "guest/suite/suite.h"
#include "guest/suite/timer.h"
#include "guest/suite/tpm.h"

#define CANCEL	     (TPM_BASE + CTRL_CANCEL)
#define CONTROL	     (TPM_BASE + CTRL_REQ)
#define VA_TABLES    (WINDOW + 0x40000000ull)
#define VA_USER	     (WINDOW + 0x80000000ull)
#define VA_ACROSS    (WINDOW + 0xc0000000ull)
#define NO_PAGE	     (1ull << 38)
#define UNWRITTEN    0xa5a5a5a5u
#define MOVS	     5u /* of accesses.c: the first ones */
#define IST_TEST     4u
#define TSS_IST_TEST 60u
#define STACK_TOP    (CANCEL + 8) /* what is pushed first would be stored in CTRL_CANCEL */
#define SOON	     20000u

/* ---- Encodings of MOV ---- */

struct encoding {
	const char *name;
	enum mode mode;
	struct snippet code;
};

#define TO_CANCEL .rdi = CANCEL, .rax = 1, .rsi = 1, .r8 = 1
#define ABSOLUTE  "\x48\x00\xd4\xfe"

static const struct encoding encodings[] = {
	{ "8 bits", MODE_KERNEL64, { CODE("\x88\x07"), TO_CANCEL } },
	{ "16 bits", MODE_KERNEL64, { CODE("\x66\x89\x07"), TO_CANCEL } },
	{ "32 bits", MODE_KERNEL64, { CODE("\x89\x07"), TO_CANCEL } },
	{ "64 bits", MODE_KERNEL64, { CODE("\x48\x89\x07"), TO_CANCEL } },
	{ "AH", MODE_KERNEL64, { CODE("\x88\x27"), .rdi = CANCEL, .rax = 0x100 } },
	{ "SIL", MODE_KERNEL64, { CODE("\x40\x88\x37"), TO_CANCEL } },
	{ "R8D", MODE_KERNEL64, { CODE("\x44\x89\x07"), TO_CANCEL } },
	{ "an immediate of 8 bits", MODE_KERNEL64, { CODE("\xc6\x07\x01"), TO_CANCEL } },
	{ "an immediate of 16 bits", MODE_KERNEL64, { CODE("\x66\xc7\x07\x01\x00"), TO_CANCEL } },
	{ "an immediate of 32 bits", MODE_KERNEL64,
	    { CODE("\xc7\x07\x01\x00\x00\x00"), TO_CANCEL } },
	{ "an immediate to 64 bits", MODE_KERNEL64,
	    { CODE("\x48\xc7\x07\x01\x00\x00\x00"), TO_CANCEL } },
	{ "AL to an offset", MODE_KERNEL64,
	    { CODE("\xa2" ABSOLUTE "\x00\x00\x00\x00"), .rax = 1 } },
	{ "AX to an offset", MODE_KERNEL64,
	    { CODE("\x66\xa3" ABSOLUTE "\x00\x00\x00\x00"), .rax = 1 } },
	{ "EAX to an offset", MODE_KERNEL64,
	    { CODE("\xa3" ABSOLUTE "\x00\x00\x00\x00"), .rax = 1 } },
	{ "RAX to an offset", MODE_KERNEL64,
	    { CODE("\x48\xa3" ABSOLUTE "\x00\x00\x00\x00"), .rax = 1 } },
	{ "an offset of 32 bits", MODE_KERNEL64, { CODE("\x67\xa3" ABSOLUTE), .rax = 1 } },
	{ "an address of 32 bits", MODE_KERNEL64, { CODE("\x67\x89\x07"), TO_CANCEL } },
	{ "a segment prefix", MODE_KERNEL64, { CODE("\x3e\x89\x07"), TO_CANCEL } },
	{ "three prefixes", MODE_KERNEL64, { CODE("\x36\x66\x67\x89\x07"), TO_CANCEL } },
	{ "a short displacement", MODE_KERNEL64,
	    { CODE("\x89\x47\x48"), .rdi = TPM_BASE, .rax = 1 } },
	{ "a long displacement", MODE_KERNEL64,
	    { CODE("\x89\x87\x48\x00\x00\x00"), .rdi = TPM_BASE, .rax = 1 } },
	{ "base and index", MODE_KERNEL64,
	    { CODE("\x89\x04\xdf"), .rdi = TPM_BASE, .rbx = 9, .rax = 1 } },
	{ "an index alone", MODE_KERNEL64,
	    { CODE("\x89\x04\x1d\x48\x00\x00\x00"), .rbx = TPM_BASE, .rax = 1 } },
	{ "32-bit code of long mode", MODE_COMPAT32, { CODE("\x89\x07"), TO_CANCEL } },
	{ "16-bit code of long mode", MODE_COMPAT16, { CODE("\x67\x66\x89\x07"), TO_CANCEL } },
	{ "code without paging", MODE_PROTECTED32, { CODE("\x89\x07"), TO_CANCEL } },
	{ "16-bit code without paging", MODE_PROTECTED16, { CODE("\x67\x66\x89\x07"), TO_CANCEL } },
	{ "code with PAE paging", MODE_PAE32, { CODE("\xa3" ABSOLUTE), TO_CANCEL } },
	{ "ring 3, by a mapping of its own", MODE_USER64,
	    { CODE("\x89\x07"), .rdi = VA_USER + CTRL_CANCEL, .rax = 1 } },
};

static void encode(const struct encoding *e)
{
	unsigned vector;
	bool set;

	tpm_set(0, CTRL_CANCEL, 0);
	vector = mode_run(e->mode, &e->code, NULL);
	set = tpm_get(0, CTRL_CANCEL) == 1;
	tpm_set(0, CTRL_CANCEL, 0);
	if (!tap(vector == TRAP_NONE && set && tpm_get(0, CTRL_CANCEL) == 0,
		"tpm: a MOV of %s reaches its register", e->name))
		tap_note("got %s, the register was %s", trap_name(vector), set ? "set" : "not set");
}

/* ---- What is no MOV, or not one that counts ---- */

static uint32_t before[TPM_LOCALITIES][PAGE / 4];

static void remember(void)
{
	for (unsigned i = 0; i < TPM_LOCALITIES * PAGE / 4; i++)
		before[i / (PAGE / 4)][i % (PAGE / 4)] = *tpm_register(0, i * 4);
}

static bool unchanged(void)
{
	unsigned i = 0;

	while (i < TPM_LOCALITIES * PAGE / 4 &&
	    before[i / (PAGE / 4)][i % (PAGE / 4)] == *tpm_register(0, i * 4))
		i++;
	return i == TPM_LOCALITIES * PAGE / 4;
}

/* #GP on a stack of its own, as some leave RSP there. */
static void refused(const char *name, void (*run)(void *), uint64_t target)
{
	struct trap trap;

	trap_set_ist(VECTOR_GP, IST_TEST);
	trap_try(run, (void *)target, &trap);
	trap_set_ist(VECTOR_GP, 0);
	if (!tap(trap.frame.vector == VECTOR_GP && trap.frame.error == 0 && unchanged(),
		"T59 %s at the registers: #GP, and nothing is changed", name))
		tap_note("got %s, error %lx", trap_name((unsigned)trap.frame.vector),
		    trap.frame.error);
}

/* The names begin with another attack's id. */
static void every_other_way(void)
{
	for (unsigned i = MOVS; i < access_count; i++)
		refused(accesses[i].name + sizeof("T11"), accesses[i].run, CONTROL);
}

static void two_prefixes(void *target)
{
	__asm__ volatile(".byte 0x66, 0x66, 0x89, 0x07" : : "D"(target), "a"(1) : "memory");
}

static void repeated(void *target)
{
	__asm__ volatile(".byte 0xf3, 0x89, 0x07" : : "D"(target), "a"(1) : "memory");
}

static void call_far(void *target)
{
	static const struct {
		uint32_t offset;
		uint16_t selector;
	} __attribute__((packed)) where = { 0, 0x08 };

	__asm__ volatile("movq %%rsp, %%rbx; leaq 8(%0), %%rsp; lcall *(%1); movq %%rbx, %%rsp"
			 :
			 : "D"(target), "S"(&where)
			 : "rbx", "rax", "memory");
}

static void seg_store(void *target)
{
	__asm__ volatile("movw %%ds, (%0)" : : "r"(target) : "memory");
}

static void convert_store(void *target)
{
	__asm__ volatile("movbe %%eax, (%0)" : : "r"(target), "a"(1) : "memory");
}

static void do_fetch(void *address)
{
	((void (*)(void))address)();
}

static void do_write(void *address)
{
	*(volatile uint64_t *)address = 0x100000001ull;
}

/* Half of such a store: in the last bytes of the first page, in the first ones of the second. */
static volatile uint32_t *half(uint64_t page, bool last)
{
	static volatile uint32_t nowhere;

	return page == NO_PAGE ? &nowhere : (uint32_t *)(page + (last ? PAGE - 4 : 0));
}

static bool is_memory(uint64_t page)
{
	return page != NO_PAGE && (page < TPM_BASE || page >= TPM_BUFFER);
}

/* Bytes of one store that lie in two pages: whether they are written as `first` and `second`. */
static bool store_across(uint64_t first, uint64_t second, uint32_t low, uint32_t high)
{
	struct trap trap;

	memory_map_page(VA_ACROSS, first, PTE_P | PTE_W);
	memory_map_page(VA_ACROSS + PAGE, second, PTE_P | PTE_W);
	if (is_memory(first))
		*half(first, true) = UNWRITTEN;
	if (is_memory(second))
		*half(second, false) = UNWRITTEN;
	trap_try(do_write, (void *)(VA_ACROSS + PAGE - 4), &trap);
	tap_note("%s, %x and %x", trap_name((unsigned)trap.frame.vector), *half(first, true),
	    *half(second, false));
	return trap.frame.vector == TRAP_NONE && unchanged() &&
	    (!is_memory(first) || *half(first, true) == low) &&
	    (!is_memory(second) || *half(second, false) == high);
}

/* The instruction is passed over as a whole, with the half that is in memory. */
static void across(const char *what, uint64_t first, uint64_t second)
{
	tap(store_across(first, second, UNWRITTEN, UNWRITTEN),
	    "T59 a store %s is passed over: neither half is written", what);
}

static void stores_across(void)
{
	uint64_t memory = (uint64_t)pages_alloc(1), other = (uint64_t)pages_alloc(1);

	tap(store_across(memory, other, 1, 1), "tpm: a store from memory into memory is written");
	across("from one locality's page into the next", TPM_BASE, TPM_BASE + PAGE);
	across("from the last register page into the buffer", TPM_BUFFER - PAGE, TPM_BUFFER);
	across("from memory into the registers", memory, TPM_BASE);
	across("from the buffer into the registers", TPM_BUFFER, TPM_BASE);
	across("from the registers into memory", TPM_BASE, memory);
	across("from the registers into no page", TPM_BASE, NO_PAGE);
}

void tpm_stores(void)
{
	tpm_take();
	memory_map_page(VA_USER, TPM_BASE, PTE_P | PTE_W | PTE_U);
	for (unsigned i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		encode(&encodings[i]);
	tpm_put((const uint8_t *)"", 0);
	remember();
	every_other_way();
	refused("MOV with a prefix twice", two_prefixes, CANCEL);
	refused("MOV with REP", repeated, CANCEL);
	refused("a far CALL's stack", call_far, CONTROL);
	refused("MOV of a segment register", seg_store, CANCEL);
	if (cpuid(1, 0).ecx & 1u << 22)
		refused("MOVBE", convert_store, CANCEL);
	stores_across();
}

/* ---- The window as something else ---- */

static void do_read(void *address)
{
	(void)*(volatile uint64_t *)address;
}

/*
 * A page of registers as the guest's lowest table: the CPU marks entries as used, and that is no
 * instruction's store. `at`: of the entry.
 */
static void as_table(const char *what, unsigned locality, unsigned at)
{
	static uint64_t *upper;
	struct trap trap;

	if (!upper) {
		uint64_t *third = (uint64_t *)(memory_cr3() + 8 * (VA_TABLES >> 39 & 511));

		(void)memory_pte(VA_TABLES);
		third = (uint64_t *)(*third & PTE_ADDRESS) + (VA_TABLES >> 30 & 511);
		upper = (uint64_t *)(*third & PTE_ADDRESS) + (VA_TABLES >> 21 & 511);
	}
	*(volatile uint64_t *)upper = (TPM_BASE + (uint64_t)locality * PAGE) | PTE_P | PTE_W |
	    PTE_A;
	write_cr3(memory_cr3());
	remember();
	trap_try(do_read, (void *)(VA_TABLES + at / 8 * PAGE), &trap);
	tap((trap.frame.vector == VECTOR_GP || trap.frame.vector == VECTOR_PF) && unchanged(),
	    "T59 %s as a page table's entry: a fault, and nothing is changed", what);
	tap_note("%s", trap_name((unsigned)trap.frame.vector));
}

/* An interrupt's frame is pushed there while RIP is at a MOV: no store of that MOV's. */
static void as_stack(void)
{
	uint8_t *tss = cpu_self()->tss;
	uint64_t kept, top = STACK_TOP;
	uint32_t *counter = pages_alloc(1);
	struct trap trap;

	memcpy(&kept, tss + TSS_IST_TEST, sizeof(kept));
	memcpy(tss + TSS_IST_TEST, &top, sizeof(top));
	trap_set_ist(VECTOR_TIMER, IST_TEST);
	timer_in((uint32_t)(SOON * tick_scale()));
	remember();
	trap_try(tpm_store_forever, counter, &trap);
	timer_in(0);
	trap_set_ist(VECTOR_TIMER, 0);
	memcpy(tss + TSS_IST_TEST, &kept, sizeof(kept));
	if (!tap((trap.frame.vector == VECTOR_GP || trap.frame.vector == VECTOR_DF) && unchanged(),
		"T59 an interrupt's stack at the registers: a fault, and nothing is changed"))
		tap_note("got %s, cancel is %x", trap_name((unsigned)trap.frame.vector),
		    tpm_get(0, CTRL_CANCEL));
	apic_eoi();
	timer_use();
	take_interrupts();
	timer_done();
}

/* All of a page's words the same, none or ones: nobody's. */
static bool empty(uint64_t page)
{
	const volatile uint64_t *p = (const volatile uint64_t *)page;
	unsigned i = 0;

	while (i < PAGE / 8 && p[i] == p[0])
		i++;
	return i == PAGE / 8 && (p[0] == 0 || p[0] == ~0ull);
}

void tpm_pages(void)
{
	struct trap trap;

	tpm_take();
	remember();
	for (unsigned i = 0; i < TPM_PAGES; i++) {
		trap_try(do_fetch, (void *)(TPM_BASE + (uint64_t)i * PAGE), &trap);
		tap(trap.frame.vector == VECTOR_GP && unchanged(),
		    "T59 a fetch from page %u of the window: #GP", i);
	}
	tap(empty(TPM_BASE - PAGE) && empty(TPM_BASE + (uint64_t)TPM_PAGES * PAGE),
	    "T57 the pages beside the window show nothing of the partition");
	tpm_set(0, CTRL_CANCEL, PTE_P);
	as_table("a register that is set", 0, CTRL_CANCEL);
	tpm_set(0, CTRL_CANCEL, 0);
	as_table("the interface's id", 0, INTF_ID);
	as_table("ones", TPM_LOCALITIES - 1, 0);
	as_stack();
	tap(tpm_alive(), "T59 the TPM answers afterwards");
}
