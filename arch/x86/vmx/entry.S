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
#include "arch/x86/entry_macros.S"

#define REGS_RSP 120 /* of struct guest_regs */

	.text

.macro save_volatile
	mov %rax, cpu_regs
	save +cpu_regs, VOLATILE
.endm

.macro load_volatile
	mov cpu_regs, %rax
	load +cpu_regs, VOLATILE
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
2:	save +cpu_regs, KEPT
	call vmx_exit
	load +cpu_regs, KEPT
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
	save +cpu_regs, KEPT
	call vmx_exit
	load +cpu_regs, KEPT
1:	call mitigate_enter
	load_volatile
	vmresume
	call vmx_resume_failed

/* uint32_t vmx_enter_first(void) */
	.globl vmx_enter_first
	.hidden vmx_enter_first
vmx_enter_first:
	load_volatile
	load +cpu_regs, KEPT
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
	mov (%rsp), %rax
	load (%rsp), VOLATILE
	load (%rsp), KEPT
	vmlaunch
	mov REGS_RSP(%rsp), %rsp
	call vmx_resume_failed

	.balign 64
	.globl vmx_vp_exit_entry
	.hidden vmx_vp_exit_entry
vmx_vp_exit_entry:
	mov %rax, (%rsp)
	save (%rsp), VOLATILE
	save (%rsp), KEPT
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
