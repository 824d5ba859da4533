/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between firmware's address space and the monitor's. Firmware maps all memory at its own address, and so
 * do the monitor's tables for its image: the code below runs on through both switches of CR3.
 */
	.text

#define CR4_CET_BIT 23
#define STATE_RSP 32 /* offsetof(struct firmware_state, rsp) */

/* uint64_t start_run(uint64_t cr3, uint64_t stack, uint64_t op, struct firmware_state *state) */
	.globl start_run
	.hidden start_run
start_run:
	pushfq
	cli
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rbx
	mov %cr3, %rbp
	/* Shadow stacks, if firmware has them, rest while other stacks are in use. */
	mov %cr4, %r12
	mov %r12, %rax
	btr $CR4_CET_BIT, %rax
	mov %rax, %cr4
	mov %rsp, STATE_RSP(%rcx)
	mov %rdi, %cr3
	mov %rsi, %rsp
	mov %rdx, %rdi
	call start_root
	mov %rbp, %cr3
	mov %rbx, %rsp
	mov %r12, %cr4
	jmp 1f

/* The first instruction of the guest: RSP is what start_run has saved. */
	.globl start_guest
	.hidden start_guest
start_guest:
	xor %eax, %eax
1:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	popfq
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
