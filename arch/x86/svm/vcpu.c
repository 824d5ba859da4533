/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vendor's half of vcpu.h on SVM.
 */
#include "arch/x86/vcpu.h"

#include "arch/x86/decode.h"
#include "arch/x86/svm/svm.h"

uint64_t vcpu_cr4(const struct vcpu *vcpu)
{
	return vmcb()->cr4;
}

void svm_skip_to(uint64_t next)
{
	struct vmcb *v = vmcb();

	if (!svm_in_64(v))
		next &= UINT32_MAX;
	v->rip = next;
	v->interrupt_state &= ~SHADOW;
	if (v->rflags & RFLAGS_TF)
		svm_inject_step();
}

void vcpu_skip(struct vcpu *vcpu)
{
	const struct vmcb *v = vmcb();
	/*
	 * Bytes of the instructions that exit and have one form, for CPUs that do not tell. A
	 * prefix that does nothing is not counted in: README.md. Two: CPUID, MSRs, INVD, WBINVD.
	 */
	bool three = v->exit_code == EXIT_VMMCALL || v->exit_code == EXIT_XSETBV;

	svm_skip_to(svm_caps()->features & SVM_NRIPS ? v->next_rip : v->rip + (three ? 3 : 2));
}

bool svm_decode(struct insn *insn)
{
	const struct vmcb *v = vmcb();
	const struct code_state code = { v->cr0, v->cr3, v->cr4, v->efer, v->cs.base, v->rip,
		svm_in_64(v)				   ? DECODE_64
		    : v->cs.attributes & ATTRIBUTE_DEFAULT ? DECODE_32
							   : DECODE_16 };

	/* Decode assists: at these exits the CPU has stored the bytes. APM 2 15.8.4. */
	if (svm_caps()->features & SVM_DECODE_ASSIST && v->exit_code == EXIT_NESTED_FAULT &&
	    v->fetched != 0)
		return decode(v->code, v->fetched & INSN_MAX_BYTES, code.mode, insn);
	return fetch_insn(&code, insn);
}
