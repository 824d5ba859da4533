/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between firmware's address space and the monitor's. Firmware maps all memory at its own address,
 * and so do the monitor's tables for its image: the code below runs on through both switches of
 * CR3.
 */
	.text

/*
 * uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu): the image's entry
 * point. What is pushed here is struct entry_frame. A launch does not come back this way: its guest
 * goes on behind the call, outside the monitor's memory, with the frame's registers.
 */
	.globl monitor_entry
	.hidden monitor_entry
monitor_entry:
	endbr64
	pushfq
	.irp register, rbx, rbp, r12, r13, r14, r15
	push %\register
	.endr
	mov %rsp, %rcx
	sub $8, %rsp
	call start_entry
	add $8, %rsp
	.irp register, r15, r14, r13, r12, rbp, rbx
	pop %\register
	.endr
	popfq
	ret

/* uint64_t start_run(uint64_t cr3, uint64_t stack, uint64_t op) */
	.globl start_run
	.hidden start_run
start_run:
	push %rbx
	push %rbp
	mov %rsp, %rbx
	mov %cr3, %rbp
	mov %rdi, %cr3
	mov %rsi, %rsp
	mov %rdx, %rdi
	call start_root
	mov %rbp, %cr3
	mov %rbx, %rsp
	pop %rbp
	pop %rbx
	ret

/* void start_load_segments(uint16_t cs, uint16_t data) */
	.globl start_load_segments
	.hidden start_load_segments
start_load_segments:
	movzwl %di, %edi
	push %rdi
	lea 1f(%rip), %rax
	push %rax
	lretq
1:	mov %si, %ss
	mov %si, %ds
	mov %si, %es
	ret

	.section .note.GNU-stack, "", @progbits
