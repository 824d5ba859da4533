/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The compiled vtpm.asl. */
	.section .rodata, "a"
	.balign 16
	.globl	vtpm_ssdt, vtpm_ssdt_end
	.hidden	vtpm_ssdt, vtpm_ssdt_end
vtpm_ssdt:
	.incbin "vtpm.aml"
vtpm_ssdt_end:
	.section .note.GNU-stack, "", @progbits
