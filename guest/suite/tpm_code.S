/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Stores that C cannot be told to make (tpm.h).
 */
	.section .note.GNU-stack, "", @progbits
	.text

	.set FLAGS, 15 * 8
	.set VECTORS, 16 * 8

	/* tpm_store_between(in: rdi, out: rsi) */
	.globl tpm_store_between
tpm_store_between:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups	VECTORS + 16 * \n(%rdi), %xmm\n
	.endr
	push	FLAGS(%rdi)
	mov	0x00(%rdi), %rax
	mov	0x08(%rdi), %rcx
	mov	0x10(%rdi), %rdx
	mov	0x18(%rdi), %rbx
	mov	0x20(%rdi), %rbp
	mov	0x28(%rdi), %rsi
	mov	0x38(%rdi), %r8
	mov	0x40(%rdi), %r9
	mov	0x48(%rdi), %r10
	mov	0x50(%rdi), %r11
	mov	0x58(%rdi), %r12
	mov	0x60(%rdi), %r13
	mov	0x68(%rdi), %r14
	mov	0x70(%rdi), %r15
	mov	0x30(%rdi), %rdi
	popf
	movl	%eax, (%rdi)
	xchg	%rdi, (%rsp)
	mov	%rax, 0x00(%rdi)
	mov	%rcx, 0x08(%rdi)
	mov	%rdx, 0x10(%rdi)
	mov	%rbx, 0x18(%rdi)
	mov	%rbp, 0x20(%rdi)
	mov	%rsi, 0x28(%rdi)
	mov	%r8, 0x38(%rdi)
	mov	%r9, 0x40(%rdi)
	mov	%r10, 0x48(%rdi)
	mov	%r11, 0x50(%rdi)
	mov	%r12, 0x58(%rdi)
	mov	%r13, 0x60(%rdi)
	mov	%r14, 0x68(%rdi)
	mov	%r15, 0x70(%rdi)
	pop	0x30(%rdi)
	pushf
	pop	FLAGS(%rdi)
	cld
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movups	%xmm\n, VECTORS + 16 * \n(%rdi)
	.endr
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* tpm_store_behind_sti(target: rdi, value: esi): the MOV is in STI's shadow */
	.globl tpm_store_behind_sti
tpm_store_behind_sti:
	sti
	movl	%esi, (%rdi)
	cli
	ret

	/* tpm_store_forever(target: rdi): an interrupt finds RIP at a MOV, mostly */
	.globl tpm_store_forever
tpm_store_forever:
	mov	$1, %eax
	sti
1:	.rept	200
	movl	%eax, (%rdi)
	.endr
	jmp	1b
