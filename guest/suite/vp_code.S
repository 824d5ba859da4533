/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Programs for VPs, copied to VP_BASE, and the call that runs one with every register filled.
 *
 * Memory of a VP, by page: 0 program, 1 to 3 its page tables, 4 data, 5 data, 6 and 7 stack. The
 * first 2 MiB are mapped to themselves, and once more behind that for CPL 3. VMCALL stands for the
 * instruction that calls the monitor; vp.c puts the vendor's in its place.
 */
#include "guest/suite/vp_layout.h"

	.section .rodata

.macro program name
	.balign	16
	.globl	vp_code_\name
	.hidden	vp_code_\name
vp_code_\name:
	.set	origin, .
	.code32
.endm

.macro end_program name
	.globl	vp_code_\name\()_end
	.hidden	vp_code_\name\()_end
vp_code_\name\()_end:
.endm

/* Changes RAX, RSP and segments only. */
.macro to_long
	movl	$(VP_BASE + 0x2007), VP_BASE + 0x1000
	movl	$(VP_BASE + 0x3007), VP_BASE + 0x2000
	movl	$0x83, VP_BASE + 0x3000
	movl	$0x87, VP_BASE + 0x3008
	movl	$(VP_BASE + 0x1000), %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$0x80010000, %eax
	movl	%eax, %cr0
	lgdt	VP_BASE + (77f - origin)
	ljmp	$8, $(VP_BASE + (78f - origin))
	.balign	8
76:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
	.quad	0x00cff3000000ffff, 0x00affb000000ffff
	.quad	0x00cf93123000ffff /* SEL_BASED: base 0x123000 */
77:	.word	47
	.long	VP_BASE + (76b - origin)
	.code64
78:	movl	$16, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	$(VP_BASE + 0x8000), %esp
.endm
#define SEL_DATA_CPL3 0x1b
#define SEL_CODE_CPL3 0x23
#define SEL_BASED     0x28

/* Where it starts: three registers, then what it was given and the answers make of them. */
	program	echo
	movl	$0x1111, %eax
	movl	$0x2222, %ecx
	movl	$0x3333, %edx
1:	vmcall
	addl	%ecx, %eax
	incl	%edx
	jmp	1b
	end_program echo

	program	long
	to_long
	movabsq	$0x123456789abcdef0, %rax
	movq	%rax, %rcx
	notq	%rcx
	xorl	%edx, %edx
1:	vmcall
	addq	%rcx, %rax
	incq	%rdx
	jmp	1b
	end_program long

/* What vp.c puts at VP_HOLE; RAX, RCX, RDX are 0, RDI is the address of the data page. */
	program	hole
	to_long
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$VP_DATA, %edi
	jmp	origin + VP_HOLE
	end_program hole

	program	hole32
	movl	$VP_DATA, %edi
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	jmp	origin + VP_HOLE
	end_program hole32

/* Its exceptions are its own: #PF and #UD by its own IDT. */
	program	faults
	to_long
	movl	$(8 << 16 | ((VP_BASE + (6f - origin)) & 0xffff)), VP_MORE + 6 * 16
	movl	$(((VP_BASE + (6f - origin)) & 0xffff0000) | 0x8e00), VP_MORE + 6 * 16 + 4
	movl	$(8 << 16 | ((VP_BASE + (7f - origin)) & 0xffff)), VP_MORE + 14 * 16
	movl	$(((VP_BASE + (7f - origin)) & 0xffff0000) | 0x8e00), VP_MORE + 14 * 16 + 4
	lidt	VP_BASE + (5f - origin)
	movl	$0x40000123, %ebx
	movb	$1, (%rbx) /* three bytes */
	ud2
	movl	$VP_MARK, %eax
	vmcall
5:	.word	0xfff
	.quad	VP_MORE
6:	movl	$6, %eax
	vmcall
	addq	$2, (%rsp)
	iretq
7:	movq	%cr2, %rcx
	popq	%rdx
	movl	$14, %eax
	vmcall
	addq	$3, (%rsp)
	iretq
	end_program faults

/*
 * A MOV to CR4 in a page that it has just made not present, by translations still known. An exit on
 * the way drops them, and what follows is its page fault. Should its handler run unwatched, it
 * opens what CR4 keeps shut, shuts it again, and leaves a mark in its memory.
 */
#define ALIAS 0x400000 /* between its page of 2 MiB and another mapping of it */
	program	unwatched
	to_long
	movl	$0x83, VP_BASE + 0x3010
	movl	$(8 << 16 | ((VP_BASE + (7f - origin)) & 0xffff)), VP_MORE + 14 * 16
	movl	$(((ALIAS + VP_BASE + (7f - origin)) & 0xffff0000) | 0x8e00), VP_MORE + 14 * 16 + 4
	lidt	VP_BASE + (5f - origin)
	lgdt	VP_BASE + (6f - origin)
	movl	$(ALIAS + VP_BASE + 0x8000), %esp
	movq	%cr4, %r8
	movl	$0, VP_BASE + 0x3000
	movq	%r8, %cr4
	movl	$0x83, ALIAS + VP_BASE + 0x3000
	jmp	8f
	.balign	8
5:	.word	0xfff
	.quad	ALIAS + VP_MORE
6:	.word	47
	.quad	ALIAS + VP_BASE + (76b - origin)
7:	movl	$0x83, ALIAS + VP_BASE + 0x3000
	movq	%r8, %rax
	btsq	$18, %rax /* OSXSAVE */
	movq	%rax, %cr4
	movl	$VP_MARK, ALIAS + VP_DATA
	movq	%r8, %cr4
8:	movl	$VP_MARK, %eax
	vmcall
	end_program unwatched

/* A call from CPL 3. */
	program	user
	to_long
	pushq	$SEL_DATA_CPL3
	pushq	$(VP_USER + 0x7000)
	pushq	$2
	pushq	$SEL_CODE_CPL3
	pushq	$(VP_USER + (1f - origin))
	iretq
1:	movl	$VP_MARK, %eax
	vmcall
2:	jmp	2b
	end_program user

/* Counts without end. */
	program	spin
	to_long
1:	incq	VP_DATA
	jmp	1b
	end_program spin

/*
 * Counts its calls in a general register (RAX), in XMM5 (RCX) and on the x87 stack (RDX). R8: times
 * that its memory was not what it had mapped at 4 MiB the time before, on whichever CPU that was.
 */
	program	count
	to_long
	movl	$(VP_MORE + 7), VP_BASE + 0x3010
	movl	$(VP_DATA + 7), VP_MORE
	movl	$VP_DATA, VP_DATA
	movl	$(VP_BASE + 0x6000), VP_BASE + 0x6000
	xorl	%r12d, %r12d
	xorl	%r8d, %r8d
	movl	$VP_DATA, %r13d
	movl	$1, %eax
	movq	%rax, %xmm6
	pxor	%xmm5, %xmm5
	fldz
1:	incq	%r12
	paddq	%xmm6, %xmm5
	fld1
	faddp
	cmpq	%r13, 0x400000
	je	2f
	incq	%r8
2:	xorl	$(VP_DATA ^ (VP_BASE + 0x6000)), %r13d
	leaq	7(%r13), %rax
	movq	%rax, VP_MORE
	invlpg	0x400000
	cmpq	%r13, 0x400000
	je	3f
	incq	%r8
3:	fistl	VP_DATA + 0x10
	movl	VP_DATA + 0x10, %edx
	movq	%r12, %rax
	movq	%xmm5, %rcx
	vmcall
	jmp	1b
	end_program count

/* General registers but RAX and RSP, CR2, x87 and SSE. RAX is lost. */
.macro dump registers, others
	movq	%rcx, \registers + 0x08
	movq	%rdx, \registers + 0x10
	movq	%rbx, \registers + 0x18
	movq	%rbp, \registers + 0x28
	movq	%rsi, \registers + 0x30
	movq	%rdi, \registers + 0x38
	movq	%r8, \registers + 0x40
	movq	%r9, \registers + 0x48
	movq	%r10, \registers + 0x50
	movq	%r11, \registers + 0x58
	movq	%r12, \registers + 0x60
	movq	%r13, \registers + 0x68
	movq	%r14, \registers + 0x70
	movq	%r15, \registers + 0x78
	movq	%cr2, %rax
	movq	%rax, \registers + 0x80
	fxsave64 \others
.endm

/*
 * Writes down all that it sees of registers, changes every one of them, writes x87 and SSE down
 * again, calls, and writes all of them down once more. What it writes through GS lands only where
 * the base behind SWAPGS is 0 at first and its own afterwards.
 */
	program	look
	movl	%eax, VP_MORE
	movl	%esp, VP_MORE + 0x20
	to_long
	dump	VP_MORE, VP_DATA
	swapgs
	movl	$VP_MARK, %gs:VP_MORE + 0x88
	movl	$SEL_BASED, %eax
	movl	%eax, %gs
	swapgs
	movl	$0x2345678, %eax
	movq	%rax, %cr2
	movl	$0x3f80, VP_MORE + 0x90
	ldmxcsr	VP_MORE + 0x90
	fldpi
	fld1
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movl	$(0x5eed00 + \n), %eax
	movq	%rax, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
	fxsave64 VP_DATA + 0x200
	.irp	register, rbx, rbp, rsi, rdi, r10, r11, r12, r13, r14, r15
	movabsq	$0xa5a5a5a55a5a5a5a, %\register
	.endr
	movl	$VP_MARK, %eax
	movl	$1, %ecx
	movl	$2, %edx
	movl	$3, %r8d
	movl	$4, %r9d
	vmcall
	dump	VP_MORE + 0x100, VP_DATA + 0x400
	swapgs
	movl	$VP_MARK, %gs:VP_MORE + 0x188 - 0x123000
	movl	$VP_MARK, %eax
	vmcall
	end_program look

/*
 * void vp_run_filled(struct filled *filled, bool svm): loads RBX, RBP, RSI, RDI, R10 to R15, x87
 * and SSE, makes the call, and writes down what they hold behind it (guest/suite/vp.c).
 */
	.text
	.code64
	.globl	vp_run_filled
	.hidden	vp_run_filled
vp_run_filled:
	.irp	register, rbx, rbp, r12, r13, r14, r15, rdi
	pushq	%\register
	.endr
	pushq	%rsi
	fxrstor64 FILLED_FX(%rdi)
	movq	FILLED_CALL + 0(%rdi), %rax
	movq	FILLED_CALL + 8(%rdi), %rcx
	movq	FILLED_CALL + 16(%rdi), %rdx
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	movq	0(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %rsi
	movq	32(%rdi), %r10
	movq	40(%rdi), %r11
	movq	48(%rdi), %r12
	movq	56(%rdi), %r13
	movq	64(%rdi), %r14
	movq	72(%rdi), %r15
	movq	24(%rdi), %rdi
	cmpq	$0, (%rsp)
	jne	1f
	vmcall
	jmp	2f
1:	vmmcall
2:	pushq	%rdi
	movq	16(%rsp), %rdi
	movq	%rax, FILLED_CALL + 0(%rdi)
	movq	%rcx, FILLED_CALL + 8(%rdi)
	movq	%rbx, FILLED_OUT + 0(%rdi)
	movq	%rbp, FILLED_OUT + 8(%rdi)
	movq	%rsi, FILLED_OUT + 16(%rdi)
	movq	%r10, FILLED_OUT + 32(%rdi)
	movq	%r11, FILLED_OUT + 40(%rdi)
	movq	%r12, FILLED_OUT + 48(%rdi)
	movq	%r13, FILLED_OUT + 56(%rdi)
	movq	%r14, FILLED_OUT + 64(%rdi)
	movq	%r15, FILLED_OUT + 72(%rdi)
	popq	%rax
	movq	%rax, FILLED_OUT + 24(%rdi)
	fxsave64 FILLED_FX_OUT(%rdi)
	popq	%rsi
	.irp	register, rdi, r15, r14, r13, r12, rbp, rbx
	popq	%\register
	.endr
	ret

	.section .note.GNU-stack, "", @progbits
