/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The guests that kvm.c runs. Each starts in 64-bit mode at CPL 0 at TRY_CODE, writes one byte to
 * TRY_PORT and halts. They refer to nothing outside themselves but the addresses of kvm_layout.h,
 * so that the bytes can be copied.
 */
#include "tools/doctor/linux/kvm_layout.h"

#define MSR_FEATURE_CONTROL	0x3a
#define FEATURE_CONTROL_VMX_ON	5 /* locked, VT-x outside SMX */
#define MSR_VMX_BASIC		0x480
#define MSR_EFER		0xc0000080
#define EFER_LMA_BIT		10
#define EFER_SVME_BIT		12
#define MSR_HSAVE		0xc0010117
#define CR0_NE_BIT		5
#define CR4_VMXE_BIT		13
#define FIELD_ERROR		0x4400
#define ERROR_CONTROLS		7    /* VM entry with invalid control fields (SDM 3C 31.4) */
#define EXIT_CODE		0x70 /* in SVM's control block (APM 2 B.1) */
#define RFLAGS_IF		0x200
#define MAGIC			0x5ca1ab1e

	.macro guest name
	.globl \name\()_start
	.hidden \name\()_start
	.balign 16
\name\()_start:
	.endm

	.macro guest_end name
	.globl \name\()_end
	.hidden \name\()_end
\name\()_end:
	.endm

	/* Writes the byte in `value` and ends. */
	.macro answer value
	movb \value, %al
	outb %al, $TRY_PORT
	hlt
	.endm

	.section .rodata

/*
 * What any kernel does: calls, CPUID, an MSR, CR3 and INVLPG, an exception through an own table.
 * Whatever fails halts without the answer.
 */
guest try_plain
	movl $MAGIC, %esi
	pushq %rsi
	popq %rdi
	cmpl %esi, %edi
	jne 9f
	xorl %eax, %eax
	xorl %ecx, %ecx
	cpuid
	testl %eax, %eax
	jz 9f
	movl $MSR_EFER, %ecx
	rdmsr
	btl $EFER_LMA_BIT, %eax
	jnc 9f
	/* What a guest that is not quite at CPL 0 would see otherwise. */
	movw %cs, %ax
	testb $3, %al
	jnz 9f
	pushq $RFLAGS_IF
	popfq
	pushfq
	popq %rax
	testl $RFLAGS_IF, %eax
	jz 9f
	cli
	movl $TRY_POINTERS, %edx
	sgdt (%rdx)
	cmpq $0, 2(%rdx)
	jne 9f
	/* Runs on a CPU, and is foreign to KVM's own interpreter: a back end in software stops. */
	movl $8, %ecx
	larl %ecx, %eax
	jnz 9f
	andl $0xff00, %eax
	cmpl $0x9b00, %eax
	jne 9f
	fninit
	fldpi
	fistpl (%rdx)
	cmpl $3, (%rdx)
	jne 9f
	movq %cr3, %rax
	movq %rax, %cr3
	movl $TRY_BLOCK, %edx
	movl $MAGIC, (%rdx)
	invlpg (%rdx)
	cmpl $MAGIC, (%rdx)
	jne 9f
	/* The gate of #UD: 64-bit interrupt gate, the running code segment. */
	leaq 8f(%rip), %rax
	movl $(TRY_BLOCK2 + 6 * 16), %edx
	movw %ax, (%rdx)
	movw %cs, %cx
	movw %cx, 2(%rdx)
	movw $0x8e00, 4(%rdx)
	shrq $16, %rax
	movw %ax, 6(%rdx)
	shrq $16, %rax
	movl %eax, 8(%rdx)
	movl $TRY_POINTERS, %edx
	movw $0xfff, (%rdx)
	movq $TRY_BLOCK2, 2(%rdx)
	lidt (%rdx)
	ud2
9:	answer $0
8:	answer $TRY_ANSWER
guest_end try_plain

/* VT-x in the guest: VMXON, a control block of zeros, and the launch must fail for its controls. */
guest try_vmx
	movl $MSR_FEATURE_CONTROL, %ecx
	movl $FEATURE_CONTROL_VMX_ON, %eax
	xorl %edx, %edx
	wrmsr
	movl $MSR_VMX_BASIC, %ecx
	rdmsr
	movl %eax, TRY_BLOCK
	movl %eax, TRY_BLOCK2
	movq %cr0, %rax
	btsq $CR0_NE_BIT, %rax
	movq %rax, %cr0
	movq %cr4, %rax
	btsq $CR4_VMXE_BIT, %rax
	movq %rax, %cr4
	movl $TRY_POINTERS, %edx
	movq $TRY_BLOCK, (%rdx)
	movq $TRY_BLOCK2, 8(%rdx)
	vmxon (%rdx)
	jbe 9f
	vmclear 8(%rdx)
	jbe 9f
	vmptrld 8(%rdx)
	jbe 9f
	vmlaunch
	jnz 9f
	movl $FIELD_ERROR, %eax
	vmread %rax, %rbx
	jbe 9f
	cmpl $ERROR_CONTROLS, %ebx
	jne 9f
	answer $TRY_ANSWER
9:	answer $0
guest_end try_vmx

/* SVM in the guest: VMRUN of a control block of zeros ends with VMEXIT_INVALID, which is -1. */
guest try_svm
	movl $MSR_EFER, %ecx
	rdmsr
	btsl $EFER_SVME_BIT, %eax
	wrmsr
	movl $MSR_HSAVE, %ecx
	movl $TRY_BLOCK2, %eax
	xorl %edx, %edx
	wrmsr
	movl $TRY_BLOCK, %eax
	vmrun %rax
	cmpl $-1, TRY_BLOCK + EXIT_CODE
	jne 9f
	answer $TRY_ANSWER
9:	answer $0
guest_end try_svm

	.section .note.GNU-stack, "", @progbits
