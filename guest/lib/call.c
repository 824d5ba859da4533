/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Calls to the monitor.
 */
#include "guest/lib/call.h"

#include "guest/lib/x86.h"
#include "monitor/abi/cpuid.h"

#define SIGNATURE_AMD 0x68747541u /* "Auth" */

static bool amd(void)
{
	static int known;

	if (!known)
		known = cpuid(0, 0).ebx == SIGNATURE_AMD ? 2 : 1;
	return known == 2;
}

const char *call_instruction(void)
{
	return amd() ? "\x0f\x01\xd9" : "\x0f\x01\xc1";
}

void call_monitor(struct call_regs *regs)
{
	/* cppcheck does not know register variables. */
	/* cppcheck-suppress constStatement */
	register uint64_t r8 __asm__("r8") = regs->r8;
	/* cppcheck-suppress constStatement */
	register uint64_t r9 __asm__("r9") = regs->r9;

	if (amd())
		__asm__ volatile("vmmcall"
				 : "+a"(regs->rax), "+c"(regs->rcx), "+d"(regs->rdx), "+r"(r8),
				 "+r"(r9)
				 :
				 : "memory");
	else
		__asm__ volatile("vmcall"
				 : "+a"(regs->rax), "+c"(regs->rcx), "+d"(regs->rdx), "+r"(r8),
				 "+r"(r9)
				 :
				 : "memory");
	regs->r8 = r8;
	regs->r9 = r9;
}

uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS])
{
	struct call_regs r = { id, regs[0], regs[1], regs[2], regs[3] };

	call_monitor(&r);
	regs[0] = r.rcx;
	regs[1] = r.rdx;
	regs[2] = r.r8;
	regs[3] = r.r9;
	return r.rax;
}

uint64_t call_simple(uint64_t id, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct call_regs regs = { id, a, b, c, d };

	call_monitor(&regs);
	return regs.rax;
}

bool call_test_build(void)
{
	return cpuid(REDOUBT_CPUID_STATE, 0).ebx & REDOUBT_DEGRADED_TEST;
}
