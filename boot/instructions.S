/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions that C cannot say (System V calling convention), and the code that waits for the
 * operating system (watch.h; Microsoft's calling convention, since firmware calls it).
 */
#include "boot/watch_layout.h"

	.macro function name
	.globl \name
	.hidden \name
	.type \name, @function
	.balign 16
\name:
	.endm

	.text

function port_write8
	movl %edi, %edx
	movl %esi, %eax
	outb %al, %dx
	ret

function port_read8
	movl %edi, %edx
	xorl %eax, %eax
	inb %dx, %al
	ret

function read_cr3
	movq %cr3, %rax
	ret

function read_cr4
	movq %cr4, %rax
	ret

function read_tsc
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	ret

/* RDRAND; 0 where it gives nothing. Only on a CPU that has it. */
function read_random
	movl $10, %ecx
1:	rdrand %rax
	jc 2f
	decl %ecx
	jnz 1b
	xorl %eax, %eax
2:	ret

function halt
	cli
1:	hlt
	jmp 1b

/* monitor_call(vendor: edi, id: esi, regs: rdx): RAX; the registers are written back. */
function monitor_call
	pushq %rbx
	movq %rdx, %rbx
	movl %esi, %eax
	movq (%rbx), %rcx
	movq 8(%rbx), %rdx
	movq 16(%rbx), %r8
	movq 24(%rbx), %r9
	cmpl $WATCH_VENDOR_VMX, %edi
	je 1f
	vmmcall
	jmp 2f
1:	vmcall
2:	movq %rcx, (%rbx)
	movq %rdx, 8(%rbx)
	movq %r8, 16(%rbx)
	movq %r9, 24(%rbx)
	popq %rbx
	ret

/*
 * [watch_code_start, watch_code_end) is copied to a page of its own and so refers to nothing
 * outside itself but through its second argument, a struct watch. Both functions are event
 * notifications: void f(EFI_EVENT, struct watch *).
 */
function watch_code_start

/* Sets the counter of starts to zero, until firmware has once done so. */
function watch_reached
	pushq %rbx
	subq $48, %rsp /* shadow space of 32 bytes, the fifth argument, alignment */
	movq %rdx, %rbx
	cmpl $0, WATCH_CLEARED(%rbx)
	jne 1f
	movq WATCH_RUNTIME_SERVICES(%rbx), %rax
	movq WATCH_SET_VARIABLE(%rax), %rax
	leaq WATCH_NAME(%rbx), %rcx
	leaq WATCH_GUID(%rbx), %rdx
	movl WATCH_ATTRIBUTES(%rbx), %r8d
	movl $WATCH_VALUE_SIZE, %r9d
	leaq WATCH_VALUE(%rbx), %r10
	movq %r10, 32(%rsp)
	call *%rax
	testq %rax, %rax
	jnz 1f
	movl $1, WATCH_CLEARED(%rbx)
1:	addq $48, %rsp
	popq %rbx
	ret

/* The same, and the call boot_done. */
function watch_exit
	pushq %rbx
	subq $32, %rsp
	movq %rdx, %rbx
	call watch_reached
	movl WATCH_VENDOR(%rbx), %r10d
	movl WATCH_CALL(%rbx), %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	cmpl $WATCH_VENDOR_VMX, %r10d
	je 1f
	cmpl $WATCH_VENDOR_SVM, %r10d
	jne 2f
	vmmcall
	jmp 2f
1:	vmcall
2:	addq $32, %rsp
	popq %rbx
	ret

function watch_code_end

	.section .note.GNU-stack, "", @progbits
