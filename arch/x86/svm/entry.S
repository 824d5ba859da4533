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
#include "arch/x86/entry_macros.S"
#include "arch/x86/svm/layout.h"

	.set mitigations, cpu_regs + SVM_PERCPU_MITIGATIONS

	.text

/*
 * After an exit on a CPU that needs it; RAX, RCX, RDX are lost. Should the guest have led the
 * branches here and before astray, LFENCE holds the CPU before the first that matters.
 */
.macro mitigate_arrival
	testl $SVM_MITIGATE_PREDICTORS, mitigations
	jz 6f
	mov $SVM_MSR_PRED_CMD, %ecx
	mov $SVM_PRED_CMD_IBPB, %eax
	xor %edx, %edx
	wrmsr
6:	fill_return_stack
.endm

/* _Noreturn void svm_enter_first(struct vmcb *vmcb) */
	.balign 64
	.globl svm_enter_first
	.hidden svm_enter_first
svm_enter_first:
	mov %rdi, %rax
	vmload
	load +cpu_regs, KEPT
enter:
	testl $SVM_MITIGATE_EXITS, mitigations
	jnz leave_mitigated
8:	mov cpu_regs, %rcx
	mov %rcx, SVM_VMCB_RAX(%rax)
	load +cpu_regs, VOLATILE
	vmrun
	save +cpu_regs, VOLATILE
	mov SVM_VMCB_RAX(%rax), %rcx
	mov %rcx, cpu_regs
	mov %rax, %rdi
	mov %rax, %rbx
	testl $SVM_MITIGATE_EXITS, mitigations
	jnz arrive_mitigated
9:	lfence
	call svm_exit_fast
	test %rax, %rax
	jnz enter
	save +cpu_regs, KEPT
	mov %rbx, %rax
	vmsave
	mov %rbx, %rdi
	call svm_exit
	vmload
	load +cpu_regs, KEPT
	jmp enter

/* RAX is the VMCB; RBX the guest's no more, as are the other volatile ones. */
leave_mitigated:
	mov %rax, %rbx
	call mitigate_enter
	mov %rbx, %rax
	jmp 8b

arrive_mitigated:
	mitigate_arrival
	jmp 9b

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
	load (%rdi), KEPT
	load (%rdi), VOLATILE
	vmrun
	cli
	push %rdi
	mov 8(%rsp), %rdi
	save (%rdi), VOLATILE
	save (%rdi), KEPT
	pop 72(%rdi)
	vmsave
	mov 8(%rsp), %rax
	vmload
	testl $SVM_MITIGATE_EXITS, mitigations
	jz 9f
	mitigate_arrival
9:	lfence
	.irp kept, rdi, rdx, r15, r14, r13, r12, rbp, rbx
	pop %\kept
	.endr
	ret

	.section .note.GNU-stack, "", @progbits
