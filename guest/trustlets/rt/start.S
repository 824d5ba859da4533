/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * From the VP's start state (monitor/abi/trustlet.h) to rt_main(): page tables with W^X,
 * descriptors, 64-bit mode; and the entries of exceptions.
 *
 * VA = GPA. The header's page is read-only, text read and execute, read-only data read-only,
 * private memory read-write without its guard pages, a device's registers and the shared window
 * read-write (the second-stage tables decide what is there); only text executes. The tables
 * themselves, GDT, IDT, TSS and rt_boot are written here and read-only from CR0.WP on
 * (trustlet.lds: rt_sealed).
 *
 * A start that is not as promised ends in a triple fault, since nobody can be told yet.
 */
#include "guest/trustlets/rt/layout.h"

	.section .text.entry, "ax", @progbits
	.code32
	.globl	rt_entry
rt_entry:
	cld
	testl	%edi, %edi		/* one VP so far */
	jnz	refused
	movl	%ebx, %eax
	andl	$-RT_PAGE, %eax
	cmpl	$RT_DATA_BASE, %eax
	jne	refused
	cmpl	$rt_private_pages, %esi
	jb	refused
	andl	$(RT_PAGE - 1), %ebx
	movl	%ebx, rt_boot
	movl	%esi, rt_boot + 4
	movl	$rt_stack_top, %esp

	movl	$rt_data_load, %esi
	movl	$rt_data_start, %edi
	movl	$rt_data_bytes, %ecx
	rep movsb

	call	map_image
	call	map_private
	call	map_tables
	call	descriptors

	lgdt	rt_gdtr
	movl	$rt_tables, %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	andl	$~(CR0_FP | CR0_WP), %eax
	orl	$(CR0_PG | CR0_MP), %eax
	movl	%eax, %cr0
	ljmp	$SEL_CODE, $start64

refused:
	ud2

/* %ecx entries from %edi on, the first %edx:%eax, the next ones %ebp further; %ecx may be 0. */
fill:
	jecxz	2f
1:	movl	%eax, (%edi)
	movl	%edx, 4(%edi)
	addl	$8, %edi
	addl	%ebp, %eax
	loop	1b
2:	ret

map_image:
	movl	$RT_PAGE, %ebp
	movl	$rt_image_tables, %edi
	movl	$(RT_IMAGE_BASE + PTE_P), %eax
	movl	$PTE_NX_HIGH, %edx
	movl	$1, %ecx
	call	fill
	xorl	%edx, %edx
	movl	RT_IMAGE_BASE + RT_TEXT_PAGES, %ecx
	call	fill
	movl	$PTE_NX_HIGH, %edx
	movl	RT_IMAGE_BASE + RT_RODATA_PAGES, %ecx
	jmp	fill

map_private:
	movl	$rt_private_tables, %edi
	movl	$(RT_DATA_BASE + PTE_P + PTE_W), %eax
	movl	$rt_open_pages, %ecx
	call	fill
	andl	$~PTE_W, %eax
	movl	$rt_sealed_pages, %ecx
	call	fill
	orl	$PTE_W, %eax
	movl	$rt_window_pages, %ecx
	call	fill
	xorl	%eax, %eax
	movl	%eax, rt_guard_entry0
	movl	%eax, rt_guard_entry1
	movl	%eax, rt_guard_entry2
	movl	%eax, rt_guard_entry3
	ret

map_tables:
	xorl	%edx, %edx
	movl	$(rt_image_tables + PTE_P + PTE_W), %eax
	movl	$(rt_image_directory + 8), %edi
	movl	$rt_image_table_pages, %ecx
	call	fill
	movl	$(rt_private_tables + PTE_P + PTE_W), %eax
	movl	$rt_private_directory, %edi
	movl	$rt_private_table_pages, %ecx
	call	fill
	movl	$(rt_image_directory + PTE_P + PTE_W), %eax
	movl	$rt_pointers, %edi
	movl	$3, %ecx
	call	fill
	movl	$(rt_pointers + PTE_P + PTE_W), %eax
	movl	$rt_tables, %edi
	movl	$1, %ecx
	call	fill
	movl	$0x200000, %ebp
	movl	$(RT_SHARED_BASE + PTE_P + PTE_W + PTE_PS), %eax
	movl	$PTE_NX_HIGH, %edx
	movl	$rt_shared_directory, %edi
	movl	$PTE_ENTRIES, %ecx
	call	fill
	movl	$(RT_DEVICE_BASE + PTE_P + PTE_W + PTE_UC + PTE_PS), %eax
	movl	$(rt_image_directory + 8 * (RT_DEVICE_BASE >> 21)), %edi
	movl	$1, %ecx
	jmp	fill

/* All addresses are below 4 GiB, so the upper halves stay zero. */
descriptors:
	movl	$rt_vectors, %eax
	movl	$rt_idt, %edi
	movl	$IDT_VECTORS, %ecx
1:	movw	%ax, (%edi)
	movw	$SEL_CODE, 2(%edi)
	movl	%eax, 4(%edi)
	movw	$IDT_GATE, 4(%edi)
	addl	$16, %edi
	addl	$16, %eax
	loop	1b
	movl	$rt_fault_stack_top, rt_tss + TSS_IST1
	movw	$TSS_BYTES, rt_tss + TSS_IOMAP
	movl	$0x0000ffff, rt_gdt + SEL_CODE
	movl	$0x00af9b00, rt_gdt + SEL_CODE + 4
	movl	$0x0000ffff, rt_gdt + SEL_DATA
	movl	$0x00cf9300, rt_gdt + SEL_DATA + 4
	movl	$rt_tss, %eax
	movw	$(TSS_BYTES - 1), rt_gdt + SEL_TSS
	movw	%ax, rt_gdt + SEL_TSS + 2
	shrl	$16, %eax
	movb	%al, rt_gdt + SEL_TSS + 4
	movb	$0x89, rt_gdt + SEL_TSS + 5
	movb	%ah, rt_gdt + SEL_TSS + 7
	movl	$rt_thread, %eax	/* FS base, without the MSR */
	movw	%ax, rt_gdt + SEL_FS + 2
	shrl	$16, %eax
	movb	%al, rt_gdt + SEL_FS + 4
	movb	$0x93, rt_gdt + SEL_FS + 5
	movb	%ah, rt_gdt + SEL_FS + 7
	ret

	.code64
start64:
	movl	$SEL_DATA, %eax
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %gs
	movl	$SEL_FS, %eax
	movl	%eax, %fs
	lidt	rt_idtr
	movl	$SEL_TSS, %eax
	ltr	%ax			/* marks the TSS busy: the last write to what is sealed */
	movq	%cr0, %rax
	orq	$CR0_WP, %rax
	movq	%rax, %cr0
	movl	$rt_stack_top, %esp
	xorl	%ebp, %ebp
	call	rt_main
	ud2

/* Vectors, 16 bytes each. #DF, #TS, #NP, #SS, #GP, #PF, #AC and #CP push an error code. */
	.balign	16
rt_vectors:
	.set	number, 0
	.rept	IDT_VECTORS
	.balign	16
	.if	!((0x227d00 >> number) & 1)
	pushq	$0
	.endif
	pushq	$number
	jmp	common
	.set	number, number + 1
	.endr

/* struct rt_fault; there is no way back. */
common:
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	%rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rbx
	pushq	%rax
	cld
	movq	%rsp, %rdi
	movq	%cr2, %rsi
	andq	$-16, %rsp
	call	rt_fault
	ud2

	.section .rodata.start, "a", @progbits
rt_gdtr:
	.word	GDT_END - 1
	.quad	rt_gdt
rt_idtr:
	.word	IDT_BYTES - 1
	.quad	rt_idt

	.section .sealed, "aw", @nobits
	.globl	rt_boot
	.balign	16
rt_boot:
	.skip	16
rt_gdt:
	.skip	GDT_END
	.balign	16
rt_idt:
	.skip	IDT_BYTES
rt_tss:
	.skip	TSS_BYTES

	.section .note.GNU-stack, "", @progbits
