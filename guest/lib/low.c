/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The low area, and the modes that need it.
 */
#include "guest/lib/low.h"

#include "guest/lib/desc.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"

#define GATE32_INTERRUPT  0x8e
#define GATE32_DPL3	  0x60
#define TSS32_BYTES	  104u
#define TSS32_AVAILABLE	  0x89ull
#define VECTORS_WITH_STUB 32u
#define STUB_BYTES	  16u
#define RESULT_VECTOR	  8
#define RESULT_ERROR	  9
#define RESULT_EIP	  10
#define RESULT_CS	  11
#define RESULT_EFLAGS	  12
#define PDE_4M		  (PTE_P | PTE_W | PTE_PS)

extern const char low_start[], low_end[], low_ap32[], low_ap64[], low_enter[];
extern const char low_protected16[], low_real[], low_back32[], low_vectors32[], low_vectors16[];

struct low_data *low_data(void)
{
	return (struct low_data *)(low_area() + LOW_DATA);
}

static uint32_t low_base(void)
{
	return (uint32_t)(uint64_t)low_area();
}

static uint32_t offset_of(const char *label)
{
	return (uint32_t)(label - low_start);
}

static void gdt_segment(unsigned selector, uint32_t base, uint32_t limit, uint64_t type)
{
	*gdt_entry(selector) = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | type << 40 |
	    (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)(base >> 24) << 56;
}

static void far_pointers(struct low_data *d)
{
	uint32_t base = low_base();

	d->ap32 = (struct far32){ base + offset_of(low_ap32), SEL_CODE32 };
	d->ap64 = (struct far32){ base + offset_of(low_ap64), SEL_CODE64 };
	d->protected16 = (struct far32){ offset_of(low_protected16), SEL_CODE16_LOW };
	d->back32 = (struct far32){ base + offset_of(low_back32), SEL_CODE32 };
	d->real = (struct far16){ (uint16_t)offset_of(low_real), (uint16_t)(base >> 4) };
	d->snippet = (struct far16){ LOW_CODE, (uint16_t)(base >> 4) };
}

/* The first 4 GiB mapped to themselves, for PAE and for 32-bit paging. */
static void legacy_tables(void)
{
	uint64_t *pdpt = (uint64_t *)(low_area() + LOW_PDPT);
	uint32_t *pd32 = (uint32_t *)(low_area() + LOW_PD32);

	for (unsigned i = 0; i < 4; i++) {
		uint64_t *table = pages_alloc(1);

		for (unsigned j = 0; j < 512; j++)
			table[j] = ((uint64_t)i << 30 | (uint64_t)j << 21) | PDE_4M;
		pdpt[i] = (uint64_t)table | PTE_P;
	}
	for (unsigned i = 0; i < 1024; i++)
		pd32[i] = i << 22 | (uint32_t)PDE_4M;
}

static void tss32_init(void)
{
	uint32_t *tss = (uint32_t *)(low_area() + LOW_TSS32);

	memset(tss, 0, TSS32_BYTES);
	tss[1] = low_base() + LOW_STACK_TOP;
	tss[2] = SEL_DATA;
	((uint16_t *)tss)[51] = TSS32_BYTES;
}

void low_init(void)
{
	struct low_data *d = low_data();
	uint32_t base = low_base();

	if (low_end - low_start > LOW_BLOB_MAX)
		bail("low_entry.S has grown over its room");
	memcpy(low_area(), low_start, (size_t)(low_end - low_start));
	far_pointers(d);
	d->cr0 = read_cr0();
	d->cr3 = memory_cr3();
	d->cr4 = read_cr4();
	d->efer = rdmsr(MSR_EFER) & ~EFER_LMA;
	__asm__ volatile("sgdt %0" : "=m"(d->gdtr));
	gdt_segment(SEL_CODE16_LOW, base, 0xffff, 0x9b);
	gdt_segment(SEL_DATA16_LOW, base, 0xffff, 0x93);
	legacy_tables();
	tss32_init();
}

void legacy_gate(unsigned vector, uint16_t selector, uint32_t offset, uint8_t type)
{
	uint32_t *gate = (uint32_t *)(low_area() + LOW_IDT) + 2 * vector;

	gate[0] = (uint32_t)selector << 16 | (offset & 0xffff);
	gate[1] = (offset & 0xffff0000) | (uint32_t)type << 8;
}

static uint32_t stub_of(const char *first, unsigned vector)
{
	unsigned index = vector == LOW_END_VECTOR ? VECTORS_WITH_STUB : vector;

	return offset_of(first) + index * STUB_BYTES;
}

static void legacy_vector(unsigned vector)
{
	uint16_t *ivt = (uint16_t *)(low_area() + LOW_IVT) + 2 * vector;

	legacy_gate(vector, SEL_CODE32, low_base() + stub_of(low_vectors32, vector),
	    GATE32_INTERRUPT | (vector == LOW_END_VECTOR ? GATE32_DPL3 : 0));
	ivt[0] = (uint16_t)stub_of(low_vectors16, vector);
	ivt[1] = (uint16_t)(low_base() >> 4);
}

static void legacy_regs(struct low_data *d, const struct snippet *s)
{
	d->regs[0] = (uint32_t)s->rdi;
	d->regs[1] = (uint32_t)s->rsi;
	d->regs[4] = (uint32_t)s->rbx;
	d->regs[5] = (uint32_t)s->rdx;
	d->regs[6] = (uint32_t)s->rcx;
	d->regs[7] = (uint32_t)s->rax;
}

/* Paging, by mode. MODE_REAL and the protected ones run without. */
static void legacy_paging(struct low_data *d, enum mode mode)
{
	d->mode_cr0 = (uint32_t)(read_cr0() & ~CR0_PG);
	d->mode_cr3 = (uint32_t)d->cr3;
	d->mode_cr4 = (uint32_t)d->cr4;
	if (mode == MODE_PAE32) {
		d->mode_cr0 |= (uint32_t)CR0_PG;
		d->mode_cr3 = low_base() + LOW_PDPT;
	} else if (mode == MODE_PAGED32) {
		d->mode_cr0 |= (uint32_t)CR0_PG;
		d->mode_cr3 = low_base() + LOW_PD32;
		d->mode_cr4 = (uint32_t)((d->cr4 & ~CR4_PAE) | CR4_PSE);
	}
}

void legacy_prepare(enum mode mode, const struct snippet *snippet, struct legacy *legacy)
{
	static const uint32_t code[MODE_COUNT] = {
		[MODE_PROTECTED32] = SEL_CODE32,
		[MODE_PROTECTED16] = SEL_CODE16,
		[MODE_PAE32] = SEL_CODE32,
		[MODE_PAGED32] = SEL_CODE32,
		[MODE_PROTECTED_USER32] = SEL_CODE32_USER,
	};
	struct low_data *d = low_data();

	for (unsigned i = 0; i < VECTORS_WITH_STUB; i++)
		legacy_vector(i);
	legacy_vector(LOW_END_VECTOR);
	gdt_segment(SEL_TSS32, low_base() + LOW_TSS32, TSS32_BYTES - 1, TSS32_AVAILABLE);
	legacy_regs(d, snippet);
	legacy_paging(d, mode);
	*legacy = (struct legacy){ .mode = mode,
		.cs = code[mode],
		.eflags = RFLAGS_FIXED,
		.ds = SEL_DATA };
	if (mode == MODE_V86) {
		legacy->cs = low_base() >> 4;
		legacy->eflags = (uint32_t)(RFLAGS_FIXED | RFLAGS_VM | RFLAGS_IOPL3);
	} else if (mode == MODE_PROTECTED_USER32) {
		legacy->ds = SEL_DATA_USER;
	}
}

/* What IRET pops, at the top of the legacy stack: EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS. */
static void legacy_frame(const struct legacy *l)
{
	uint32_t *frame = (uint32_t *)(low_area() + LOW_STACK_TOP);
	bool v86 = l->mode == MODE_V86;

	frame[0] = v86 ? LOW_CODE : low_base() + LOW_CODE;
	frame[1] = l->cs;
	frame[2] = l->eflags;
	frame[3] = v86 ? LOW_STACK_USER_TOP : low_base() + LOW_STACK_USER_TOP;
	frame[4] = v86 ? l->cs : SEL_DATA_USER;
	for (unsigned i = 5; i < 9; i++)
		frame[i] = v86 ? l->cs : SEL_DATA_USER;
}

static void legacy_result(struct trap *trap)
{
	const uint32_t *r = (const uint32_t *)(low_area() + LOW_RESULT);

	*trap = (struct trap){
		.frame = { .rdi = r[0],
		    .rsi = r[1],
		    .rbp = r[2],
		    .rbx = r[4],
		    .rdx = r[5],
		    .rcx = r[6],
		    .rax = r[7],
		    .vector = r[RESULT_VECTOR],
		    .error = r[RESULT_ERROR],
		    .rip = r[RESULT_EIP],
		    .cs = r[RESULT_CS],
		    .rflags = r[RESULT_EFLAGS] },
		.cr2 = low_data()->result_cr2,
	};
	if (trap->frame.vector == LOW_END_VECTOR)
		trap->frame.vector = TRAP_NONE;
}

unsigned legacy_run(const struct legacy *legacy, struct trap *trap)
{
	struct low_data *d = low_data();
	struct trap mine = { 0 };
	void (*enter)(void *area) = (void (*)(void *))(low_area() + offset_of(low_enter));

	d->mode_real = legacy->mode == MODE_REAL;
	d->mode_ds = legacy->ds;
	d->mode_idt_base = low_base() + (d->mode_real ? LOW_IVT : LOW_IDT);
	d->mode_idt_limit = d->mode_real ? 0x3ff : 0x7ff;
	legacy_frame(legacy);
	memset(d->result, 0, sizeof(d->result));
	enter(low_area());
	trap = trap ? trap : &mine;
	legacy_result(trap);
	return (unsigned)trap->frame.vector;
}
