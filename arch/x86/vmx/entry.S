/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The way out of the guest and back in. General registers are saved at the start of the CPU's
 * private data (struct guest_regs), which an absolute 32-bit displacement reaches. Root mode uses
 * no others. The frequent exits are handled by vmx_exit_fast(), which needs the volatile ones only.
 *
 * There are two such ways; launch.c puts one of them into the VMCS: a CPU that is affected by side
 * channels (mitigate.h) fills its return stack before the first RET and clears buffers before it
 * enters.
 */
#include "arch/x86/layout.h"

#define REGS (PERCPU_BASE + PERCPU_DATA * 4096)
#define RETURN_STACK_ENTRIES 32

	.text

/* What C functions may change, and RBX, which CPUID answers in. */
.macro save_volatile
	mov %rax, REGS + 0
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
	mov REGS + 0, %rax
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

/* Calls that are never returned from: each puts a harmless target on the return stack. */
.macro fill_return_stack
	mov $(RETURN_STACK_ENTRIES / 2), %ecx
1:	call 3f
2:	pause
	lfence
	jmp 2b
3:	call 5f
4:	pause
	lfence
	jmp 4b
5:	dec %ecx
	jnz 1b
	add $(RETURN_STACK_ENTRIES * 8), %rsp
	lfence
.endm

	.balign 64
	.globl vmx_exit_entry
	.hidden vmx_exit_entry
vmx_exit_entry:
	save_volatile
	call vmx_exit_fast
	test %al, %al
	jz 2f
1:	load_volatile
	vmresume
	call vmx_resume_failed
2:	save_kept
	call vmx_exit
	load_kept
	jmp 1b

	.balign 64
	.globl vmx_exit_entry_mitigated
	.hidden vmx_exit_entry_mitigated
vmx_exit_entry_mitigated:
	save_volatile
	fill_return_stack
	call vmx_exit_fast
	test %al, %al
	jnz 1f
	save_kept
	call vmx_exit
	load_kept
1:	call mitigate_enter
	load_volatile
	vmresume
	call vmx_resume_failed

/* uint32_t vmx_enter_first(void) */
	.globl vmx_enter_first
	.hidden vmx_enter_first
vmx_enter_first:
	load_volatile
	load_kept
	vmlaunch
	mov $1, %eax
	jc 1f
	mov $2, %eax
1:	ret

	.section .note.GNU-stack, "", @progbits
