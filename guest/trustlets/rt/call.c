/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instructions that C has no words for: the call, the CPU's random numbers; and which the CPU
 * has.
 */
#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/trustlet.h"

void monitor_call(struct monitor_call *regs)
{
	/* cppcheck does not know register variables. */
	/* cppcheck-suppress constStatement */
	register uint64_t r8 __asm__("r8") = regs->r8;
	/* cppcheck-suppress constStatement */
	register uint64_t r9 __asm__("r9") = regs->r9;

	__asm__ volatile("testl %[amd], %[flags]\n\t"
			 "jnz 1f\n\t"
			 "vmcall\n\t"
			 "jmp 2f\n"
			 "1:\tvmmcall\n"
			 "2:"
			 : "+a"(regs->rax), "+c"(regs->rcx), "+d"(regs->rdx), "+r"(r8), "+r"(r9)
			 : [flags] "m"(rt_boot.flags), [amd] "i"(START_VMMCALL)
			 : "memory", "cc");
	regs->r8 = r8;
	regs->r9 = r9;
}

bool hardware_random(bool seed, uint64_t *word)
{
	bool good;

	if (seed && rt_boot.flags & START_RDSEED)
		__asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(good));
	else if (rt_boot.flags & START_RDRAND)
		__asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(good));
	else
		return false;
	return good;
}

bool trustlet_has_sha(void)
{
	return rt_boot.flags & START_SHA;
}
