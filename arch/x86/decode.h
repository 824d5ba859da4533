/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The one instruction decoder of root mode: accesses of the MOV and STOS class to memory, and the
 * instructions of known length that exit. It works on bytes the caller has copied once, and on
 * nothing else. SDM 2A 2, 2B; APM 3 1.
 */
#ifndef ARCH_X86_DECODE_H
#define ARCH_X86_DECODE_H

#include "arch/x86/regs.h"

#define INSN_MAX_BYTES 15u

/*
 * How the code segment says addresses and operands are to be taken. Real and virtual-8086 mode:
 * DECODE_16.
 */
enum decode_mode { DECODE_16, DECODE_32, DECODE_64 };

enum insn_op {
	/* With a memory operand. */
	INSN_MOV,
	INSN_MOVZX,
	INSN_MOVSX,
	INSN_XCHG, /* reads and writes */
	INSN_STOS, /* to ES:rDI */
	INSN_MOVS, /* from the operand described, rSI, to ES:rDI */
	/* Without. */
	INSN_IN,
	INSN_OUT,
	INSN_MOV_CR, /* `writes`: to the control register */
	INSN_MOV_DR,
	INSN_CPUID,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_RDPMC,
	INSN_HLT,
	INSN_INVD,
	INSN_WBINVD,
	INSN_CLTS,
	INSN_XSETBV,
	INSN_VMCALL,
	INSN_VMMCALL,
	INSN_LMSW, /* from a register; `writes` */
};

#define INSN_NO_REG 0xff

struct insn {
	enum insn_op op;
	uint8_t length; /* bytes */
	uint8_t
	    width; /* bytes of the access to memory or port; of MOV_CR and MOV_DR: of the operand */
	uint8_t reg;	   /* general register, in encoding order; INSN_NO_REG: none */
	uint8_t reg_width; /* its bytes; more than `width` for MOVZX and MOVSX */
	bool high_byte;	   /* it is AH, CH, DH or BH of `reg` */
	bool writes;	   /* to memory, port, control register; XCHG and MOVS read too */
	bool rep;	   /* STOS, MOVS: rCX times */
	bool has_imm;	   /* `imm` is what is stored, or the port */
	uint8_t special;   /* number of the control or debug register */
	uint64_t imm;	   /* sign-extended; of a port: as it is */

	/*
	 * The memory operand: segment:(base + (index << scale) + displacement), cut to
	 * address_width bytes.
	 */
	uint8_t address_width;
	uint8_t segment; /* 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS */
	uint8_t base;	 /* general register or INSN_NO_REG */
	uint8_t index;
	uint8_t scale;
	bool rip_relative; /* base is the next instruction's address */
	uint64_t displacement;
};

/*
 * Decodes the instruction at `bytes`, of which `count` are there. false: not one of those above,
 * not whole, a LOCK where none may be, REP on what is no string instruction, or two prefixes of
 * one group; the caller injects #GP(0). SDM 2A 2.1.1.
 */
bool decode(const uint8_t *bytes, unsigned count, enum decode_mode mode, struct insn *insn);

/* Offset of the memory operand in its segment. `regs` with RSP filled in. */
uint64_t decode_offset(const struct insn *insn, struct guest_regs *regs, uint64_t rip);

/*
 * What a store, OUT, MOV to a control register or XCHG writes: immediate or register, `width`
 * bytes of it.
 */
uint64_t decode_source(const struct insn *insn, struct guest_regs *regs);

/*
 * Puts what was read (`width` bytes of `value`) into the register, extended and merged as `op`
 * says.
 */
void decode_load(const struct insn *insn, struct guest_regs *regs, uint64_t value);

#endif
