/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The low area as C sees it: low_entry.S and its data.
 */
#ifndef GUEST_LIB_LOW_H
#define GUEST_LIB_LOW_H

#include <stddef.h>
#include <stdint.h>

#include "guest/lib/low_layout.h"
#include "guest/lib/x86.h"

struct far32 {
	uint32_t offset;
	uint32_t selector;
};

struct far16 {
	uint16_t offset;
	uint16_t segment;
};

struct low_data {
	struct table_register gdtr;
	uint8_t pad0[6];
	struct table_register idtr;
	uint8_t pad1[6];
	uint64_t tr;
	uint64_t cr0, cr3, cr4, efer; /* of 64-bit mode */
	uint64_t rsp;
	uint64_t ap_entry, ap_stack, ap_arg;
	struct far32 ap32, ap64, protected16, back32;
	struct far16 real, snippet;
	uint32_t mode_real, mode_cr0, mode_cr3, mode_cr4;
	uint16_t mode_idt_limit;
	uint32_t mode_idt_base;
	uint16_t pad2;
	uint32_t mode_ds;
	uint8_t pad3[20];
	uint32_t regs[8];    /* EDI, ESI, EBP, unused, EBX, EDX, ECX, EAX */
	uint32_t result[16]; /* those, then vector, error, EIP, CS, EFLAGS */
	uint32_t result_cr2;
} __attribute__((packed));

#define LOW_OFFSET(field) (LOW_DATA + offsetof(struct low_data, field))
_Static_assert(LOW_OFFSET(idtr) == LOW_IDTR64, "layout");
_Static_assert(LOW_OFFSET(tr) == LOW_TR, "layout");
_Static_assert(LOW_OFFSET(rsp) == LOW_RSP, "layout");
_Static_assert(LOW_OFFSET(ap_arg) == LOW_AP_ARG, "layout");
_Static_assert(LOW_OFFSET(back32) == LOW_FAR_BACK32, "layout");
_Static_assert(LOW_OFFSET(snippet) == LOW_FAR_SNIPPET, "layout");
_Static_assert(LOW_OFFSET(mode_real) == LOW_MODE_REAL, "layout");
_Static_assert(LOW_OFFSET(mode_idt_limit) == LOW_MODE_IDTR, "layout");
_Static_assert(LOW_OFFSET(mode_ds) == LOW_MODE_DS, "layout");
_Static_assert(LOW_OFFSET(regs) == LOW_REGS, "layout");
_Static_assert(LOW_OFFSET(result) == LOW_RESULT, "layout");
_Static_assert(LOW_OFFSET(result_cr2) == LOW_RESULT_CR2, "layout");

/*
 * Copies the code and fills what does not change: 64-bit mode as it is now, and the GDT's segments
 * of the area.
 */
void low_init(void);

struct low_data *low_data(void);

#endif
