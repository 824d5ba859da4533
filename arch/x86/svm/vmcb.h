/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtual machine control block. APM 2 appendix B, tables B-1 and B-2. Every field stands where
 * it is aligned by itself; vmcb.def closes the format.
 */
#ifndef ARCH_X86_SVM_VMCB_H
#define ARCH_X86_SVM_VMCB_H

#include <stddef.h>
#include <stdint.h>

/* Attributes: bits 47:40 and 55:52 of a descriptor. APM 2 15.5.1. */
struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	/* Control area. */
	uint16_t cr_reads, cr_writes;
	uint16_t dr_reads, dr_writes;
	uint32_t exceptions;
	uint32_t intercepts;	  /* INTERCEPT_ */
	uint32_t intercepts_more; /* MORE_ */
	uint32_t intercepts_last;
	uint8_t reserved_018[0x24];
	uint16_t pause_threshold, pause_count;
	uint64_t io_map, msr_map;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved_05d[3];
	uint64_t interrupt_control;
	uint64_t interrupt_state;
	uint64_t exit_code, exit_info1, exit_info2;
	uint64_t exit_event; /* whose delivery the exit interrupted; error code in the upper half */
	uint64_t nested_control;
	uint64_t reserved_098[2];
	uint64_t event; /* to inject */
	uint64_t nested_cr3;
	uint64_t virtual_control;
	uint32_t clean, reserved_0c4;
	uint64_t next_rip;
	uint8_t fetched, code[15];
	uint8_t reserved_0e0[0x320];
	/* State save area. */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x2b];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x70];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x58];
	uint64_t rsp;
	uint64_t s_cet, ssp, interrupt_ssp;
	uint64_t rax;
	uint64_t star, lstar, cstar, fmask, kernel_gs, sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_648[0x20];
	uint64_t pat, debugctl;
	uint8_t reserved_678[0x988];
};

#define VMCB_NAMED(field, offset)                                                                  \
	_Static_assert(offsetof(struct vmcb, field) == (offset), #field " is where the CPU has it");
#define VMCB VMCB_NAMED
#include "arch/x86/svm/vmcb.def"
#undef VMCB
_Static_assert(sizeof(struct vmcb) == 4096, "a VMCB is one frame");

#endif
