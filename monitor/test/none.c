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

void test_lock_taken(enum lock_rank rank, uint64_t which)
{
}

void test_lock_given(enum lock_rank rank)
{
}

bool test_build(void)
{
	return false;
}
