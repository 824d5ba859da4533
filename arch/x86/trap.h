/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exceptions in root mode. Three kinds are expected: #GP of an instruction that has an entry in the
 * exception table (rdmsr_safe() and its like), NMI, and machine check. Every other one is a broken
 * monitor.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* MSR and XCR0 access that may fault: false if it did. `*value` is 0 then. */
bool rdmsr_safe(uint32_t msr, uint64_t *value);
bool wrmsr_safe(uint32_t msr, uint64_t value);
bool xsetbv_safe(uint32_t index, uint64_t value);

/* Fills the interrupt descriptor table. */
void trap_init(void);

/*
 * Loads the monitor's descriptor tables on this CPU; with `task` the task register too, and from
 * then on NMIs, double faults and machine checks have stacks of their own.
 */
void trap_load(bool task);
extern uint64_t trap_idt[][2]; /* gates */

/* From trap_entry.S. */
void trap_handler(struct trap_frame *frame);

/*
 * Vendor: root mode took an NMI for the guest; it must learn of it at the next entry, however
 * close.
 */
void vendor_nmi_pending(void);
