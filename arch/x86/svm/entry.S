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

/*
 * Registers to and from struct guest_regs at `at`: "+ADDRESS" or "(REGISTER)". First what C
 * functions may change, and RBX; without RAX.
 */
.macro save_volatile at
	mov %rcx, 8\at
	mov %rdx, 16\at
	mov %r8, 24\at
	mov %r9, 32\at
	mov %rbx, 40\at
	mov %rsi, 56\at
	mov %rdi, 64\at
	mov %r10, 72\at
	mov %r11, 80\at
.endm

/* What C functions keep. */
.macro save_kept at
	mov %rbp, 48\at
	mov %r12, 88\at
	mov %r13, 96\at
	mov %r14, 104\at
	mov %r15, 112\at
.endm

.macro load_volatile at
	mov 8\at, %rcx
	mov 16\at, %rdx
	mov 24\at, %r8
	mov 32\at, %r9
	mov 40\at, %rbx
	mov 56\at, %rsi
	mov 72\at, %r10
	mov 80\at, %r11
	mov 64\at, %rdi
.endm

.macro load_kept at
	mov 48\at, %rbp
	mov 88\at, %r12
	mov 96\at, %r13
	mov 104\at, %r14
	mov 112\at, %r15
.endm

/*
 * After an exit on a CPU that needs it; RAX, RCX, RDX are lost. The calls are never returned from.
 * Should the guest have led the branches here and before astray, LFENCE holds the CPU before the
 * first that matters.
 */
.macro mitigate_arrival
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
.endm

/* _Noreturn void svm_enter_first(struct vmcb *vmcb) */
	.balign 64
	.globl svm_enter_first
	.hidden svm_enter_first
svm_enter_first:
	mov %rdi, %rax
	vmload
	load_kept +REGS
enter:
	testl $SVM_MITIGATE_EXITS, MITIGATIONS
	jnz leave_mitigated
1:	mov REGS + 0, %rcx
	mov %rcx, SVM_VMCB_RAX(%rax)
	load_volatile +REGS
	vmrun
	save_volatile +REGS
	mov SVM_VMCB_RAX(%rax), %rcx
	mov %rcx, REGS + 0
	mov %rax, %rdi
	mov %rax, %rbx
	testl $SVM_MITIGATE_EXITS, MITIGATIONS
	jnz arrive_mitigated
2:	lfence
	call svm_exit_fast
	test %rax, %rax
	jnz enter
	save_kept +REGS
	mov %rbx, %rax
	vmsave
	mov %rbx, %rdi
	call svm_exit
	vmload
	load_kept +REGS
	jmp enter

/* RAX is the VMCB; RBX the guest's no more, as are the other volatile ones. */
leave_mitigated:
	mov %rax, %rbx
	call mitigate_enter
	mov %rbx, %rax
	jmp 1b

arrive_mitigated:
	mitigate_arrival
	jmp 2b

/*
 * void svm_enter_vp(struct guest_regs *regs, struct vmcb *v, uint64_t root): runs a partition's VP
 * until it exits; RAX is in its VMCB, `root` the frame of what VMLOAD gives back to root mode. The
 * global interrupt flag is clear before and behind it. V_INTR_MASKING: root mode's IF, not the
 * VP's, says whether an interrupt ends it.
 */
	.globl svm_enter_vp
	.hidden svm_enter_vp
svm_enter_vp:
	.irp kept, rbx, rbp, r12, r13, r14, r15, rdx, rdi
	push %\kept
	.endr
	sti
	mov %rsi, %rax
	vmload
	load_kept (%rdi)
	load_volatile (%rdi)
	vmrun
	cli
	push %rdi
	mov 8(%rsp), %rdi
	save_volatile (%rdi)
	save_kept (%rdi)
	pop 64(%rdi)
	vmsave
	mov 8(%rsp), %rax
	vmload
	testl $SVM_MITIGATE_EXITS, MITIGATIONS
	jz 1f
	mitigate_arrival
1:	lfence
	.irp kept, rdi, rdx, r15, r14, r13, r12, rbp, rbx
	pop %\kept
	.endr
	ret

	.section .note.GNU-stack, "", @progbits
