/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See decode_reference.h.
 */
#include "decode_reference.h"

#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static const struct {
	ZydisMnemonic mnemonic;
	enum insn_op op;
} names[] = {
	{ ZYDIS_MNEMONIC_MOV, INSN_MOV },
	{ ZYDIS_MNEMONIC_LMSW, INSN_LMSW },
};

static bool reference_decode(const uint8_t *bytes, size_t count, enum decode_mode mode,
    struct decoded *d)
{
	static ZydisDecoder decoders[3];
	static bool ready;

	if (!ready) {
		ZydisDecoderInit(&decoders[DECODE_16], ZYDIS_MACHINE_MODE_LEGACY_16,
		    ZYDIS_STACK_WIDTH_16);
		ZydisDecoderInit(&decoders[DECODE_32], ZYDIS_MACHINE_MODE_LEGACY_32,
		    ZYDIS_STACK_WIDTH_32);
		ZydisDecoderInit(&decoders[DECODE_64], ZYDIS_MACHINE_MODE_LONG_64,
		    ZYDIS_STACK_WIDTH_64);
		ready = true;
	}
	if (count > INSN_MAX_BYTES)
		count = INSN_MAX_BYTES;
	return ZYAN_SUCCESS(
	    ZydisDecoderDecodeFull(&decoders[mode], bytes, count, &d->insn, d->operands));
}

static ZydisRegisterClass register_class(const ZydisDecodedOperand *operand)
{
	return ZydisRegisterGetClass(operand->reg.value);
}

static bool is_control(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    register_class(operand) == ZYDIS_REGCLASS_CONTROL;
}

static bool is_memory(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY;
}

static int operation(const struct decoded *d)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].mnemonic != d->insn.mnemonic)
			continue;
		if (names[i].op == INSN_MOV && is_control(&d->operands[0]))
			return INSN_MOV_CR;
		return (int)names[i].op;
	}
	return -1;
}

/* The number of a general register as instructions encode it; `*high` for AH, CH, DH, BH. */
static int general(ZydisRegister reg, bool *high)
{
	int id = ZydisRegisterGetId(reg);

	*high = false;
	if (ZydisRegisterGetClass(reg) != ZYDIS_REGCLASS_GPR8)
		return id;
	*high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
	return reg < ZYDIS_REGISTER_AH ? reg - ZYDIS_REGISTER_AL : reg - ZYDIS_REGISTER_AH;
}

static bool is_general(ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);

	return class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16 ||
	    class == ZYDIS_REGCLASS_GPR32 || class == ZYDIS_REGCLASS_GPR64;
}

/* At most one prefix of a group; REX last; no LOCK, no REP. */
static bool prefixes_in_class(const struct decoded *d, int op)
{
	unsigned groups[5] = { 0 };

	for (unsigned i = 0; i < d->insn.raw.prefix_count; i++) {
		uint8_t byte = d->insn.raw.prefixes[i].value;
		unsigned group = 3;

		if (byte == 0xf0 || byte == 0xf2 || byte == 0xf3)
			return false;
		if (byte == 0x66) {
			group = 1;
			if (op == INSN_LMSW)
				return false;
		} else if (byte == 0x67) {
			group = 2;
		} else if ((byte & 0xf0) == 0x40) {
			group = 4;
			if (i + 1 != d->insn.raw.prefix_count)
				return false;
		}
		if (groups[group]++ != 0)
			return false;
	}
	return true;
}

/* What is written, and from where. */
static const ZydisDecodedOperand *target(const struct decoded *d)
{
	return &d->operands[0];
}

static const ZydisDecodedOperand *source(const struct decoded *d)
{
	return &d->operands[d->insn.mnemonic == ZYDIS_MNEMONIC_LMSW ? 0 : 1];
}

static bool in_class(const struct decoded *d)
{
	int op = operation(d);

	if (op < 0 || d->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    !prefixes_in_class(d, op))
		return false;
	if (op == INSN_MOV_CR)
		return true;
	if (op == INSN_LMSW)
		return !is_memory(target(d));
	/* Not a load. */
	if (!is_memory(target(d)) || (op == INSN_MOV && target(d) != d->operands))
		return false;
	return source(d)->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ||
	    (source(d)->type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(source(d)->reg.value));
}

#define DEMAND(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return #condition;                                                         \
	} while (0)

static uint64_t cut(uint64_t value, unsigned bytes)
{
	return bytes >= 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static const char *compare_source(const struct insn *insn, const ZydisDecodedOperand *from)
{
	bool high;

	DEMAND((insn->reg == INSN_NO_REG) == (from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE));
	if (insn->reg == INSN_NO_REG) {
		DEMAND(cut(insn->imm, insn->width) == cut(from->imm.value.u, insn->width));
		return NULL;
	}
	DEMAND(insn->reg == general(from->reg.value, &high));
	DEMAND(insn->high_byte == high);
	return NULL;
}

static const char *compare(const struct insn *insn, const struct decoded *d)
{
	DEMAND(insn->length == d->insn.length);
	DEMAND((int)insn->op == operation(d));
	if (insn->op == INSN_MOV_CR) {
		DEMAND(insn->special == ZydisRegisterGetId(target(d)->reg.value));
		DEMAND(insn->width * 8 == source(d)->size);
	} else if (insn->op == INSN_LMSW) {
		/* Sixteen bits count; what the reference names may be wider. */
		DEMAND(insn->width == 2 && !is_memory(target(d)));
	} else {
		DEMAND(is_memory(target(d)) && target(d)->mem.type == ZYDIS_MEMOP_TYPE_MEM);
		DEMAND(insn->width * 8 == target(d)->size);
	}
	return compare_source(insn, source(d));
}

struct verdict reference_compare(const uint8_t *bytes, size_t count, enum decode_mode mode)
{
	struct verdict v = { .complaint = NULL };
	struct decoded d;
	bool known = reference_decode(bytes, count, mode, &d);

	v.accepted = decode(bytes, (unsigned)count, mode, &v.insn);
	if (v.accepted && !known)
		v.complaint = "accepted, the reference refuses";
	else if (v.accepted)
		v.complaint = compare(&v.insn, &d);
	else if (known && in_class(&d))
		v.complaint = "refused, the reference knows it and it is of the class";
	return v;
}

_Noreturn void reference_fail(const uint8_t *bytes, size_t count, enum decode_mode mode,
    const char *complaint)
{
	fprintf(stderr, "mode %d:", mode == DECODE_16 ? 16 : mode == DECODE_32 ? 32 : 64);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, ": %s\n", complaint);
	abort();
}
