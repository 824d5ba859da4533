/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See instructions.h; System V calling convention.
 */
	.macro function name
	.globl \name
	.hidden \name
	.type \name, @function
	.balign 16
\name:
	.endm

	.text

function read_msr
	movl %edi, %ecx
	rdmsr
	shlq $32, %rdx
	orq %rdx, %rax
	ret

function read_cr3
	movq %cr3, %rax
	ret

function read_cr4
	movq %cr4, %rax
	ret

	.section .note.GNU-stack, "", @progbits
