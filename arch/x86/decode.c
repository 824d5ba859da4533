/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Tables of the opcodes that are known, and one pass over the bytes. What is in no table is refused.
 */
#include "arch/x86/decode.h"

#include <stddef.h>

enum form {
	F_BARE,	   /* nothing follows */
	F_STORE,   /* ModRM: register to memory */
	F_LOAD,	   /* ModRM: memory to register */
	F_IMM,	   /* ModRM /0, immediate: to memory */
	F_MOFFS,   /* offset of address size */
	F_STRING,  /* rDI, rSI */
	F_PORT,	   /* port in an immediate byte */
	F_DX,	   /* port in DX */
	F_SPECIAL, /* ModRM: control or debug register */
};

/* Bytes of the access to memory; or the operand size; or one byte where bit 0 of the opcode is clear, else that. */
enum width { W_1 = 1, W_2 = 2, W_4 = 4, W_OPERAND, W_BIT0 };

struct opcode {
	uint8_t code; /* with W_BIT0 it stands for code + 1, too */
	uint8_t op;
	uint8_t form;
	uint8_t width;
	bool writes;
};

static const struct opcode one_byte[] = {
	{ 0x63, INSN_MOVSX, F_LOAD, W_4, false },
	{ 0x86, INSN_XCHG, F_STORE, W_BIT0, true },
	{ 0x88, INSN_MOV, F_STORE, W_BIT0, true },
	{ 0x8a, INSN_MOV, F_LOAD, W_BIT0, false },
	{ 0xa0, INSN_MOV, F_MOFFS, W_BIT0, false },
	{ 0xa2, INSN_MOV, F_MOFFS, W_BIT0, true },
	{ 0xa4, INSN_MOVS, F_STRING, W_BIT0, true },
	{ 0xaa, INSN_STOS, F_STRING, W_BIT0, true },
	{ 0xc6, INSN_MOV, F_IMM, W_BIT0, true },
	{ 0xe4, INSN_IN, F_PORT, W_BIT0, false },
	{ 0xe6, INSN_OUT, F_PORT, W_BIT0, true },
	{ 0xec, INSN_IN, F_DX, W_BIT0, false },
	{ 0xee, INSN_OUT, F_DX, W_BIT0, true },
	{ 0xf4, INSN_HLT, F_BARE, W_OPERAND, false },
};

/* After 0F. */
static const struct opcode two_byte[] = {
	{ 0x06, INSN_CLTS, F_BARE, W_OPERAND, false },
	{ 0x08, INSN_INVD, F_BARE, W_OPERAND, false },
	{ 0x09, INSN_WBINVD, F_BARE, W_OPERAND, false },
	{ 0x20, INSN_MOV_CR, F_SPECIAL, W_OPERAND, false },
	{ 0x21, INSN_MOV_DR, F_SPECIAL, W_OPERAND, false },
	{ 0x22, INSN_MOV_CR, F_SPECIAL, W_OPERAND, true },
	{ 0x23, INSN_MOV_DR, F_SPECIAL, W_OPERAND, true },
	{ 0x30, INSN_WRMSR, F_BARE, W_OPERAND, false },
	{ 0x31, INSN_RDTSC, F_BARE, W_OPERAND, false },
	{ 0x32, INSN_RDMSR, F_BARE, W_OPERAND, false },
	{ 0x33, INSN_RDPMC, F_BARE, W_OPERAND, false },
	{ 0xa2, INSN_CPUID, F_BARE, W_OPERAND, false },
	{ 0xb6, INSN_MOVZX, F_LOAD, W_1, false },
	{ 0xb7, INSN_MOVZX, F_LOAD, W_2, false },
	{ 0xbe, INSN_MOVSX, F_LOAD, W_1, false },
	{ 0xbf, INSN_MOVSX, F_LOAD, W_2, false },
};

/* After 0F 01. */
static const struct opcode system_byte[] = {
	{ 0xc1, INSN_VMCALL, F_BARE, W_OPERAND, false },
	{ 0xd1, INSN_XSETBV, F_BARE, W_OPERAND, false },
	{ 0xd9, INSN_VMMCALL, F_BARE, W_OPERAND, false },
	{ 0xf9, INSN_RDTSCP, F_BARE, W_OPERAND, false },
};

#define FIND(table, code) find(table, sizeof(table) / sizeof((table)[0]), code)

#define SEGMENT_ES 0
#define SEGMENT_SS 2
#define SEGMENT_DS 3

#define REX_W 8u
#define REX_R 4u
#define REX_X 2u
#define REX_B 1u

struct state {
	const uint8_t *bytes;
	unsigned count, at;
	bool failed;
	enum decode_mode mode;
	uint8_t rex;	 /* 0: none */
	uint8_t segment; /* prefix byte, or 0: none */
	uint8_t repeat;	 /* likewise: F2, F3, F0 */
	bool operand_prefix, address_prefix;
	uint8_t size;	      /* of operands */
	uint8_t mod, reg, rm; /* ModRM; reg with REX.R */
};

static uint64_t fetch(struct state *s, unsigned bytes)
{
	uint64_t value = 0;

	if (bytes > s->count - s->at) {
		s->failed = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)s->bytes[s->at++] << 8 * i;
	return value;
}

static uint64_t sign_extend(uint64_t value, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static const struct opcode *find(const struct opcode *table, size_t rows, uint8_t code)
{
	for (size_t i = 0; i < rows; i++) {
		if (table[i].code == (table[i].width == W_BIT0 ? code & 0xfe : code))
			return &table[i];
	}
	return NULL;
}

/* One prefix of each group at most: of two, CPUs and manuals disagree on which counts. */
static bool take_prefix(struct state *s, uint8_t byte)
{
	bool again;

	if (byte == 0x66) {
		again = s->operand_prefix;
		s->operand_prefix = true;
	} else if (byte == 0x67) {
		again = s->address_prefix;
		s->address_prefix = true;
	} else if (byte == 0xf0 || byte == 0xf2 || byte == 0xf3) {
		again = s->repeat != 0;
		s->repeat = byte;
	} else if ((byte & 0xe7) == 0x26 || byte == 0x64 || byte == 0x65) {
		again = s->segment != 0;
		s->segment = byte;
	} else {
		return false;
	}
	s->failed |= again;
	return true;
}

static uint8_t take_prefixes(struct state *s)
{
	uint8_t byte = (uint8_t)fetch(s, 1);

	while (!s->failed && take_prefix(s, byte))
		byte = (uint8_t)fetch(s, 1);
	if (s->mode == DECODE_64 && (byte & 0xf0) == 0x40) {
		s->rex = byte;
		byte = (uint8_t)fetch(s, 1);
	}
	return byte;
}

static const struct opcode *take_opcode(struct state *s)
{
	uint8_t byte = take_prefixes(s);

	if (byte != 0x0f)
		return FIND(one_byte, byte);
	byte = (uint8_t)fetch(s, 1);
	if (byte != 0x01)
		return FIND(two_byte, byte);
	/* There 66 makes other instructions, or none. */
	s->failed |= s->operand_prefix;
	return FIND(system_byte, (uint8_t)fetch(s, 1));
}

static void set_sizes(struct state *s, struct insn *insn)
{
	bool big = (s->mode != DECODE_16) != s->operand_prefix;

	s->size = (s->rex & REX_W) != 0 ? 8 : big ? 4 : 2;
	if (s->mode == DECODE_64)
		insn->address_width = s->address_prefix ? 4 : 8;
	else
		insn->address_width = (s->mode == DECODE_32) != s->address_prefix ? 4 : 2;
}

static void set_segment(const struct state *s, struct insn *insn, uint8_t otherwise)
{
	insn->segment = otherwise;
	if (s->segment == 0x64 || s->segment == 0x65)
		insn->segment = s->segment - 0x60;
	else if (s->segment != 0 && s->mode != DECODE_64)
		insn->segment = s->segment >> 3 & 3;
}

static void take_modrm(struct state *s)
{
	uint8_t byte = (uint8_t)fetch(s, 1);

	s->mod = byte >> 6;
	s->reg = (byte >> 3 & 7) | ((s->rex & REX_R) != 0 ? 8 : 0);
	s->rm = byte & 7;
}

/* 16-bit addressing. SDM 2A table 2-1. */
static void memory_16(struct state *s, struct insn *insn)
{
	static const uint8_t bases[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const uint8_t indexes[8] = { 6, 7, 6, 7, INSN_NO_REG, INSN_NO_REG, INSN_NO_REG,
		INSN_NO_REG };
	unsigned bytes = s->mod;

	insn->base = bases[s->rm];
	insn->index = indexes[s->rm];
	if (s->mod == 0 && s->rm == 6) {
		insn->base = INSN_NO_REG;
		bytes = 2;
	}
	set_segment(s, insn, insn->base == 5 ? SEGMENT_SS : SEGMENT_DS);
	if (bytes != 0)
		insn->displacement = sign_extend(fetch(s, bytes), bytes);
}

static void take_sib(struct state *s, struct insn *insn)
{
	uint8_t byte = (uint8_t)fetch(s, 1);
	uint8_t index = (byte >> 3 & 7) | ((s->rex & REX_X) != 0 ? 8 : 0);

	insn->scale = byte >> 6;
	insn->index = index == 4 ? INSN_NO_REG : index;
	s->rm = byte & 7;
}

/* 32-bit and 64-bit addressing. SDM 2A tables 2-2, 2-3, 2.2.1.6. */
static void memory_32(struct state *s, struct insn *insn)
{
	bool sib = s->rm == 4;
	unsigned bytes = s->mod == 2 ? 4 : s->mod;

	if (sib)
		take_sib(s, insn);
	if (s->mod == 0 && s->rm == 5) {
		insn->rip_relative = !sib && s->mode == DECODE_64;
		bytes = 4;
	} else {
		insn->base = s->rm | ((s->rex & REX_B) != 0 ? 8 : 0);
	}
	set_segment(s, insn, insn->base == 4 || insn->base == 5 ? SEGMENT_SS : SEGMENT_DS);
	if (bytes != 0)
		insn->displacement = sign_extend(fetch(s, bytes), bytes);
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
	insn->high_byte = width == 1 && s->rex == 0 && reg >= 4 && reg < 8;
	insn->reg = insn->high_byte ? reg - 4 : reg;
	insn->reg_width = width;
}

static void take_immediate(struct state *s, struct insn *insn)
{
	unsigned bytes = insn->width == 8 ? 4 : insn->width;

	s->failed |= (s->reg & 7) != 0;
	insn->has_imm = true;
	insn->imm = sign_extend(fetch(s, bytes), bytes);
}

static void take_special(struct state *s, struct insn *insn)
{
	bool control = insn->op == INSN_MOV_CR;

	take_modrm(s);
	insn->special = s->reg;
	insn->width = s->mode == DECODE_64 ? 8 : 4;
	set_register(s, insn, s->rm | ((s->rex & REX_B) != 0 ? 8 : 0), insn->width);
	s->failed |= s->reg > 8 || (s->reg == 8 && !control);
	s->failed |= control && (s->reg == 1 || (s->reg > 4 && s->reg < 8));
}

/* The operands of IN and OUT have no 64-bit form. */
static void take_port(struct state *s, struct insn *insn, bool immediate)
{
	if (insn->width == 8)
		insn->width = 4;
	set_register(s, insn, 0, insn->width);
	insn->has_imm = immediate;
	if (immediate)
		insn->imm = fetch(s, 1);
}

static void take_string(struct state *s, struct insn *insn)
{
	bool from_memory = insn->op == INSN_MOVS;

	insn->rep = s->repeat != 0;
	insn->segment = SEGMENT_ES;
	insn->base = from_memory ? 6 : 7;
	if (from_memory)
		set_segment(s, insn, SEGMENT_DS);
	else
		set_register(s, insn, 0, insn->width);
}

static void take_operands(struct state *s, struct insn *insn, enum form form)
{
	bool widens = insn->op == INSN_MOVZX || insn->op == INSN_MOVSX;

	if (form == F_STORE || form == F_LOAD) {
		take_memory(s, insn);
		set_register(s, insn, s->reg, widens ? s->size : insn->width);
	} else if (form == F_IMM) {
		take_memory(s, insn);
		take_immediate(s, insn);
	} else if (form == F_MOFFS) {
		set_segment(s, insn, SEGMENT_DS);
		set_register(s, insn, 0, insn->width);
		insn->displacement = fetch(s, insn->address_width);
	} else if (form == F_STRING) {
		take_string(s, insn);
	} else if (form == F_PORT || form == F_DX) {
		take_port(s, insn, form == F_PORT);
	} else if (form == F_SPECIAL) {
		take_special(s, insn);
	}
}

/* LOCK is XCHG's alone, REP the string instructions'; F2 there has no defined meaning. */
static bool repeat_valid(const struct state *s, const struct opcode *opcode)
{
	if (s->repeat == 0xf0)
		return opcode->op == INSN_XCHG;
	return s->repeat == 0 || (s->repeat == 0xf3 && opcode->form == F_STRING);
}

static uint8_t access_width(const struct state *s, const struct opcode *opcode)
{
	if (opcode->width == W_BIT0)
		return (s->bytes[s->at - 1] & 1) != 0 ? s->size : 1;
	return opcode->width == W_OPERAND ? s->size : opcode->width;
}

bool decode(const uint8_t *bytes, unsigned count, enum decode_mode mode, struct insn *insn)
{
	struct state s = { .bytes = bytes, .mode = mode };
	const struct opcode *opcode;

	*insn = (struct insn){ .reg = INSN_NO_REG, .base = INSN_NO_REG, .index = INSN_NO_REG };
	s.count = count < INSN_MAX_BYTES ? count : INSN_MAX_BYTES;
	opcode = take_opcode(&s);
	if (opcode == NULL || s.failed || !repeat_valid(&s, opcode))
		return false;
	set_sizes(&s, insn);
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
