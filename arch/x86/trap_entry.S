/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Entry points of exceptions in root mode.
 */
	.text

/* Exceptions with an error code: 8, 10 to 14, 17, 21, 29, 30. SDM 3A 6.15; APM 2 8.2. */
#define WITH_ERROR 0x60227d00

/* One for each vector, 16 bytes apart. Those that push no error code get 0. */
	.balign 16
	.globl trap_entries
	.hidden trap_entries
trap_entries:
	.set vector, 0
	.rept 32
	.balign 16
	.if !((WITH_ERROR >> vector) & 1)
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

/* Pushes struct trap_frame. */
	.balign 16
trap_common:
	.irp register, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	push %\register
	.endr
	cld
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $-16, %rsp
	call trap_handler
	mov %rbp, %rsp
	.irp register, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	pop %\register
	.endr
	add $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
