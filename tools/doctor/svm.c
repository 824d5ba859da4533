/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SVM: what the monitor demands. APM 2, 15.4, 15.25, 15.30.1.
 */
#include "tools/doctor/cpu.h"

#define CR4_LA57	(1ull << 12)
#define S_CET_SHADOW	1ull
#define EFER_SVME	(1ull << 12)
#define VM_CR_LOCK	(1ull << 3)
#define VM_CR_SVMDIS	(1ull << 4)
#define VM_CR_OFF	(VM_CR_LOCK | VM_CR_SVMDIS)
#define ASIDS_NEEDED	2u /* 0 is the host's */

bool svm_locked_off(const struct cpu *cpu)
{
	return (cpu->svm.vm_cr & VM_CR_OFF) == VM_CR_OFF;
}

enum launch_status svm_judge(const struct cpu *cpu)
{
	if (cpu->efer & EFER_SVME)
		return LAUNCH_ALREADY_RUNNING;
	if (cpu->cr4 & CR4_LA57)
		return LAUNCH_FIVE_LEVEL;
	if (cpu->s_cet & S_CET_SHADOW)
		return LAUNCH_SHADOW_STACK;
	if (cpu->msrs == FACT_OK && svm_locked_off(cpu))
		return LAUNCH_LOCKED_OFF;
	if (!(cpu->svm.leaf.edx & SVM_NPT) || cpu->svm.leaf.ebx < ASIDS_NEEDED)
		return LAUNCH_NO_STAGE2;
	return LAUNCH_OK;
}

bool svm_same(const struct cpu *first, const struct cpu *second)
{
	return first->svm.leaf.ebx == second->svm.leaf.ebx &&
	    first->svm.leaf.edx == second->svm.leaf.edx;
}
