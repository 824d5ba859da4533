/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The sample, signed by a key that codeint trusts: what offer.c offers.
 */
	.section .rodata, "a", @progbits
	.globl offered_image, offered_image_end
	.hidden offered_image, offered_image_end
	.balign 16
offered_image:
	.incbin OFFERED_IMAGE
offered_image_end:

	.section .note.GNU-stack, "", @progbits
