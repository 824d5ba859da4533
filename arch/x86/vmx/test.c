/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the test build may break on purpose, at an exit that is neither CPUID nor a call.
 */
#include "arch/x86/vmx/vmx.h"

void test_break_entry(void)
{
	if (test_switch(TEST_NO_MITIGATION)) {
		vmwrite(VMCS_HOST_RIP, (uint64_t)vmx_exit_entry);
		this_cpu()->mitigations = 0;
	}
	if (test_switch(TEST_BAD_CONTROL))
		vmwrite(VMCS_VPID, 0);
	if (test_switch(TEST_BAD_GUEST))
		vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI + 1);
}
