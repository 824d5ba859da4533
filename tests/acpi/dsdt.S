/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The compiled dsdt.asl as data of the starter. */
	.section .rodata, "a"
	.balign 16
	.globl dsdt_begin, dsdt_end
	.hidden dsdt_begin, dsdt_end
dsdt_begin:
	.incbin "dsdt.aml"
dsdt_end:
	.section .note.GNU-stack, "", @progbits
