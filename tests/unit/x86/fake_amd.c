/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_vendors.h.
 */
#include "tests/unit/x86/fake_vendors.h"

#define vendor_msrs	amd_msrs
#define vendor_msr_init amd_msr_init
#define vendor_rdmsr	amd_rdmsr
#define vendor_wrmsr	amd_wrmsr
#include "arch/x86/svm/msr.c"

/* What its writes need: not tried here. */
bool svm_write_efer(uint64_t value)
{
	return false;
}

bool svm_write_apic_msr(uint32_t msr, uint64_t value)
{
	return false;
}

struct percpu *this_cpu(void)
{
	return NULL;
}
