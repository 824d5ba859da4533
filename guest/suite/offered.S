/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Trustlets signed by a key that codeint trusts: what the suites offer (offering.h).
 */
	.macro image name, file
	.globl \name, \name\()_end
	.hidden \name, \name\()_end
	.balign 16
\name:
	.incbin "\file"
\name\()_end:
	.endm

	.section .rodata, "a", @progbits
	image offered_sample, OFFERED/sample.img
	image offered_probe, OFFERED/probe9.img
	image offered_probe8, OFFERED/probe8.img
	image offered_named, OFFERED/named.img
	image offered_signed, OFFERED/signed.img

	.section .note.GNU-stack, "", @progbits
