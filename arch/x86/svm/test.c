/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the test build may break on purpose, at an exit that is not CPUID.
 */
#include "arch/x86/svm/svm.h"

void test_break_entry(void)
{
	if (test_switch(TEST_NO_MITIGATION))
		this_cpu()->mitigations = 0;
	if (test_switch(TEST_BAD_CONTROL))
		vmcb()->asid = 0;
	if (test_switch(TEST_BAD_GUEST))
		vmcb()->efer &= ~EFER_SVME;
}
