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
	{ ZYDIS_MNEMONIC_MOVZX, INSN_MOVZX },
	{ ZYDIS_MNEMONIC_MOVSX, INSN_MOVSX },
	{ ZYDIS_MNEMONIC_MOVSXD, INSN_MOVSX },
	{ ZYDIS_MNEMONIC_XCHG, INSN_XCHG },
	{ ZYDIS_MNEMONIC_STOSB, INSN_STOS },
	{ ZYDIS_MNEMONIC_STOSW, INSN_STOS },
	{ ZYDIS_MNEMONIC_STOSD, INSN_STOS },
	{ ZYDIS_MNEMONIC_STOSQ, INSN_STOS },
	{ ZYDIS_MNEMONIC_MOVSB, INSN_MOVS },
	{ ZYDIS_MNEMONIC_MOVSW, INSN_MOVS },
	{ ZYDIS_MNEMONIC_MOVSD, INSN_MOVS },
	{ ZYDIS_MNEMONIC_MOVSQ, INSN_MOVS },
	{ ZYDIS_MNEMONIC_IN, INSN_IN },
	{ ZYDIS_MNEMONIC_OUT, INSN_OUT },
	{ ZYDIS_MNEMONIC_CPUID, INSN_CPUID },
	{ ZYDIS_MNEMONIC_RDMSR, INSN_RDMSR },
	{ ZYDIS_MNEMONIC_WRMSR, INSN_WRMSR },
	{ ZYDIS_MNEMONIC_RDTSC, INSN_RDTSC },
	{ ZYDIS_MNEMONIC_RDTSCP, INSN_RDTSCP },
	{ ZYDIS_MNEMONIC_RDPMC, INSN_RDPMC },
	{ ZYDIS_MNEMONIC_HLT, INSN_HLT },
	{ ZYDIS_MNEMONIC_INVD, INSN_INVD },
	{ ZYDIS_MNEMONIC_WBINVD, INSN_WBINVD },
	{ ZYDIS_MNEMONIC_CLTS, INSN_CLTS },
	{ ZYDIS_MNEMONIC_XSETBV, INSN_XSETBV },
	{ ZYDIS_MNEMONIC_VMCALL, INSN_VMCALL },
	{ ZYDIS_MNEMONIC_VMMCALL, INSN_VMMCALL },
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

static const ZydisDecodedOperand *find_operand(const struct decoded *d, ZydisOperandType type)
{
	for (unsigned i = 0; i < d->insn.operand_count; i++) {
		if (d->operands[i].type == type)
			return &d->operands[i];
	}
	return NULL;
}

static ZydisRegisterClass register_class(const ZydisDecodedOperand *operand)
{
	return ZydisRegisterGetClass(operand->reg.value);
}

static bool is_special(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	    (register_class(operand) == ZYDIS_REGCLASS_CONTROL ||
		register_class(operand) == ZYDIS_REGCLASS_DEBUG);
}

static int operation(const struct decoded *d)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].mnemonic != d->insn.mnemonic)
			continue;
		if (names[i].op == INSN_MOV &&
		    (is_special(&d->operands[0]) || is_special(&d->operands[1]))) {
			const ZydisDecodedOperand *special =
			    &d->operands[is_special(&d->operands[0]) ? 0 : 1];

			return register_class(special) == ZYDIS_REGCLASS_CONTROL ? INSN_MOV_CR
										 : INSN_MOV_DR;
		}
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

/* At most one prefix of a group; REX last; LOCK and REP only where decode.h says. */
static bool prefixes_in_class(const struct decoded *d, int op)
{
	unsigned groups[5] = { 0 };

	for (unsigned i = 0; i < d->insn.raw.prefix_count; i++) {
		uint8_t byte = d->insn.raw.prefixes[i].value;
		bool string = op == INSN_STOS || op == INSN_MOVS;
		unsigned group = 3;

		if (byte == 0xf0 || byte == 0xf2 || byte == 0xf3) {
			group = 0;
			if (byte != (op == INSN_XCHG ? 0xf0 : string ? 0xf3 : 0))
				return false;
		} else if (byte == 0x66) {
			group = 1;
			if (op == INSN_VMCALL || op == INSN_VMMCALL || op == INSN_XSETBV ||
			    op == INSN_RDTSCP || op == INSN_LMSW)
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

static bool in_class(const struct decoded *d)
{
	int op = operation(d);
	const ZydisDecodedOperand *memory = find_operand(d, ZYDIS_OPERAND_TYPE_MEMORY);
	const ZydisDecodedOperand *other;

	if (op < 0 || d->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    !prefixes_in_class(d, op))
		return false;
	if (op == INSN_LMSW)
		return memory == NULL;
	if (op >= INSN_IN)
		return true;
	if (memory == NULL)
		return false;
	if (op == INSN_STOS || op == INSN_MOVS)
		return true;
	if (d->insn.mnemonic == ZYDIS_MNEMONIC_MOVSXD && d->insn.operand_width == 16)
		return false;
	other = memory == &d->operands[0] ? &d->operands[1] : &d->operands[0];
	return other->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ||
	    (other->type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(other->reg.value));
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

/*
 * A mistake of the reference (Zydis 4.0): 32-bit addressing in 64-bit mode, SIB with mod 0 and
 * base 5, takes REX.B to mean R13 and drops the displacement. SDM 2A table 2-5 says no base
 * whatever REX.B, and so do CPUs (tried on an AMD EPYC).
 */
static bool base_mistaken(const ZydisDecodedInstruction *insn)
{
	return insn->address_width == 32 && insn->raw.modrm.mod == 0 && insn->raw.modrm.rm == 4 &&
	    insn->raw.sib.base == 5 && insn->raw.rex.B != 0;
}

static const char *compare_address(const struct insn *insn, const ZydisDecodedInstruction *whole,
    const ZydisDecodedOperandMem *mem)
{
	bool rip = mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP;
	bool none = rip || mem->base == ZYDIS_REGISTER_NONE || base_mistaken(whole);
	int64_t displacement = base_mistaken(whole) ? whole->raw.disp.value : mem->disp.value;
	bool high;

	DEMAND(insn->address_width * 8 == whole->address_width);
	DEMAND(insn->segment == mem->segment - ZYDIS_REGISTER_ES);
	DEMAND(insn->rip_relative == rip);
	if (none)
		DEMAND(insn->base == INSN_NO_REG);
	else
		DEMAND(insn->base == general(mem->base, &high));
	if (mem->index == ZYDIS_REGISTER_NONE)
		DEMAND(insn->index == INSN_NO_REG);
	else
		DEMAND(insn->index == general(mem->index, &high) && 1 << insn->scale == mem->scale);
	DEMAND(cut(insn->displacement, insn->address_width) ==
	    cut((uint64_t)displacement, insn->address_width));
	return NULL;
}

static const char *compare_register(const struct insn *insn, const ZydisDecodedOperand *operand)
{
	bool high;
	int reg = general(operand->reg.value, &high);

	DEMAND(insn->reg == reg);
	DEMAND(insn->high_byte == high);
	DEMAND(insn->reg_width * 8 == operand->size);
	return NULL;
}

static const char *compare_memory(const struct insn *insn, const struct decoded *d)
{
	bool movs = insn->op == INSN_MOVS;
	const ZydisDecodedOperand *memory = movs ? &d->operands[1]
						 : find_operand(d, ZYDIS_OPERAND_TYPE_MEMORY);
	const ZydisDecodedOperand *other;
	const char *complaint;

	DEMAND(memory != NULL && memory->mem.type == ZYDIS_MEMOP_TYPE_MEM);
	DEMAND(insn->width * 8 == memory->size);
	DEMAND(insn->writes == (movs || (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0));
	complaint = compare_address(insn, &d->insn, &memory->mem);
	if (complaint != NULL || movs)
		return complaint;
	other = memory == &d->operands[0] ? &d->operands[1] : &d->operands[0];
	DEMAND(insn->has_imm == (other->type == ZYDIS_OPERAND_TYPE_IMMEDIATE));
	if (!insn->has_imm)
		return compare_register(insn, other);
	DEMAND(insn->reg == INSN_NO_REG);
	DEMAND(cut(insn->imm, insn->width) == cut(other->imm.value.u, insn->width));
	return NULL;
}

static const char *compare_port(const struct insn *insn, const struct decoded *d)
{
	const ZydisDecodedOperand *port = &d->operands[insn->op == INSN_IN ? 1 : 0];
	const ZydisDecodedOperand *data = &d->operands[insn->op == INSN_IN ? 0 : 1];

	DEMAND(insn->writes == (insn->op == INSN_OUT));
	DEMAND(insn->width * 8 == data->size);
	DEMAND(insn->has_imm == (port->type == ZYDIS_OPERAND_TYPE_IMMEDIATE));
	DEMAND(!insn->has_imm || insn->imm == port->imm.value.u);
	return compare_register(insn, data);
}

static const char *compare_special(const struct insn *insn, const struct decoded *d)
{
	const ZydisDecodedOperand *special = &d->operands[insn->writes ? 0 : 1];
	const ZydisDecodedOperand *other = &d->operands[insn->writes ? 1 : 0];

	DEMAND(is_special(special) && !is_special(other));
	DEMAND(insn->special == ZydisRegisterGetId(special->reg.value));
	DEMAND(insn->width * 8 == other->size);
	return compare_register(insn, other);
}

static const char *compare(const struct insn *insn, const struct decoded *d)
{
	DEMAND(insn->length == d->insn.length);
	DEMAND((int)insn->op == operation(d));
	DEMAND(insn->rep == ((d->insn.attributes & ZYDIS_ATTRIB_HAS_REP) != 0));
	if (insn->op <= INSN_MOVS)
		return compare_memory(insn, d);
	if (insn->op == INSN_IN || insn->op == INSN_OUT)
		return compare_port(insn, d);
	if (insn->op == INSN_MOV_CR || insn->op == INSN_MOV_DR)
		return compare_special(insn, d);
	if (insn->op == INSN_LMSW) {
		bool high;

		/* Sixteen bits count; what the reference names may be wider. */
		DEMAND(insn->writes && insn->width == 2);
		DEMAND(insn->reg == general(d->operands[0].reg.value, &high) && !insn->high_byte);
	}
	return NULL;
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
