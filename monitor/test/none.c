/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A release has no test calls and no switches.
 */
#include "arch/upcall.h"

bool test_call(struct call *call)
{
	return false;
}

bool test_switch(unsigned number)
{
	return false;
}

void test_lock(enum lock_rank rank, uint64_t which, bool taken)
{
}

void test_break_entry(void)
{
}

bool test_build(void)
{
	return false;
}
