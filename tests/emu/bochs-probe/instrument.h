/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The probe: what the tests add to Bochs, through the hooks it offers for instrumentation.
 *
 * It mends two faults of Bochs's (probe_reset). And two things are seen from outside the machine
 * with it, without slowing it down and without anything running in the guest:
 *
 * - when a line was printed: each line that the guest writes to COM1 or to port 0xE9 is noted
 *   with the number of instructions every CPU had retired (halted time does not count);
 * - memory: the test asks by a pipe and a signal, the whole machine stands still while the
 *   answer is copied out.
 *
 * Bochs includes this file in every unit, inside its own namespace of macros: each hook must be
 * defined, those not used as nothing.
 */
#ifndef REDOUBT_PROBE_INSTRUMENT_H
#define REDOUBT_PROBE_INSTRUMENT_H

void probe_start(void);
void probe_stop(void);
void probe_reset(unsigned cpu, unsigned type);
void probe_out(unsigned port, unsigned len, unsigned value);

#define BX_INSTR_INIT_ENV()	      probe_start()
#define BX_INSTR_EXIT_ENV()	      probe_stop()
#define BX_INSTR_RESET(cpu_id, type)  probe_reset(cpu_id, type)
#define BX_INSTR_OUTP(addr, len, val) probe_out(addr, len, val)

#define BX_INSTR_INITIALIZE(cpu_id)
#define BX_INSTR_EXIT(cpu_id)
#define BX_INSTR_HLT(cpu_id)
#define BX_INSTR_MWAIT(cpu_id, addr, len, flags)
#define BX_INSTR_DEBUG_PROMPT()
#define BX_INSTR_DEBUG_CMD(cmd)
#define BX_INSTR_CNEAR_BRANCH_TAKEN(cpu_id, branch_eip, new_eip)
#define BX_INSTR_CNEAR_BRANCH_NOT_TAKEN(cpu_id, branch_eip)
#define BX_INSTR_UCNEAR_BRANCH(cpu_id, what, branch_eip, new_eip)
#define BX_INSTR_FAR_BRANCH(cpu_id, what, prev_cs, prev_eip, new_cs, new_eip)
#define BX_INSTR_OPCODE(cpu_id, i, opcode, len, is32, is64)
#define BX_INSTR_EXCEPTION(cpu_id, vector, error_code)
#define BX_INSTR_INTERRUPT(cpu_id, vector)
#define BX_INSTR_HWINTERRUPT(cpu_id, vector, cs, eip)
#define BX_INSTR_CLFLUSH(cpu_id, laddr, paddr)
#define BX_INSTR_CACHE_CNTRL(cpu_id, what)
#define BX_INSTR_TLB_CNTRL(cpu_id, what, new_cr3)
#define BX_INSTR_PREFETCH_HINT(cpu_id, what, seg, offset)
#define BX_INSTR_BEFORE_EXECUTION(cpu_id, i)
#define BX_INSTR_AFTER_EXECUTION(cpu_id, i)
#define BX_INSTR_REPEAT_ITERATION(cpu_id, i)
#define BX_INSTR_LIN_ACCESS(cpu_id, lin, phy, len, memtype, rw)
#define BX_INSTR_PHY_ACCESS(cpu_id, phy, len, memtype, rw)
#define BX_INSTR_INP(addr, len)
#define BX_INSTR_INP2(addr, len, val)
#define BX_INSTR_WRMSR(cpu_id, addr, value)
#define BX_INSTR_VMEXIT(cpu_id, reason, qualification)

#endif
