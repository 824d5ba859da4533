/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See fake_vendors.h.
 */
#include "tests/unit/x86/fake_vendors.h"

#define vendor_msrs	intel_msrs
#define vendor_msr_init intel_msr_init
#define vendor_rdmsr	intel_rdmsr
#define vendor_wrmsr	intel_wrmsr
#include "arch/x86/vmx/msr.c"
