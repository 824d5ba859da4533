/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libFuzzer: the instruction decoder against the reference. First byte: mode; the rest: what
 * there is of an instruction. What it writes is then read from registers, which must not go wrong
 * either.
 */
#include <string.h>

#include "decode_reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum decode_mode mode;
	struct guest_regs regs;
	struct verdict v;

	if (size == 0)
		return 0;
	mode = (enum decode_mode)(data[0] % 3);
	v = reference_compare(data + 1, size - 1, mode);
	if (v.complaint != NULL)
		reference_fail(data + 1, size - 1, mode, v.complaint);
	if (!v.accepted)
		return 0;
	memset(&regs, data[0], sizeof(regs));
	(void)decode_source(&v.insn, &regs);
	return 0;
}
