/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The virtual machine control block: vmcb.def as a structure. APM 2 appendix B.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "arch/addr.h"

/* Attributes: bits 47:40 and 55:52 of a descriptor. APM 2 15.5.1. */
struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

/*
 * Each field behind as many bytes as its offset says. Some of what they mean:
 *   intercepts       and intercepts_more: INTERCEPT()
 *   interrupt_state  SHADOW
 *   exit_event       whose delivery the exit interrupted; error code in the upper half
 *   event            to inject; in the same form
 *   code             what the CPU has fetched, `fetched` bytes of it
 */
struct vmcb {
	union {
#define VMCB(type, field, offset)                                                                  \
	struct {                                                                                   \
		uint8_t before_##field[offset];                                                    \
		type field;                                                                        \
	};
#define VMCB_SEGMENT(field, offset) VMCB(struct vmcb_segment, field, offset)
#include "arch/x86/svm/vmcb.def"
#undef VMCB
		struct {
			uint8_t before_code[0x0d1], code[15];
		};
		uint8_t frame[FRAME_SIZE];
	};
};

#define VMCB(type, field, offset)                                                                  \
	_Static_assert(offsetof(struct vmcb, field) == (offset), #field " is where the CPU has it");
#include "arch/x86/svm/vmcb.def"
#undef VMCB
#undef VMCB_SEGMENT
_Static_assert(sizeof(struct vmcb) == FRAME_SIZE, "a VMCB is one frame");
