/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Breaks the monitor on purpose, by calls of the test build: KIND=check, or KIND=fault and FAULT= a
 * kind of root-mode fault. A failed VM entry is forced by SWITCH= alone (main.c). The driver reads
 * the report.
 */
#include "guest/suite/suite.h"

#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/suite/test_calls.h"

void suite_panic(void)
{
	uint64_t rax;

	if (text_equal(option("KIND"), "check"))
		rax = redoubt_test_check();
	else
		rax = redoubt_test_fault(option_number("FAULT", 0));
	tap(false, "panic: the call came back with status %lx", rax);
}
