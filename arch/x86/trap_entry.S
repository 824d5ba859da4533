/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Entry points of exceptions in root mode, and the instructions that may fault.
 */
#include "arch/x86/layout.h"

	.text

.macro vector number, has_error
	.balign 16
trap_entry_\number:
	.if \has_error == 0
	pushq $0
	.endif
	pushq $\number
	jmp trap_common
.endm

.macro entry_of number
	.quad trap_entry_\number
.endm

	vector 0, 0
	vector 1, 0
	vector 2, 0
	vector 3, 0
	vector 4, 0
	vector 5, 0
	vector 6, 0
	vector 7, 0
	vector 8, 1
	vector 9, 0
	vector 10, 1
	vector 11, 1
	vector 12, 1
	vector 13, 1
	vector 14, 1
	vector 15, 0
	vector 16, 0
	vector 17, 1
	vector 18, 0
	vector 19, 0
	vector 20, 0
	vector 21, 1
	vector 22, 0
	vector 23, 0
	vector 24, 0
	vector 25, 0
	vector 26, 0
	vector 27, 0
	vector 28, 0
	vector 29, 1
	vector 30, 1
	vector 31, 0

	.balign 16
trap_common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $-16, %rsp
	call trap_handler
	mov %rbp, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

/* uint32_t trap_rdmsr(uint32_t msr, uint64_t *value): 1 if it faulted */
	.globl trap_rdmsr
	.hidden trap_rdmsr
trap_rdmsr:
	mov %edi, %ecx
	xor %r8d, %r8d
1:	rdmsr
	shl $32, %rdx
	mov %eax, %eax
	or %rdx, %rax
	mov %rax, (%rsi)
	mov %r8d, %eax
	ret
2:	xor %eax, %eax
	mov %rax, (%rsi)
	mov $1, %eax
	ret
	.pushsection .extable, "a"
	.long 1b - ., 2b - .
	.popsection

/* uint32_t trap_wrmsr(uint32_t msr, uint64_t value): 1 if it faulted */
	.globl trap_wrmsr
	.hidden trap_wrmsr
trap_wrmsr:
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
1:	wrmsr
	xor %eax, %eax
	ret
2:	mov $1, %eax
	ret
	.pushsection .extable, "a"
	.long 1b - ., 2b - .
	.popsection

/* uint32_t trap_xsetbv(uint32_t index, uint64_t value): 1 if it faulted */
	.globl trap_xsetbv
	.hidden trap_xsetbv
trap_xsetbv:
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
1:	xsetbv
	xor %eax, %eax
	ret
2:	mov $1, %eax
	ret
	.pushsection .extable, "a"
	.long 1b - ., 2b - .
	.popsection

/* void trap_unblock_nmi(void) */
	.globl trap_unblock_nmi
	.hidden trap_unblock_nmi
trap_unblock_nmi:
	mov %rsp, %rax
	pushq $SEL_DATA
	push %rax
	pushfq
	pushq $SEL_CODE
	lea 1f(%rip), %rcx
	push %rcx
	iretq
1:	ret

	.altmacro
	.section .data.rel.ro, "aw"
	.balign 8
	.globl trap_entries
	.hidden trap_entries
trap_entries:
	.set number, 0
	.rept 32
	entry_of %number
	.set number, number + 1
	.endr

	.section .note.GNU-stack, "", @progbits
