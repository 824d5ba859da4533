/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Descriptor tables of root mode and what happens on an exception there. SDM 3A 6.
 */
#include "arch/x86/trap.h"

#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/percpu.h"

#define VECTORS	       32u
#define VECTOR_DF      8u
#define VECTOR_SX      30u
#define SX_INIT	       1u
#define GATE_INTERRUPT (0x8eull << 40)
#define GATE_STACK     (1ull << 32) /* number of an IST entry, from here on */
#define GDT_CODE64     0x00af9b000000ffffull
#define GDT_DATA       0x00cf93000000ffffull
#define TSS_AVAILABLE  0x89ull

/*
 * Where an instruction that may fault stands, and where to go on; both relative to their own field.
 */
struct extable_entry {
	int32_t instruction;
	int32_t fixup;
};

extern const char trap_entries[VECTORS][16];
extern const struct extable_entry extable_start[], extable_end[];

uint64_t trap_idt[VECTORS][2] __attribute__((aligned(16)));

/* The table entry of the instruction at label 1: if it faults, it goes on at `faulted`. */
#define ELSE_FAULTED                                                                               \
	"\n\t.pushsection .extable, \"a\"\n\t.long 1b - ., %l[faulted] - .\n\t.popsection"

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	uint32_t low, high;

	*value = 0;
	__asm__ goto("1:\trdmsr" ELSE_FAULTED : "=a"(low), "=d"(high) : "c"(msr) : : faulted);
	*value = (uint64_t)high << 32 | low;
	return true;
faulted:
	return false;
}

#define WRITE_SAFE(name, instruction)                                                              \
	bool name(uint32_t index, uint64_t value)                                                  \
	{                                                                                          \
		__asm__ goto("1:\t" instruction ELSE_FAULTED                                       \
			     :                                                                     \
			     : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))      \
			     : "memory"                                                            \
			     : faulted);                                                           \
		return true;                                                                       \
	faulted:                                                                                   \
		return false;                                                                      \
	}
WRITE_SAFE(wrmsr_safe, "wrmsr")
WRITE_SAFE(xsetbv_safe, "xsetbv")
#undef WRITE_SAFE

void trap_init(void)
{
	for (unsigned i = 0; i < VECTORS; i++) {
		uint64_t entry = (uint64_t)trap_entries[i];

		trap_idt[i][0] = (entry & 0xffff) | SEL_CODE << 16 | GATE_INTERRUPT |
		    (entry >> 16 & 0xffff) << 48;
		trap_idt[i][1] = entry >> 32;
	}
}

static void fill_gdt(struct percpu *cpu)
{
	uint64_t base = (uint64_t)&cpu->tss;

	cpu->gdt[0] = 0;
	cpu->gdt[SEL_CODE / 8] = GDT_CODE64;
	cpu->gdt[SEL_DATA / 8] = GDT_DATA;
	cpu->gdt[SEL_TSS / 8] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 |
	    TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = base >> 32;
	cpu->tss.io_map = sizeof(struct tss);
	cpu->tss.rsp[0] = PERCPU_STACK_TOP;
	for (unsigned ist = IST_NMI; ist <= IST_MC; ist++)
		cpu->tss.ist[ist - 1] = (uint64_t)PERCPU_VA(PERCPU_IST(ist) + PERCPU_IST_PAGES);
}

void trap_load(bool task)
{
	struct percpu *cpu = this_cpu();
	struct descriptor_pointer gdtr = { sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt };
	struct descriptor_pointer idtr = { sizeof(trap_idt) - 1, (uint64_t)trap_idt };

	fill_gdt(cpu);
	/* The IDT last: its gates use stacks that only the task register leads to. */
	__asm__ volatile("lgdt %0" : : "m"(gdtr) : "memory");
	start_load_segments(SEL_CODE, SEL_DATA);
	if (task) {
		__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
		trap_idt[VECTOR_NMI][0] |= IST_NMI * GATE_STACK;
		trap_idt[VECTOR_DF][0] |= IST_DF * GATE_STACK;
		trap_idt[VECTOR_MC][0] |= IST_MC * GATE_STACK;
	}
	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}

static bool fix_up(struct trap_frame *frame)
{
	for (const struct extable_entry *e = extable_start; e < extable_end; e++) {
		if ((uint64_t)&e->instruction + (uint64_t)(int64_t)e->instruction != frame->rip)
			continue;
		frame->rip = (uint64_t)&e->fixup + (uint64_t)(int64_t)e->fixup;
		return true;
	}
	return false;
}

void trap_handler(struct trap_frame *frame)
{
	if (frame->vector == VECTOR_NMI) {
		if (sync_nmi(this_cpu()->sync))
			vendor_nmi_pending();
		return;
	}
	if (frame->vector == VECTOR_GP && fix_up(frame))
		return;
	/*
	 * A breakpoint of the guest's, which CPUs disable at an exit and QEMU's SVM does not. DR7
	 * shows nothing of it there, so the instruction is told to go on.
	 */
	if (frame->vector == VECTOR_DB) {
		frame->rflags |= RFLAGS_RF;
		return;
	}
	/* INIT, where VM_CR.R_INIT makes this of it (SVM). */
	if (frame->vector == VECTOR_SX && frame->error == SX_INIT) {
		atomic_store(&this_cpu()->init_arrived, 1);
		return;
	}
	/* Nothing is logged before: the exception may have hit the log itself. */
	panic("exception %lu in root mode, error %lx, image + %lx, rsp %lx, cr2 %lx", frame->vector,
	    frame->error, frame->rip - (uint64_t)image_start, frame->rsp, read_cr2());
}
