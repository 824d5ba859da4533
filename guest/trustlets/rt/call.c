/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The instructions that C has no words for: the call, the CPU's random numbers.
 */
#include "guest/trustlets/rt/monitor_calls.h"
#include "guest/trustlets/rt/rt.h"
#include "monitor/abi/image.h"

void monitor_call(struct monitor_call *regs)
{
	register uint64_t r8 __asm__("r8") = regs->r8;
	register uint64_t r9 __asm__("r9") = regs->r9;

	if (rt_boot.flags & START_VMMCALL)
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
