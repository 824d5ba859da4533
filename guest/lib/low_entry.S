/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Code that runs in the low area: the start of the other CPUs (first bytes: where SIPI leads), and
 * excursions from 64-bit mode to protected, virtual-8086 and real mode and back. It is copied
 * there, so it refers to itself relatively; EBX holds the area's address where data is needed.
 */
#include "guest/lib/desc.h"
#include "guest/lib/low_layout.h"

#define CR0_PE 1
#define CR0_PG 0x80000000
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

	.section .rodata.low, "a", @progbits
	.globl	low_start, low_end, low_ap32, low_ap64, low_enter, low_protected16, low_real
	.globl	low_back32
	.globl	low_vectors32, low_vectors16
	.hidden	low_start, low_end, low_ap32, low_ap64, low_enter, low_protected16, low_real
	.hidden	low_back32
	.hidden	low_vectors32, low_vectors16

/*
 * CR4, CR3, EFER and CR0 of 64-bit mode, from 32-bit code without paging; the segment is still
 * 32-bit then.
 */
	.macro	long_mode_on
	movl	LOW_CR4(%ebx), %eax
	movl	%eax, %cr4
	movl	LOW_CR3(%ebx), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	movl	LOW_EFER(%ebx), %eax
	movl	LOW_EFER + 4(%ebx), %edx
	wrmsr
	movl	LOW_CR0(%ebx), %eax
	movl	%eax, %cr0
	.endm

	.macro	flat_data
	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	.endm

/* ---- A CPU started by SIPI ---- */

	.code16
low_start:
	cli
	xorl	%ebx, %ebx
	movw	%cs, %bx
	movw	%bx, %ds
	shll	$4, %ebx
	lgdtl	LOW_GDTR
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*LOW_FAR_AP32

	.code32
low_ap32:
	flat_data
	long_mode_on
	ljmpl	*LOW_FAR_AP64(%ebx)

	.code64
low_ap64:
	movq	LOW_AP_STACK(%rbx), %rsp
	movq	LOW_AP_ARG(%rbx), %rdi
	xorl	%ebp, %ebp
	call	*LOW_AP_ENTRY(%rbx)
	ud2

/* ---- To legacy mode: void low_enter(void *area), called at its address in the area ---- */

low_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	cli
	movq	%rdi, %rbx
	movq	%rsp, LOW_RSP(%rbx)
	sgdt	LOW_GDTR(%rbx)
	sidt	LOW_IDTR64(%rbx)
	str	LOW_TR(%rbx)
	leaq	LOW_STACK_TOP(%rbx), %rsp
	leaq	legacy32(%rip), %rax
	pushq	$SEL_CODE32
	pushq	%rax
	lretq

	.code32
legacy32:
	flat_data
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	movl	$MSR_EFER, %ecx
	rdmsr
	andl	$~EFER_LME, %eax
	wrmsr
	movl	LOW_MODE_CR4(%ebx), %eax
	movl	%eax, %cr4
	movl	LOW_MODE_CR3(%ebx), %eax
	movl	%eax, %cr3
	movl	LOW_MODE_CR0(%ebx), %eax
	movl	%eax, %cr0
	lidt	LOW_MODE_IDTR(%ebx)
	cmpl	$0, LOW_MODE_REAL(%ebx)
	jne	leave_protected
	movl	$SEL_TSS32, %eax
	ltr	%ax
	leal	LOW_STACK_TOP(%ebx), %esp
	movl	LOW_MODE_DS(%ebx), %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	LOW_REGS + 0(%ebx), %edi
	movl	LOW_REGS + 4(%ebx), %esi
	movl	LOW_REGS + 8(%ebx), %ebp
	movl	LOW_REGS + 20(%ebx), %edx
	movl	LOW_REGS + 24(%ebx), %ecx
	movl	LOW_REGS + 28(%ebx), %eax
	movl	LOW_REGS + 16(%ebx), %ebx
	iretl
leave_protected:
	ljmpl	*LOW_FAR_LEGACY16(%ebx)

	.code16
low_protected16:
	movw	$SEL_DATA16_LOW, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	%cr0, %eax
	andl	$~CR0_PE, %eax
	movl	%eax, %cr0
	ljmpw	*LOW_FAR_REAL
low_real:
	movw	%cs, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$LOW_STACK_TOP, %esp
	movl	LOW_REGS + 0, %edi
	movl	LOW_REGS + 4, %esi
	movl	LOW_REGS + 8, %ebp
	movl	LOW_REGS + 16, %ebx
	movl	LOW_REGS + 20, %edx
	movl	LOW_REGS + 24, %ecx
	movl	LOW_REGS + 28, %eax
	ljmpw	*LOW_FAR_SNIPPET

/* ---- Back ---- */

/* Real mode: the stack holds vector, IP, CS, FLAGS, 16 bits each. */
real_common:
	pushal
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%sp, %si
	movw	$LOW_RESULT, %di
	movw	$8, %cx
	rep movsl
	xorl	%eax, %eax
	lodsw
	stosl
	xorl	%eax, %eax
	stosl
	lodsw
	stosl
	lodsw
	stosl
	lodsw
	stosl
	xorl	%ebx, %ebx
	movw	%cs, %bx
	shll	$4, %ebx
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	*LOW_FAR_BACK32

/* Protected and virtual-8086 mode: PUSHA's frame, vector, error, EIP, CS, EFLAGS. */
	.code32
common32:
	pushal
	cld
	flat_data
	call	1f
1:	popl	%ebx
	subl	$(1b - low_start), %ebx
	movl	%esp, %esi
	leal	LOW_RESULT(%ebx), %edi
	movl	$13, %ecx
	rep movsl
	movl	%cr2, %eax
	movl	%eax, LOW_RESULT_CR2(%ebx)
low_back32:
	flat_data
	leal	LOW_STACK_TOP(%ebx), %esp
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	long_mode_on
	leal	(back64 - low_start)(%ebx), %eax
	pushl	$SEL_CODE64
	pushl	%eax
	lretl

	.code64
back64:
	lgdt	LOW_GDTR(%rbx)
	lidt	LOW_IDTR64(%rbx)
	movzwl	LOW_TR(%rbx), %eax
	movq	LOW_GDTR + 2(%rbx), %rcx
	andb	$~2, 5(%rcx, %rax)
	ltr	%ax
	movq	LOW_RSP(%rbx), %rsp
	popfq
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

/* ---- Vectors: 16 bytes each, 0 to 31 and LOW_END_VECTOR last ---- */

	.code32
	.macro	vector32 number, has_error
	.balign	16
	.if	!\has_error
	pushl	$0
	.endif
	pushl	$\number
	jmp	common32
	.endm

	.balign	16
low_vectors32:
	.set	number, 0
	.rept	32
	/* Vectors with an error code: 8, 10 to 14, 17, 21 */
	vector32 number, ((0x227d00 >> number) & 1)
	.set	number, number + 1
	.endr
	vector32 LOW_END_VECTOR, 0

	.code16
	.macro	vector16 number
	.balign	16
	pushw	$\number
	jmp	real_common
	.endm

	.balign	16
low_vectors16:
	.set	number, 0
	.rept	32
	vector16 number
	.set	number, number + 1
	.endr
	vector16 LOW_END_VECTOR
low_end:

	.section .note.GNU-stack, "", @progbits
