/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instruction decoder beside a reference disassembler (Zydis): both look at the same bytes.
 */
#ifndef TESTS_FUZZ_X86_DECODE_REFERENCE_H
#define TESTS_FUZZ_X86_DECODE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/decode.h"

struct verdict {
	const char *complaint; /* NULL: they agree */
	bool accepted;	       /* by decode() */
	struct insn insn;
};

/*
 * Two demands. What decode() takes the reference takes, with the same length, operation, width,
 * registers and immediate. What the reference takes and is of the class that decode.h names,
 * decode() takes.
 */
struct verdict reference_compare(const uint8_t *bytes, size_t count, enum decode_mode mode);

/* Prints bytes and complaint, and ends the program. */
_Noreturn void reference_fail(const uint8_t *bytes, size_t count, enum decode_mode mode,
    const char *complaint);

#endif
