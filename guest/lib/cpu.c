/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Descriptor tables and the list of CPUs.
 */
#include "guest/lib/desc.h"
#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/lib/trap.h"
#include "guest/lib/x86.h"

#define GATES	     256u
#define VECTOR_BYTES 16u
#define TSS_BYTES    104u
#define TSS_RSP0     4
#define TSS_IST1     36
#define IST_DF	     1u
#define IST_NMI	     2u
#define IST_MC	     3u
#define IST_TEST     4u
#define STACK_PAGES  4u

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

extern const char trap_vectors[];

static struct cpu *cpus;
static unsigned total;
static uint64_t *gdt;
static struct gate *idt;

struct cpu *cpu_self(void)
{
	uint16_t tr;

	__asm__ volatile("str %0" : "=r"(tr));
	return &cpus[(tr - SEL_TSS_FIRST) / 16];
}

struct cpu *cpu_at(unsigned index)
{
	return &cpus[index];
}

unsigned cpu_total(void)
{
	return total;
}

uint64_t *gdt_entry(unsigned selector)
{
	return &gdt[selector >> 3];
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint64_t stack_new(void)
{
	return (uint64_t)pages_alloc(STACK_PAGES) + STACK_PAGES * 4096;
}

static void tss_init(struct cpu *cpu)
{
	uint64_t base = (uint64_t)cpu->tss;
	uint64_t *entry = gdt_entry(SEL_TSS_FIRST + 16 * cpu->index);

	put64(cpu->tss + TSS_RSP0, stack_new());
	for (unsigned ist = IST_DF; ist <= IST_TEST; ist++)
		put64(cpu->tss + TSS_IST1 + 8 * (ist - 1), stack_new());
	cpu->tss[102] = TSS_BYTES; /* no I/O permission bitmap */
	entry[0] = (TSS_BYTES - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
	    (base >> 24 & 0xff) << 56;
	entry[1] = base >> 32;
}

static void gdt_init(void)
{
	static const uint64_t flat[] = {
		[SEL_CODE64 >> 3] = 0x00af9b000000ffff,
		[SEL_DATA >> 3] = 0x00cf93000000ffff,
		[SEL_CODE32 >> 3] = 0x00cf9b000000ffff,
		[SEL_CODE16 >> 3] = 0x008f9b000000ffff,
		[SEL_CODE64_USER >> 3] = 0x00affb000000ffff,
		[SEL_DATA_USER >> 3] = 0x00cff3000000ffff,
		[SEL_CODE32_USER >> 3] = 0x00cffb000000ffff,
		[SEL_CODE16_USER >> 3] = 0x008ffb000000ffff,
	};

	for (unsigned i = 0; i < sizeof(flat) / sizeof(flat[0]); i++)
		gdt[i] = flat[i];
}

static void idt_init(void)
{
	for (unsigned i = 0; i < GATES; i++) {
		uint64_t offset = (uint64_t)trap_vectors + i * VECTOR_BYTES;

		idt[i] = (struct gate){
			.offset_low = (uint16_t)offset,
			.selector = SEL_CODE64,
			.type = 0x8e,
			.offset_middle = (uint16_t)(offset >> 16),
			.offset_high = (uint32_t)(offset >> 32),
		};
	}
	trap_set_ist(VECTOR_DF, IST_DF);
	trap_set_ist(VECTOR_NMI, IST_NMI);
	trap_set_ist(VECTOR_MC, IST_MC);
	trap_set_dpl(LOW_END_VECTOR, 3);
}

void trap_set_ist(unsigned vector, unsigned ist)
{
	idt[vector].ist = (uint8_t)ist;
}

void trap_set_dpl(unsigned vector, unsigned dpl)
{
	idt[vector].type = (uint8_t)(0x8e | dpl << 5);
}

void cpu_tables_init(unsigned count)
{
	total = count;
	cpus = pages_alloc((count * sizeof(struct cpu) + 4095) / 4096);
	gdt = pages_alloc((SEL_TSS_FIRST + 16 * count + 4095) / 4096);
	idt = pages_alloc(1);
	gdt_init();
	idt_init();
	for (unsigned i = 0; i < count; i++) {
		cpus[i].index = i;
		cpus[i].tss = pages_alloc(1);
		cpus[i].stack_top = stack_new();
		tss_init(&cpus[i]);
	}
}

void cpu_tables_load(struct cpu *cpu)
{
	struct table_register g = { (uint16_t)(SEL_TSS_FIRST + 16 * total - 1), (uint64_t)gdt };
	struct table_register i = { GATES * sizeof(struct gate) - 1, (uint64_t)idt };
	uint16_t tr = (uint16_t)(SEL_TSS_FIRST + 16 * cpu->index);

	gdt_entry(tr)[0] &= ~(2ull << 40); /* not busy: a CPU may come here again after INIT */
	__asm__ volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i));
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs"
			 :
			 : "r"(SEL_DATA));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
			 :
			 : "i"(SEL_CODE64)
			 : "rax", "memory");
	__asm__ volatile("ltr %0" : : "r"(tr));
}
