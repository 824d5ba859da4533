/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A table of the opcodes that are known, and one pass over the bytes; the rest is refused.
 */
#include "arch/x86/decode.h"

enum form {
	F_BARE,	   /* nothing follows */
	F_MEMORY,  /* ModRM: memory and register */
	F_IMM,	   /* ModRM /0, immediate: to memory */
	F_MOFFS,   /* offset of address size, accumulator */
	F_STRING,  /* rDI, rSI, accumulator */
	F_PORT,	   /* port in an immediate byte, accumulator */
	F_DX,	   /* port in DX, accumulator */
	F_SPECIAL, /* ModRM: control or debug register */
	F_LOW,	   /* general register in the low three bits of the opcode */
};

/* Bytes accessed; operand size; or by bit 0 of the opcode: clear one byte, set operand size. */
enum width { W_1 = 1, W_2 = 2, W_4 = 4, W_OPERAND, W_BIT0 };

struct opcode {
	uint16_t code; /* after 0F: 0Fxx, after 0F 01: 01xx. W_BIT0: code + 1, too */
	uint8_t op, form, width;
	bool writes;
};

static const struct opcode opcodes[] = {
	{ 0x0063, INSN_MOVSX, F_MEMORY, W_4, false },
	{ 0x0086, INSN_XCHG, F_MEMORY, W_BIT0, true },
	{ 0x0088, INSN_MOV, F_MEMORY, W_BIT0, true },
	{ 0x008a, INSN_MOV, F_MEMORY, W_BIT0, false },
	{ 0x00a0, INSN_MOV, F_MOFFS, W_BIT0, false },
	{ 0x00a2, INSN_MOV, F_MOFFS, W_BIT0, true },
	{ 0x00a4, INSN_MOVS, F_STRING, W_BIT0, true },
	{ 0x00aa, INSN_STOS, F_STRING, W_BIT0, true },
	{ 0x00c6, INSN_MOV, F_IMM, W_BIT0, true },
	{ 0x00e4, INSN_IN, F_PORT, W_BIT0, false },
	{ 0x00e6, INSN_OUT, F_PORT, W_BIT0, true },
	{ 0x00ec, INSN_IN, F_DX, W_BIT0, false },
	{ 0x00ee, INSN_OUT, F_DX, W_BIT0, true },
	{ 0x00f4, INSN_HLT, F_BARE, W_OPERAND, false },
	{ 0x0f06, INSN_CLTS, F_BARE, W_OPERAND, false },
	{ 0x0f08, INSN_INVD, F_BARE, W_OPERAND, false },
	{ 0x0f09, INSN_WBINVD, F_BARE, W_OPERAND, false },
	{ 0x0f20, INSN_MOV_CR, F_SPECIAL, W_OPERAND, false },
	{ 0x0f21, INSN_MOV_DR, F_SPECIAL, W_OPERAND, false },
	{ 0x0f22, INSN_MOV_CR, F_SPECIAL, W_OPERAND, true },
	{ 0x0f23, INSN_MOV_DR, F_SPECIAL, W_OPERAND, true },
	{ 0x0f30, INSN_WRMSR, F_BARE, W_OPERAND, false },
	{ 0x0f31, INSN_RDTSC, F_BARE, W_OPERAND, false },
	{ 0x0f32, INSN_RDMSR, F_BARE, W_OPERAND, false },
	{ 0x0f33, INSN_RDPMC, F_BARE, W_OPERAND, false },
	{ 0x0fa2, INSN_CPUID, F_BARE, W_OPERAND, false },
	{ 0x0fb6, INSN_MOVZX, F_MEMORY, W_1, false },
	{ 0x0fb7, INSN_MOVZX, F_MEMORY, W_2, false },
	{ 0x0fbe, INSN_MOVSX, F_MEMORY, W_1, false },
	{ 0x0fbf, INSN_MOVSX, F_MEMORY, W_2, false },
	{ 0x01c1, INSN_VMCALL, F_BARE, W_OPERAND, false },
	{ 0x01d1, INSN_XSETBV, F_BARE, W_OPERAND, false },
	{ 0x01d9, INSN_VMMCALL, F_BARE, W_OPERAND, false },
	{ 0x01f0, INSN_LMSW, F_LOW, W_2, true },
	{ 0x01f9, INSN_RDTSCP, F_BARE, W_OPERAND, false },
};

enum { SEGMENT_ES = 0, SEGMENT_SS = 2, SEGMENT_DS = 3 };
enum { P_OPERAND, P_ADDRESS, P_REPEAT, P_SEGMENT, P_COUNT };

struct state {
	const uint8_t *bytes;
	unsigned count, at;
	enum decode_mode mode;
	bool failed;
	uint8_t prefix[P_COUNT], rex; /* bytes; 0: none */
	uint8_t size;		      /* of operands */
	uint8_t mod, reg, rm;	      /* of ModRM; reg with REX.R, rm without REX.B */
};

static uint64_t fetch(struct state *s, unsigned bytes)
{
	uint64_t value = 0;

	s->failed |= bytes > s->count - s->at;
	for (unsigned i = 0; i < bytes && !s->failed; i++)
		value |= (uint64_t)s->bytes[s->at++] << 8 * i;
	return value;
}

static uint64_t fetch_signed(struct state *s, unsigned bytes)
{
	uint64_t sign = bytes == 0 ? 0 : 1ull << (8 * bytes - 1);

	return (fetch(s, bytes) ^ sign) - sign;
}

/* One prefix of each group at most: of two, CPUs and manuals disagree on which counts. */
static bool take_prefix(struct state *s, uint8_t byte)
{
	static const uint8_t groups[P_COUNT][6] = { { 0x66 }, { 0x67 }, { 0xf0, 0xf2, 0xf3 },
		{ 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 } };

	for (unsigned i = 0; i < sizeof(groups); i++) {
		if (byte != 0 && groups[i / 6][i % 6] == byte) {
			s->failed |= s->prefix[i / 6] != 0;
			s->prefix[i / 6] = byte;
			return true;
		}
	}
	return false;
}

/* REX counts only right before the opcode, so a prefix after it is not known here. SDM 2A 2.2.1. */
static uint16_t take_prefixes(struct state *s, struct insn *insn)
{
	uint8_t byte;

	do
		byte = (uint8_t)fetch(s, 1);
	while (!s->failed && take_prefix(s, byte));
	s->size = (s->mode != DECODE_16) != (s->prefix[P_OPERAND] != 0) ? 4 : 2;
	insn->address_width = (s->mode != DECODE_16) != (s->prefix[P_ADDRESS] != 0) ? 4 : 2;
	if (s->mode != DECODE_64)
		return byte;
	insn->address_width = s->prefix[P_ADDRESS] != 0 ? 4 : 8;
	if ((byte & 0xf0) != 0x40)
		return byte;
	s->rex = byte;
	s->size = (byte & 8) != 0 ? 8 : s->size;
	return (uint8_t)fetch(s, 1);
}

/* A register number: three bits of the instruction, the fourth from REX.B (0), .X (1) or .R (2). */
static uint8_t number(const struct state *s, unsigned low, unsigned rex_bit)
{
	return (uint8_t)((low & 7) | (s->rex >> rex_bit & 1) << 3);
}

static const struct opcode *take_opcode(struct state *s, struct insn *insn)
{
	uint16_t code = take_prefixes(s, insn);

	if (code == 0x0f)
		code = (uint16_t)(0x0f00 | fetch(s, 1));
	if (code == 0x0f01) {
		code = (uint16_t)(0x0100 | fetch(s, 1));
		s->failed |= s->prefix[P_OPERAND] != 0; /* makes another, or none */
	}
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		unsigned spared = opcodes[i].width == W_BIT0 ? 1 : opcodes[i].form == F_LOW ? 7 : 0;

		if (opcodes[i].code == (code & ~spared))
			return &opcodes[i];
	}
	return NULL;
}

static void set_segment(const struct state *s, struct insn *insn, uint8_t otherwise)
{
	insn->segment = otherwise;
	if (s->prefix[P_SEGMENT] >= 0x64)
		insn->segment = s->prefix[P_SEGMENT] - 0x60;
	else if (s->prefix[P_SEGMENT] != 0 && s->mode != DECODE_64)
		insn->segment = s->prefix[P_SEGMENT] >> 3 & 3;
}

static void take_modrm(struct state *s)
{
	uint8_t byte = (uint8_t)fetch(s, 1);

	s->mod = byte >> 6;
	s->reg = number(s, byte >> 3, 2);
	s->rm = byte & 7;
}

/* 16-bit addressing: SDM 2A table 2-1. */
static void memory_16(struct state *s, struct insn *insn)
{
	static const uint8_t bases[] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	bool absolute = s->mod == 0 && s->rm == 6;

	if (!absolute)
		insn->base = bases[s->rm];
	if (s->rm < 4)
		insn->index = 6 + (s->rm & 1);
	set_segment(s, insn, insn->base == 5 ? SEGMENT_SS : SEGMENT_DS);
	insn->displacement = fetch_signed(s, absolute ? 2 : s->mod);
}

/* 32-bit and 64-bit addressing: SDM 2A tables 2-2, 2-3, section 2.2.1.6. */
static void memory_32(struct state *s, struct insn *insn)
{
	bool absolute, sib = s->rm == 4;

	if (sib) {
		uint8_t byte = (uint8_t)fetch(s, 1);

		insn->scale = byte >> 6;
		if (number(s, byte >> 3, 1) != 4)
			insn->index = number(s, byte >> 3, 1);
		s->rm = byte & 7;
	}
	absolute = s->mod == 0 && s->rm == 5;
	if (!absolute)
		insn->base = number(s, s->rm, 0);
	insn->rip_relative = absolute && !sib && s->mode == DECODE_64;
	set_segment(s, insn, insn->base == 4 || insn->base == 5 ? SEGMENT_SS : SEGMENT_DS);
	insn->displacement = fetch_signed(s, absolute || s->mod == 2 ? 4 : s->mod);
}

static void take_memory(struct state *s, struct insn *insn)
{
	take_modrm(s);
	s->failed |= s->mod == 3;
	if (insn->address_width == 2)
		memory_16(s, insn);
	else
		memory_32(s, insn);
}

static void set_register(const struct state *s, struct insn *insn, uint8_t reg, uint8_t width)
{
	insn->high_byte = width == 1 && s->rex == 0 && reg >= 4;
	insn->reg = insn->high_byte ? reg - 4 : reg;
	insn->reg_width = width;
}

/* CR 0, 2, 3, 4 and 8, DR 0 to 7. The ModRM byte always names a register. */
static void take_special(struct state *s, struct insn *insn)
{
	take_modrm(s);
	insn->special = s->reg;
	insn->width = s->mode == DECODE_64 ? 8 : 4;
	set_register(s, insn, number(s, s->rm, 0), insn->width);
	s->failed |= ((insn->op == INSN_MOV_CR ? 0x11du : 0xffu) >> s->reg & 1) == 0;
}

static void take_operands(struct state *s, struct insn *insn, enum form form)
{
	bool extends = insn->op == INSN_MOVZX || insn->op == INSN_MOVSX;

	if (form == F_MOFFS || form == F_PORT || form == F_DX || insn->op == INSN_STOS)
		set_register(s, insn, 0, insn->width);
	if (form == F_MEMORY) {
		take_memory(s, insn);
		set_register(s, insn, s->reg, extends ? s->size : insn->width);
	} else if (form == F_IMM) {
		take_memory(s, insn);
		s->failed |= (s->reg & 7) != 0;
		insn->has_imm = true;
		insn->imm = fetch_signed(s, insn->width == 8 ? 4 : insn->width);
	} else if (form == F_MOFFS) {
		set_segment(s, insn, SEGMENT_DS);
		insn->displacement = fetch(s, insn->address_width);
	} else if (form == F_STRING) {
		insn->rep = s->prefix[P_REPEAT] != 0;
		insn->segment = SEGMENT_ES;
		insn->base = insn->op == INSN_STOS ? 7 : 6;
		if (insn->op == INSN_MOVS)
			set_segment(s, insn, SEGMENT_DS);
	} else if (form == F_PORT) {
		insn->has_imm = true;
		insn->imm = fetch(s, 1);
	} else if (form == F_SPECIAL) {
		take_special(s, insn);
	} else if (form == F_LOW) {
		set_register(s, insn, number(s, s->bytes[s->at - 1], 0), insn->width);
	}
}

/* IN and OUT have no 64-bit form. */
static uint8_t access_width(const struct state *s, const struct opcode *opcode)
{
	if (opcode->width < W_OPERAND)
		return opcode->width;
	if (opcode->width == W_BIT0 && (s->bytes[s->at - 1] & 1) == 0)
		return 1;
	return s->size == 8 && (opcode->form == F_PORT || opcode->form == F_DX) ? 4 : s->size;
}

bool decode(const uint8_t *bytes, unsigned count, enum decode_mode mode, struct insn *insn)
{
	struct state s = { .bytes = bytes, .mode = mode };
	const struct opcode *opcode;
	uint8_t allowed;

	*insn = (struct insn){ .reg = INSN_NO_REG, .base = INSN_NO_REG, .index = INSN_NO_REG };
	s.count = count < INSN_MAX_BYTES ? count : INSN_MAX_BYTES;
	opcode = take_opcode(&s, insn);
	if (s.failed || opcode == NULL)
		return false;
	/* LOCK is XCHG's alone, REP the string instructions'; F2 there has no defined meaning. */
	allowed = opcode->op == INSN_XCHG ? 0xf0 : opcode->form == F_STRING ? 0xf3 : 0;
	if (s.prefix[P_REPEAT] != 0 && s.prefix[P_REPEAT] != allowed)
		return false;
	/* 63 is MOVSXD in 64-bit mode only; with 66 CPUs differ in what it reads. */
	if (opcode->code == 0x63 && (mode != DECODE_64 || s.size == 2))
		return false;
	insn->op = opcode->op;
	insn->writes = opcode->writes;
	insn->width = access_width(&s, opcode);
	take_operands(&s, insn, opcode->form);
	insn->length = (uint8_t)s.at;
	return !s.failed;
}
