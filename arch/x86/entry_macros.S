/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What both vendors' entry.S are made of: general registers, and the return stack.
 */
#include "arch/x86/layout.h"

#define RETURN_STACK_ENTRIES 32

/* Where this CPU's struct guest_regs is. */
	.set cpu_regs, PERCPU_BASE + PERCPU_DATA * 4096

/*
 * Registers to and from struct guest_regs at `at`: "+ADDRESS" or "(REGISTER)". They have their
 * places in the order given, from `first` on. VOLATILE: what C functions may change, and RBX,
 * without RAX. KEPT: what they keep.
 */
#define VOLATILE 1, rcx, rdx, r8, r9, rbx, rsi, r10, r11, rdi
#define KEPT 10, rbp, r12, r13, r14, r15

.macro save at, first, names:vararg
	.set place, \first
	.irp name, \names
	mov %\name, 8 * place \at
	.set place, place + 1
	.endr
.endm

.macro load at, first, names:vararg
	.set place, \first
	.irp name, \names
	mov 8 * place \at, %\name
	.set place, place + 1
	.endr
.endm

/*
 * Calls that are never returned from: each puts a harmless target on the return stack. RCX is lost.
 */
.macro fill_return_stack
	mov $(RETURN_STACK_ENTRIES / 2), %ecx
1:	call 3f
2:	pause
	lfence
	jmp 2b
3:	call 5f
4:	pause
	lfence
	jmp 4b
5:	dec %ecx
	jnz 1b
	add $(RETURN_STACK_ENTRIES * 8), %rsp
	lfence
.endm
