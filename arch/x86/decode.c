/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A table of the opcodes that are known, and one pass over the bytes; the rest is refused.
 */
#include "arch/x86/decode.h"

enum form {
	F_MEMORY, /* ModRM: memory and register */
	F_IMM,	  /* ModRM /0, immediate: to memory */
	F_OFFSET, /* offset of address size, accumulator */
	F_CR,	  /* ModRM: control register and register */
	F_LOW,	  /* register in the low three bits of the opcode */
};

static const struct opcode {
	uint16_t code; /* after 0F: 0Fxx, after 0F 01: 01xx */
	/* its bits that do not count; 1: clear for one byte, set for operand size */
	uint8_t spared;
	uint8_t op, form;
} opcodes[] = {
	{ 0x0088, 1, INSN_MOV, F_MEMORY },
	{ 0x00a2, 1, INSN_MOV, F_OFFSET },
	{ 0x00c6, 1, INSN_MOV, F_IMM },
	{ 0x0f22, 0, INSN_MOV_CR, F_CR },
	{ 0x01f0, 7, INSN_LMSW, F_LOW },
};

enum prefix { P_OPERAND, P_ADDRESS, P_SEGMENT, P_NONE };

struct state {
	const uint8_t *bytes;
	unsigned count, at;
	enum decode_mode mode;
	bool failed;
	bool prefix[P_NONE + 1];
	uint8_t rex;		  /* 0: none */
	uint8_t operand, address; /* their sizes */
	uint8_t opcode;		  /* its last byte */
};

static uint64_t fetch(struct state *s, unsigned bytes)
{
	uint64_t value = 0;

	s->failed |= bytes > s->count - s->at;
	for (unsigned i = 0; i < bytes && !s->failed; i++)
		value |= (uint64_t)s->bytes[s->at++] << 8 * i;
	return value;
}

/* One prefix of each group at most: of two, CPUs and manuals disagree on which counts. */
static bool take_prefix(struct state *s, uint8_t byte)
{
	bool segment = (byte & 0xe7) == 0x26 || (byte & 0xfe) == 0x64;
	enum prefix prefix = byte == 0x66 ? P_OPERAND
	    : byte == 0x67		  ? P_ADDRESS
	    : segment			  ? P_SEGMENT
					  : P_NONE;

	s->failed |= prefix != P_NONE && s->prefix[prefix];
	s->prefix[prefix] = true;
	return prefix != P_NONE;
}

/* REX counts only right before the opcode, so a prefix after it is not known here. SDM 2A 2.2.1. */
static uint16_t take_prefixes(struct state *s)
{
	bool wide = s->mode != DECODE_16;
	uint8_t byte;

	do
		byte = (uint8_t)fetch(s, 1);
	while (take_prefix(s, byte));
	s->operand = wide != s->prefix[P_OPERAND] ? 4 : 2;
	s->address = wide != s->prefix[P_ADDRESS] ? 4 : 2;
	if (s->mode != DECODE_64)
		return byte;
	s->address = s->prefix[P_ADDRESS] ? 4 : 8;
	if ((byte & 0xf0) != 0x40)
		return byte;
	s->rex = byte;
	s->operand = (byte & 8) != 0 ? 8 : s->operand;
	return (uint8_t)fetch(s, 1);
}

static const struct opcode *take_opcode(struct state *s)
{
	uint16_t code = take_prefixes(s);

	if (code == 0x0f)
		code = (uint16_t)(0x0f00 | fetch(s, 1));
	if (code == 0x0f01) {
		code = (uint16_t)(0x0100 | fetch(s, 1));
		s->failed |= s->prefix[P_OPERAND]; /* makes another, or none */
	}
	s->opcode = (uint8_t)code;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if (opcodes[i].code == (code & ~opcodes[i].spared))
			return &opcodes[i];
	return NULL;
}

/* ModRM of a memory operand, and what of its address follows. SDM 2A tables 2-1 to 2-3. */
static uint8_t take_memory(struct state *s)
{
	uint8_t modrm = (uint8_t)fetch(s, 1);
	unsigned mod = modrm >> 6;
	unsigned base = modrm & 7;

	s->failed |= mod == 3;
	if (s->address == 2) {
		(void)fetch(s, mod == 0 && base == 6 ? 2 : mod);
		return modrm;
	}
	if (base == 4)
		base = fetch(s, 1) & 7;
	(void)fetch(s, mod == 2 || (mod == 0 && base == 5) ? 4 : mod);
	return modrm;
}

/* Three bits of the instruction, the fourth from REX.B (0) or .R (2). */
static uint8_t number(const struct state *s, unsigned low, unsigned rex_bit)
{
	return (uint8_t)((low & 7) | (s->rex >> rex_bit & 1) << 3);
}

/* Returns the register that is written. */
static unsigned take_operands(struct state *s, struct insn *insn, enum form form)
{
	unsigned bytes = insn->width == 8 ? 4 : insn->width;
	uint64_t sign = 1ull << (8 * bytes - 1);
	uint8_t modrm;

	switch (form) {
	case F_MEMORY:
		return number(s, take_memory(s) >> 3, 2);
	case F_IMM:
		s->failed |= (take_memory(s) >> 3 & 7) != 0;
		insn->imm = (fetch(s, bytes) ^ sign) - sign;
		return INSN_NO_REG;
	case F_OFFSET:
		(void)fetch(s, s->address);
		return 0;
	case F_CR:
		/* CR 0, 2, 3, 4 and 8. This ModRM byte always names a register. */
		modrm = (uint8_t)fetch(s, 1);
		insn->special = number(s, modrm >> 3, 2);
		insn->width = s->mode == DECODE_64 ? 8 : 4;
		s->failed |= (0x11du >> insn->special & 1) == 0;
		return number(s, modrm, 0);
	default:
		return number(s, s->opcode, 0);
	}
}

bool decode(const uint8_t *bytes, unsigned count, enum decode_mode mode, struct insn *insn)
{
	struct state s = { .bytes = bytes, .mode = mode };
	const struct opcode *opcode;
	unsigned reg;

	s.count = count < INSN_MAX_BYTES ? count : INSN_MAX_BYTES;
	opcode = take_opcode(&s);
	if (s.failed || opcode == NULL)
		return false;
	*insn = (struct insn){ .op = opcode->op };
	insn->width = opcode->spared != 1 ? 2 : s.opcode & 1 ? s.operand : 1;
	reg = take_operands(&s, insn, opcode->form);
	insn->high_byte = insn->width == 1 && s.rex == 0 && reg >= 4 && reg != INSN_NO_REG;
	insn->reg = (uint8_t)(insn->high_byte ? reg - 4 : reg);
	insn->length = (uint8_t)s.at;
	return !s.failed;
}

uint64_t decode_source(const struct insn *insn, struct guest_regs *regs)
{
	uint64_t value = insn->imm;

	if (insn->reg != INSN_NO_REG)
		value = *guest_reg(regs, insn->reg) >> (insn->high_byte ? 8 : 0);
	return insn->width == 8 ? value : value & ((1ull << 8 * insn->width) - 1);
}
