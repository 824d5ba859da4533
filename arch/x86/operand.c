/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a decoded instruction reads from and writes to the guest's general registers.
 */
#include "arch/x86/decode.h"

static uint64_t cut(uint64_t value, unsigned bytes)
{
	return bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static uint64_t get(struct guest_regs *regs, uint8_t reg)
{
	return reg == INSN_NO_REG ? 0 : *guest_reg(regs, reg);
}

uint64_t decode_offset(const struct insn *insn, struct guest_regs *regs, uint64_t rip)
{
	uint64_t offset = get(regs, insn->base) + insn->displacement;

	offset += get(regs, insn->index) << insn->scale;
	if (insn->rip_relative)
		offset += rip + insn->length;
	return cut(offset, insn->address_width);
}

uint64_t decode_source(const struct insn *insn, struct guest_regs *regs)
{
	uint64_t value = get(regs, insn->reg) >> (insn->high_byte ? 8 : 0);

	if (insn->has_imm && insn->op == INSN_MOV)
		value = insn->imm;
	return cut(value, insn->width);
}

void decode_load(const struct insn *insn, struct guest_regs *regs, uint64_t value)
{
	unsigned shift = insn->high_byte ? 8 : 0;
	uint64_t *target = guest_reg(regs, insn->reg);
	uint64_t keep;

	value = cut(value, insn->width);
	if (insn->op == INSN_MOVSX && (value >> (8 * insn->width - 1) & 1) != 0)
		value |= ~0ull << (8 * insn->width - 1);
	value = cut(value, insn->reg_width);
	/* Writing 32 bits clears the upper half; 8 and 16 leave what they do not write. */
	keep = insn->reg_width < 4 ? ~(cut(~0ull, insn->reg_width) << shift) : 0;
	if (insn->reg != INSN_NO_REG)
		*target = (*target & keep) | value << shift;
}
