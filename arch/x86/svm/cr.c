/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Control registers, EFER and XCR0.
 *
 * SVM has no read shadows, and needs none: no bit is fixed, and the VMCB holds what the guest
 * wrote. But VMRUN refuses what a guest must not be able to bring about, and a guest may set only
 * what it sees. So a MOV to CR4, one to CR0 (or LMSW) that changes more than TS and MP, and every
 * access to EFER exit, are checked as the CPU would check them, and carried out. APM 2 3.1, 15.5.1,
 * 15.8.1.
 */
#include "arch/x86/decode.h"
#include "arch/x86/policy.h"
#include "arch/x86/svm/svm.h"

#define CR0_KNOWN  0xe005003full
#define CR0_MSW	   0xeull /* what LMSW can set and clear; PE it can set only */
#define CR3_PCID   0xfffull
#define EFER_SCE   (1ull << 0)
#define EFER_GUEST (EFER_SCE | EFER_LME | EFER_NXE)

static bool cr0_allowed(const struct vmcb *v, uint64_t value)
{
	bool paging = v->cr0 & CR0_PG;

	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
	    (value & CR0_NW && !(value & CR0_CD)))
		return false;
	if (v->cr4 & CR4_CET && !(value & CR0_WP))
		return false;
	if (!paging && value & CR0_PG && v->efer & EFER_LME)
		return v->cr4 & CR4_PAE && !(v->cs.attributes & ATTRIBUTE_LONG);
	if (paging && !(value & CR0_PG))
		return !(v->cr4 & CR4_PCIDE) && !svm_in_64(v);
	return true;
}

static void set_cr0(struct vmcb *v, uint64_t value)
{
	if (!(value & CR0_PG))
		v->efer &= ~EFER_LMA;
	else if (v->efer & EFER_LME)
		v->efer |= EFER_LMA;
	v->cr0 = (value & CR0_KNOWN) | CR0_ET;
}

static bool cr4_allowed(const struct vmcb *v, uint64_t value)
{
	uint64_t set = value & ~v->cr4;

	if (test_switch(TEST_NO_CR_GUARD))
		return true;
	if (value & ~policy_cr4() || (v->efer & EFER_LMA && !(value & CR4_PAE)))
		return false;
	if (set & CR4_PCIDE && (!(v->efer & EFER_LMA) || v->cr3 & CR3_PCID))
		return false;
	return !(value & CR4_CET) || v->cr0 & CR0_WP;
}

static bool carry_out(struct vmcb *v, const struct insn *insn, uint64_t value)
{
	bool cr4 = insn->op == INSN_MOV_CR && insn->special == 4;

	if (insn->op == INSN_LMSW)
		value = (v->cr0 & ~CR0_MSW) | (value & (CR0_MSW | CR0_PE));
	if (!(cr4 ? cr4_allowed(v, value) : cr0_allowed(v, value))) {
		audit(REDOUBT_AUDIT_CR_WRITE, cr4 ? 4 : 0, value);
		return false;
	}
	if (cr4)
		v->cr4 = value;
	else
		set_cr0(v, value);
	svm_flush(v);
	return true;
}

/* Whether the instruction is the one that exited: another CPU may have written over it. */
static bool is_the_write(const struct insn *insn, uint64_t code)
{
	if (insn->op == INSN_LMSW)
		return code == EXIT_CR0_WRITE;
	return insn->op == INSN_MOV_CR && insn->special == (code == EXIT_CR0_WRITE ? 0 : 4);
}

void svm_mov_to_cr(struct vcpu *vcpu)
{
	struct vmcb *v = vmcb();
	uint64_t rip = v->rip;
	struct insn insn;

	vcpu->regs.rsp = v->rsp;
	if (!svm_decode(&insn) || !is_the_write(&insn, v->exit_code) ||
	    !carry_out(v, &insn, decode_source(&insn, &vcpu->regs)))
		vcpu_inject_gp(vcpu);
	else
		svm_skip_to(rip + insn.length);
}

/* LMA is the CPU's. */
bool svm_write_efer(uint64_t value)
{
	struct vmcb *v = vmcb();

	if (value & ~(EFER_GUEST | EFER_LMA))
		return false;
	if (v->cr0 & CR0_PG && (value ^ v->efer) & EFER_LME)
		return false;
	v->efer = (value & EFER_GUEST) | (v->efer & (EFER_LMA | EFER_SVME));
	svm_flush(v);
	return true;
}

void svm_xsetbv(struct vcpu *vcpu)
{
	if (vmcb()->cpl == 0 && xcr0_write(vcpu))
		vcpu_skip(vcpu);
	else
		vcpu_inject_gp(vcpu);
}
