/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exception and interrupt entries, the landing of trap_try(), and the way into other privilege
 * levels.
 */
#include "guest/lib/desc.h"

	.text

/*
 * Vectors: 16 bytes each. #DF, #TS, #NP, #SS, #GP, #PF, #AC and #CP push an error code.
 */
	.globl	trap_vectors
	.hidden	trap_vectors
	.balign	16
trap_vectors:
	.set	number, 0
	.rept	256
	.balign	16
	.if	number > 31 || !((0x227d00 >> (number & 31)) & 1)
	pushq	$0
	.endif
	pushq	$number
	jmp	common
	.set	number, number + 1
	.endr

common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	trap_entry
	movq	%rbp, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/* uint64_t trap_point_run(struct trap_point *point, void (*fn)(void *), void *arg) */
	.globl	trap_point_run, trap_point_land
	.hidden	trap_point_run, trap_point_land
trap_point_run:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movq	%rsp, (%rdi)
	movq	%rdx, %rdi
	subq	$8, %rsp
	call	*%rsi
	addq	$8, %rsp
trap_point_land:
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/*
 * void mode_iret(const struct mode_entry *entry): RAX RBX RCX RDX RSI RDI RBP R8 R9, DS, then what
 * IRET pops
 */
	.globl	mode_iret
	.hidden	mode_iret
mode_iret:
	movq	72(%rdi), %rax
	movl	%eax, %ds
	movl	%eax, %es
	pushq	112(%rdi)
	pushq	104(%rdi)
	pushq	96(%rdi)
	pushq	88(%rdi)
	pushq	80(%rdi)
	movq	0(%rdi), %rax
	movq	8(%rdi), %rbx
	movq	16(%rdi), %rcx
	movq	24(%rdi), %rdx
	movq	32(%rdi), %rsi
	movq	48(%rdi), %rbp
	movq	56(%rdi), %r8
	movq	64(%rdi), %r9
	movq	40(%rdi), %rdi
	iretq

/* void on_stack(uint64_t top, void (*fn)(void *)): goes on in `fn` on another stack, for good */
	.globl	on_stack
	.hidden	on_stack
on_stack:
	movq	%rdi, %rsp
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	call	*%rsi
	ud2

	.section .note.GNU-stack, "", @progbits
