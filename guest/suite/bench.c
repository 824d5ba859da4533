/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an exit costs, in ticks of the TSC from guest to guest less an empty loop: per batch the
 * mean of ITERATIONS, of BATCHES batches the smallest and the largest. The lines are for
 * tests/bench/.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/cpuid.h"

#define BATCHES	   50u
#define ITERATIONS 200u

/* RDTSC, `ITERATIONS` times `text`, RDTSC; the difference. */
#define LOOP(name, text)                                                                           \
	static uint64_t name(void)                                                                 \
	{                                                                                          \
		uint64_t start = rdtsc(), left = ITERATIONS;                                       \
		__asm__ volatile("1: movl %1, %%eax; xorl %%ecx, %%ecx; xorl %%edx, %%edx;"        \
				 "xorl %%r8d, %%r8d; xorl %%r9d, %%r9d;" text "decq %0; jnz 1b"    \
				 : "+S"(left)                                                      \
				 : "i"(REDOUBT_CPUID_BASE)                                         \
				 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "memory", "cc");        \
		return rdtsc() - start;                                                            \
	}

LOOP(empty, "")
LOOP(with_cpuid, "cpuid;")
LOOP(with_vmcall, "xorl %%eax, %%eax; vmcall;")
LOOP(with_vmmcall, "xorl %%eax, %%eax; vmmcall;")
LOOP(empty_call, "xorl %%eax, %%eax;")

static void measure(const char *name, uint64_t (*work)(void), uint64_t (*nothing)(void))
{
	uint64_t least = ~0ull, most = 0;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t base = nothing();
		uint64_t each = (work() - base + ITERATIONS - 1) / ITERATIONS;

		least = each < least ? each : least;
		most = each > most ? each : most;
	}
	tap(least > 1, "bench: %s measured", name);
	tap_note("bench %s min %lu max %lu", name, least, most);
}

void suite_bench(void)
{
	/*
	 * The driver has left the mitigations out by SWITCH= (main.c): what an unaffected CPU pays.
	 */
	bool plain = option("SWITCH")[0] != 0;

	tap_note("bench clock %lu", rdtsc());
	measure(plain ? "exit_cpuid" : "exit_cpuid_mitigated", with_cpuid, empty);
	measure(plain ? "call_null" : "call_null_mitigated",
	    cpuid(REDOUBT_CPUID_IDENT, 0).ecx == REDOUBT_VENDOR_SVM ? with_vmmcall : with_vmcall,
	    empty_call);
	tap_note("bench clock %lu", rdtsc());
}
