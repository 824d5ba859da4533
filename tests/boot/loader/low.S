/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instructions of the probe (probe.h).
 */
	.text

	.globl write_msr
	.hidden write_msr
write_msr:
	movl %edi, %ecx
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
	wrmsr
	ret

	.globl set_efer_svme
	.hidden set_efer_svme
set_efer_svme:
	movl $0xc0000080, %ecx
	rdmsr
	btsl $12, %eax
	wrmsr
	ret

	.globl set_cr4_vmxe
	.hidden set_cr4_vmxe
set_cr4_vmxe:
	movq %cr4, %rax
	btsq $13, %rax
	movq %rax, %cr4
	ret

	.globl call_vmx
	.hidden call_vmx
call_vmx:
	movq %rdi, %rax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	vmcall
	ret

	.globl call_svm
	.hidden call_svm
call_svm:
	movq %rdi, %rax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	vmmcall
	ret

	.section .note.GNU-stack, "", @progbits
