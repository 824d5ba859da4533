/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Hardware task switches and triple faults (T27). A task switch exits always; the monitor refuses
 * it with #GP at the instruction. In 64-bit mode the CPU itself knows none.
 */
#include "guest/suite/suite.h"

#include "guest/lib/desc.h"
#include "guest/lib/low.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define TSS32_AVAILABLE 0x89ull
#define TSS32_BUSY	0x8bull
#define TASK_GATE	0x85
#define TASK_VECTOR	0x50
#define TSS_CR3		7
#define TSS_EIP		8
#define TSS_EFLAGS	9
#define TSS_ESP		14
#define TSS_SELECTORS	18 /* ES, CS, SS, DS, FS, GS */

static uint32_t *tss_at(unsigned offset)
{
	return (uint32_t *)(low_area() + offset);
}

static void tss_descriptor(unsigned selector, unsigned offset, uint64_t type)
{
	uint64_t base = (uint64_t)low_area() + offset;

	*gdt_entry(selector) = 0x67 | (base & 0xffffff) << 16 | type << 40 | (base >> 24) << 56;
}

/* A task that would run the snippet's last bytes: INT LOW_END_VECTOR, seen as TRAP_NONE. */
static void other_task(uint32_t eip)
{
	uint32_t *tss = tss_at(LOW_TSS32_OTHER);

	memset(tss, 0, 104);
	tss[TSS_CR3] = (uint32_t)memory_cr3();
	tss[TSS_EIP] = eip;
	tss[TSS_EFLAGS] = (uint32_t)RFLAGS_FIXED;
	tss[TSS_ESP] = (uint32_t)(uint64_t)low_area() + LOW_STACK_USER_TOP;
	for (unsigned i = 0; i < 6; i++)
		tss[TSS_SELECTORS + i] = i == 1 ? SEL_CODE32 : SEL_DATA;
	tss_descriptor(SEL_TSS32_OTHER, LOW_TSS32_OTHER, TSS32_AVAILABLE);
}

static void refused(const char *what, const char *bytes, unsigned length, unsigned at, bool busy)
{
	struct snippet s = { .code = bytes, .bytes = length };
	uint32_t base = (uint32_t)(uint64_t)low_area() + LOW_CODE;
	struct legacy legacy;
	struct trap t;

	mode_run(MODE_PROTECTED32, &(struct snippet){ CODE("\x90") }, NULL);
	memcpy(low_area() + LOW_CODE, bytes, length);
	memcpy(low_area() + LOW_CODE + length, "\xcd\x41", 2);
	legacy_prepare(MODE_PROTECTED32, &s, &legacy);
	other_task(base + length);
	if (busy)
		tss_descriptor(SEL_TSS32_OTHER, LOW_TSS32_OTHER, TSS32_BUSY);
	tss_at(LOW_TSS32)[0] = SEL_TSS32_OTHER;
	*gdt_entry(SEL_TASK_GATE) = (uint64_t)SEL_TSS32_OTHER << 16 | (uint64_t)TASK_GATE << 40;
	legacy_gate(TASK_VECTOR, SEL_TSS32_OTHER, 0, TASK_GATE);
	legacy_run(&legacy, &t);
	tss_at(LOW_TSS32)[0] = 0;
	if (!tap(t.frame.vector == VECTOR_GP && t.frame.rip == base + at, "T27 %s: #GP at it",
		what))
		tap_note("vector %lx, error %lx, at %lx", t.frame.vector, t.frame.error,
		    t.frame.rip - base);
}

void suite_task(void)
{
	static const struct snippet far_jump = { CODE("\xff\x2e"), 0 };
	static const struct {
		uint32_t offset;
		uint16_t selector;
	} __attribute__((packed)) target = { 0, SEL_TSS32_OTHER };
	struct snippet s = far_jump;

	s.rsi = (uint64_t)&target;
	refused("task switch by a far JMP", "\xea\0\0\0\0\x60\0", 7, 0, false);
	refused("task switch by a far CALL", "\x9a\0\0\0\0\x60\0", 7, 0, false);
	refused("task switch by a JMP through a task gate", "\xea\0\0\0\0\x68\0", 7, 0, false);
	refused("task switch by INT through a task gate", "\xcd\x50", 2, 0, false);
	/* PUSHF; OR dword [ESP], NT; POPF; IRET */
	refused("task switch by IRET", "\x9c\x81\x0c\x24\0\x40\0\0\x9d\xcf", 10, 9, true);
	other_task(0);
	mode_expect("task: a far JMP to a TSS", MODE_KERNEL64, &s, VECTOR_GP, SEL_TSS32_OTHER);
}

/* The last thing a run does: the driver sees the machine start over. */
void suite_triple(void)
{
	struct table_register nothing = { 0, 0 };

	tap(true, "triple: about to fault three times");
	tap_end();
	__asm__ volatile("lidt %0; int3" : : "m"(nothing));
	bail("still here after a triple fault");
}
