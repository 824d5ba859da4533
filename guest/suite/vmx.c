/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtualization, SMX, SGX and platform instructions: none of them exists for the guest (T26).
 */
#include "guest/suite/suite.h"

#include "guest/lib/low_layout.h"
#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define INSN(name, bytes)                                                                          \
	{                                                                                          \
		name,                                                                              \
		{                                                                                  \
			CODE(bytes)                                                                \
		}                                                                                  \
	}

/* Memory operands are (%rsi), which is a page of the guest's own. */
static const struct {
	const char *name;
	struct snippet code;
} instructions[] = {
	INSN("VMXON", "\xf3\x0f\xc7\x36"),
	INSN("VMXOFF", "\x0f\x01\xc4"),
	INSN("VMCLEAR", "\x66\x0f\xc7\x36"),
	INSN("VMPTRLD", "\x0f\xc7\x36"),
	INSN("VMPTRST", "\x0f\xc7\x3e"),
	INSN("VMREAD", "\x0f\x78\xc1"),
	INSN("VMWRITE", "\x0f\x79\xc1"),
	INSN("VMLAUNCH", "\x0f\x01\xc2"),
	INSN("VMRESUME", "\x0f\x01\xc3"),
	INSN("INVEPT", "\x66\x0f\x38\x80\x06"),
	INSN("INVVPID", "\x66\x0f\x38\x81\x06"),
	INSN("VMFUNC", "\x0f\x01\xd4"),
	INSN("GETSEC", "\x0f\x37"),
	INSN("ENCLS", "\x0f\x01\xcf"),
	INSN("ENCLU", "\x0f\x01\xd7"),
	INSN("ENCLV", "\x0f\x01\xc0"),
	INSN("PCONFIG", "\x0f\x01\xc5"),
	INSN("RSM", "\x0f\xaa"),
	INSN("SEAMCALL", "\x66\x0f\x01\xcf"),
	INSN("TDCALL", "\x66\x0f\x01\xcc"),
	INSN("VMRUN", "\x0f\x01\xd8"),
	INSN("VMMCALL", "\x0f\x01\xd9"),
	INSN("VMLOAD", "\x0f\x01\xda"),
	INSN("VMSAVE", "\x0f\x01\xdb"),
	INSN("STGI", "\x0f\x01\xdc"),
	INSN("CLGI", "\x0f\x01\xdd"),
	INSN("SKINIT", "\x0f\x01\xde"),
	INSN("INVLPGA", "\x0f\x01\xdf"),
};

static void in_mode(enum mode mode)
{
	char what[40] = "T26 ";

	for (unsigned i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		struct snippet s = instructions[i].code;

		memcpy(what + 4, instructions[i].name, strlen(instructions[i].name) + 1);
		s.rsi = (uint64_t)low_area() + LOW_SPARE;
		mode_expect(what, mode, &s, VECTOR_UD, TRAP_ANY_ERROR);
	}
}

/* With CR4.VMXE refused, VMXON has to stay #UD whatever order things are tried in. */
static void after_vmxe(void)
{
	struct snippet entering = instructions[0].code;
	uint64_t cr4 = read_cr4() | CR4_VMXE;

	entering.rsi = (uint64_t)low_area() + LOW_SPARE;
	trap_try(do_write_cr4, &cr4, NULL);
	mode_expect("T26 VMXON after CR4.VMXE was tried", MODE_KERNEL64, &entering, VECTOR_UD,
	    TRAP_ANY_ERROR);
}

void suite_vmx(void)
{
	in_mode(MODE_KERNEL64);
	in_mode(MODE_COMPAT32);
	in_mode(MODE_USER64);
	in_mode(MODE_PROTECTED32);
	in_mode(MODE_REAL);
	after_vmxe();
}
