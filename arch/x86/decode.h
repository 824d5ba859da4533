/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The one instruction decoder of root mode: stores of the MOV class, and the writes to control
 * registers that exit. It works on bytes the caller has copied once, and on nothing else. Where a
 * store goes the CPU has found out by then, so of an address only the length counts here. SDM 2A 2,
 * 2B; APM 3 1.
 */
#pragma once

#include "arch/x86/regs.h"

#define INSN_MAX_BYTES 15u

/*
 * How the code segment says addresses and operands are to be taken. Real and virtual-8086 mode:
 * DECODE_16.
 */
enum decode_mode { DECODE_16, DECODE_32, DECODE_64 };

enum insn_op {
	INSN_MOV,    /* to memory */
	INSN_MOV_CR, /* to a control register */
	INSN_LMSW,   /* from a register */
};

#define INSN_NO_REG 0xff

struct insn {
	enum insn_op op;
	uint8_t length;	 /* bytes */
	uint8_t width;	 /* bytes that are written */
	uint8_t reg;	 /* that is written, in encoding order; INSN_NO_REG: `imm` is */
	bool high_byte;	 /* it is AH, CH, DH or BH of `reg` */
	uint8_t special; /* number of the control register */
	uint64_t imm;	 /* sign-extended */
};

/*
 * Decodes the instruction at `bytes`, of which `count` are there. false: not one of those above,
 * not whole, LOCK, REP, or two prefixes of one group; the caller injects
 * #GP(0). SDM 2A 2.1.1.
 */
bool decode(const uint8_t *bytes, unsigned count, enum decode_mode mode, struct insn *insn);

/* What it writes: `width` bytes of immediate or register. `regs` with RSP filled in. */
uint64_t decode_source(const struct insn *insn, struct guest_regs *regs);

/* A guest that is about to fetch an instruction. */
struct code_state {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t cs_base, rip;
	enum decode_mode mode;
};

/*
 * fetch.c: copies the bytes there once, through the guest's own page tables. Returns how many there
 * are, 0 to 15.
 */
unsigned fetch_bytes(const struct code_state *code, uint8_t *bytes);

/* Fetches and decodes it; false: as decode(). */
bool fetch_insn(const struct code_state *code, struct insn *insn);
