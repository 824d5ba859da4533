/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage, from Multiboot (32-bit, paging off) to stage_main() in 64-bit mode, first 4 GiB mapped
 * one to one; and the entry into a trustlet.
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on pages, memory sizes */
#define EFER		0xc0000080
#define EFER_BITS	0x1901 /* SVME, NXE, LME, SCE */

	.section .text.boot, "ax", @progbits
	.code32
	.balign	8
	.long	MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	.globl	stage_entry
stage_entry:
	movl	$stack_top, %esp
	movl	%ebx, %esi
	movl	$(table_1g + 3), table_512g
	movl	$table_1g, %edi
	movl	$0x83, %eax
	movl	$4, %ecx
1:	movl	%eax, (%edi)
	addl	$0x40000000, %eax
	addl	$8, %edi
	loop	1b
	movl	$table_512g, %eax
	movl	%eax, %cr3
	movl	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl	%eax, %cr4
	movl	$EFER, %ecx
	movl	$EFER_BITS, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$0x80010033, %eax
	movl	%eax, %cr0
	lgdt	gdtr
	ljmp	$8, $2f
	.code64
2:	movl	$16, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	%esi, %edi
	call	stage_main
	ud2

/*
 * void enter(uint64_t vmcb, uint64_t regs[14]): RBX RCX RDX RSI RDI RBP R8..R15. The stage uses no
 * SSE and never loads TR, FS or GS, so these stay the trustlet's.
 */
	.globl	enter
enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	movq	%rdi, %rax
	movq	%rsi, %r15
	movq	(%r15), %rbx
	movq	8(%r15), %rcx
	movq	16(%r15), %rdx
	movq	24(%r15), %rsi
	movq	32(%r15), %rdi
	movq	40(%r15), %rbp
	movq	48(%r15), %r8
	movq	56(%r15), %r9
	movq	64(%r15), %r10
	movq	72(%r15), %r11
	movq	80(%r15), %r12
	movq	88(%r15), %r13
	movq	96(%r15), %r14
	movq	104(%r15), %r15
	vmrun	%rax
	xchgq	%r15, (%rsp)
	movq	%rbx, (%r15)
	movq	%rcx, 8(%r15)
	movq	%rdx, 16(%r15)
	movq	%rsi, 24(%r15)
	movq	%rdi, 32(%r15)
	movq	%rbp, 40(%r15)
	movq	%r8, 48(%r15)
	movq	%r9, 56(%r15)
	movq	%r10, 64(%r15)
	movq	%r11, 72(%r15)
	movq	%r12, 80(%r15)
	movq	%r13, 88(%r15)
	movq	%r14, 96(%r15)
	popq	104(%r15)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	.section .rodata, "a", @progbits
	.balign	8
gdt:
	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:
	.word	. - gdt - 1
	.quad	gdt

	.bss
	.balign	4096
table_512g:
	.skip	4096
table_1g:
	.skip	4096
	.skip	65536
stack_top:

	.section .note.GNU-stack, "", @progbits
