/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The way into the guest and out again. General registers are saved at the start of the CPU's
 * private data (struct guest_regs), which an absolute 32-bit displacement reaches; RAX and RSP
 * travel through the VMCB. What VMLOAD and VMSAVE switch (FS, GS, TR, LDTR, system-call MSRs) stays
 * the guest's on the frequent exits, which svm_exit_fast() handles with interrupts of every kind
 * held back: the global interrupt flag is clear from VMRUN's exit on. For the others the state is
 * switched and svm_exit() sets the flag, so SMIs and NMIs are taken in root mode, on its own
 * stacks.
 */
#include "arch/x86/layout.h"
#include "arch/x86/svm/layout.h"

#define REGS (PERCPU_BASE + PERCPU_DATA * 4096)
#define MITIGATIONS (REGS + SVM_PERCPU_MITIGATIONS)
#define RETURN_STACK_ENTRIES 32

	.text

/* What C functions may change, and RBX; without RAX. */
.macro save_volatile
	mov %rcx, REGS + 8
	mov %rdx, REGS + 16
	mov %r8, REGS + 24
	mov %r9, REGS + 32
	mov %rbx, REGS + 40
	mov %rsi, REGS + 56
	mov %rdi, REGS + 64
	mov %r10, REGS + 72
	mov %r11, REGS + 80
.endm

/* What C functions keep. */
.macro save_kept
	mov %rbp, REGS + 48
	mov %r12, REGS + 88
	mov %r13, REGS + 96
	mov %r14, REGS + 104
	mov %r15, REGS + 112
.endm

.macro load_volatile
	mov REGS + 8, %rcx
	mov REGS + 16, %rdx
	mov REGS + 24, %r8
	mov REGS + 32, %r9
	mov REGS + 40, %rbx
	mov REGS + 56, %rsi
	mov REGS + 64, %rdi
	mov REGS + 72, %r10
	mov REGS + 80, %r11
.endm

.macro load_kept
	mov REGS + 48, %rbp
	mov REGS + 88, %r12
	mov REGS + 96, %r13
	mov REGS + 104, %r14
	mov REGS + 112, %r15
.endm

/* _Noreturn void svm_enter_first(struct vmcb *vmcb) */
	.balign 64
	.globl svm_enter_first
	.hidden svm_enter_first
svm_enter_first:
	mov %rdi, %rax
	vmload
	load_kept
enter:
	cmpl $0, MITIGATIONS
	jne leave_mitigated
1:	mov REGS + 0, %rcx
	mov %rcx, SVM_VMCB_RAX(%rax)
	load_volatile
	vmrun
	save_volatile
	mov SVM_VMCB_RAX(%rax), %rcx
	mov %rcx, REGS + 0
	mov %rax, %rdi
	mov %rax, %rbx
	cmpl $0, MITIGATIONS
	jne arrive_mitigated
2:	lfence
	call svm_exit_fast
	test %rax, %rax
	jnz enter
	save_kept
	mov %rbx, %rax
	vmsave
	mov %rbx, %rdi
	call svm_exit
	vmload
	load_kept
	jmp enter

/* RAX is the VMCB; RBX the guest's no more, as are the other volatile ones. */
leave_mitigated:
	mov %rax, %rbx
	call mitigate_enter
	mov %rbx, %rax
	jmp 1b

/*
 * Calls that are never returned from. Should the guest have led the branches above astray, LFENCE
 * holds the CPU before the first that matters.
 */
arrive_mitigated:
	testl $SVM_MITIGATE_PREDICTORS, MITIGATIONS
	jz 3f
	mov $SVM_MSR_PRED_CMD, %ecx
	mov $SVM_PRED_CMD_IBPB, %eax
	xor %edx, %edx
	wrmsr
3:	mov $(RETURN_STACK_ENTRIES / 2), %ecx
4:	call 6f
5:	pause
	lfence
	jmp 5b
6:	call 8f
7:	pause
	lfence
	jmp 7b
8:	dec %ecx
	jnz 4b
	add $(RETURN_STACK_ENTRIES * 8), %rsp
	lfence
	jmp 2b

	.section .note.GNU-stack, "", @progbits
