/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the suite offers (offering.h): files that the build signs by keys that codeint trusts.
 */
	.macro	offering name, file
	.section .rodata, "a", @progbits
	.balign 16
.L\name:
	.incbin "\file"
.L\name\()_end:
	.section .data.rel.ro, "aw", @progbits
	.globl offering_\name
	.hidden offering_\name
	.balign 8
offering_\name:
	.quad .L\name, .L\name\()_end
	.endm

	offering sample, OFFERED/sample.img
	offering probe8, OFFERED/probe8.img
	offering probe9, OFFERED/probe9.img
	offering named, OFFERED/named.img
	offering signed, OFFERED/signed.img

	.section .note.GNU-stack, "", @progbits
