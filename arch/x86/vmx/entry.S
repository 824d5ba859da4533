/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The way out of the guest and back in. General registers are saved at the start of the CPU's
 * private data (struct guest_regs), which an absolute 32-bit displacement reaches. Root mode uses
 * no others. The frequent exits are handled by vmx_exit_fast(), which needs the volatile ones only.
 *
 * There are two such ways; launch.c puts one of them into the VMCS: a CPU that is affected by side
 * channels (mitigate.h) fills its return stack before the first RET and clears buffers before it
 * enters.
 *
 * A VP of a partition is entered by vmx_vp_enter() and its exits go on behind it. Its registers
 * are in a struct guest_regs that HOST_RSP leads to; root mode's stack pointer waits there.
 */
#include "arch/x86/layout.h"

#define REGS (PERCPU_BASE + PERCPU_DATA * 4096)
#define REGS_RSP 120 /* of struct guest_regs */
#define RETURN_STACK_ENTRIES 32

	.text
	.set cpu_regs, REGS

/* Registers to and from their places, which are numbered as in struct guest_regs. */
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

/* What C functions may change, and RBX, which CPUID answers in. */
.macro save_volatile
	save +cpu_regs, 0, rax, rcx, rdx, r8, r9, rbx
	save +cpu_regs, 7, rsi, rdi, r10, r11
.endm

.macro load_volatile
	load +cpu_regs, 0, rax, rcx, rdx, r8, r9, rbx
	load +cpu_regs, 7, rsi, rdi, r10, r11
.endm

/* What C functions keep. */
.macro save_kept
	save +cpu_regs, 6, rbp
	save +cpu_regs, 11, r12, r13, r14, r15
.endm

.macro load_kept
	load +cpu_regs, 6, rbp
	load +cpu_regs, 11, r12, r13, r14, r15
.endm

/* Calls that are never returned from: each puts a harmless target on the return stack. */
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

	.balign 64
	.globl vmx_exit_entry
	.hidden vmx_exit_entry
vmx_exit_entry:
	save_volatile
	call vmx_exit_fast
	test %al, %al
	jz 2f
1:	load_volatile
	vmresume
	call vmx_resume_failed
2:	save_kept
	call vmx_exit
	load_kept
	jmp 1b

	.balign 64
	.globl vmx_exit_entry_mitigated
	.hidden vmx_exit_entry_mitigated
vmx_exit_entry_mitigated:
	save_volatile
	fill_return_stack
	call vmx_exit_fast
	test %al, %al
	jnz 1f
	save_kept
	call vmx_exit
	load_kept
1:	call mitigate_enter
	load_volatile
	vmresume
	call vmx_resume_failed

/* uint32_t vmx_enter_first(void) */
	.globl vmx_enter_first
	.hidden vmx_enter_first
vmx_enter_first:
	load_volatile
	load_kept
	vmlaunch
	mov $1, %eax
	jc 1f
	mov $2, %eax
1:	ret

/* void vmx_vp_enter(struct guest_regs *regs, uint32_t fill_returns) */
	.globl vmx_vp_enter
	.hidden vmx_vp_enter
vmx_vp_enter:
	.irp name, rbx, rbp, r12, r13, r14, r15, rsi, rdi
	push %\name
	.endr
	call mitigate_enter
	pop %rdi
	mov %rsp, REGS_RSP(%rdi)
	mov %rdi, %rsp
	load (%rsp), 0, rax, rcx, rdx, r8, r9, rbx, rbp, rsi, rdi, r10, r11, r12, r13, r14, r15
	vmlaunch
	mov REGS_RSP(%rsp), %rsp
	call vmx_resume_failed

	.balign 64
	.globl vmx_vp_exit_entry
	.hidden vmx_vp_exit_entry
vmx_vp_exit_entry:
	save (%rsp), 0, rax, rcx, rdx, r8, r9, rbx, rbp, rsi, rdi, r10, r11, r12, r13, r14, r15
	mov REGS_RSP(%rsp), %rsp
	pop %rax
	test %eax, %eax
	jz 9f
	fill_return_stack
9:	.irp name, r15, r14, r13, r12, rbp, rbx
	pop %\name
	.endr
	ret

	.section .note.GNU-stack, "", @progbits
