/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * _setjmp and __longjmp_chk: libtpms leaves a command with them when it enters failure mode. The
 * check: a jump goes up the stack only.
 */
	.section .text._setjmp, "ax", @progbits
	.globl	_setjmp
	.type	_setjmp, @function
_setjmp:
	movq	(%rsp), %rdx
	leaq	8(%rsp), %rcx
	movq	%rbx, (%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	movq	%rcx, 48(%rdi)
	movq	%rdx, 56(%rdi)
	xorl	%eax, %eax
	ret
	.size	_setjmp, . - _setjmp

	.section .text.__longjmp_chk, "ax", @progbits
	.globl	__longjmp_chk
	.type	__longjmp_chk, @function
__longjmp_chk:
	movq	48(%rdi), %rcx
	cmpq	%rsp, %rcx
	jb	1f
	movl	%esi, %eax
	testl	%eax, %eax
	jnz	2f
	incl	%eax
2:	movq	(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	movq	%rcx, %rsp
	jmpq	*56(%rdi)
1:	ud2
	.size	__longjmp_chk, . - __longjmp_chk

	.section .note.GNU-stack, "", @progbits
