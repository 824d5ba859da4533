/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an exit costs, in ticks of the TSC from guest to guest less an empty loop: per batch the
 * mean of ITERATIONS, of BATCHES batches the smallest and the largest. The lines are for
 * tests/bench/.
 */
#include "guest/suite/suite.h"

#include "guest/lib/call.h"
#include "guest/lib/memory.h"
#include "guest/lib/options.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/partition.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/cpuid.h"

#define BATCHES	   50u
#define ITERATIONS 200u
#define LIST	   512u /* frames of a list */

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
/* The task priority register. */
LOOP(with_apic, "movl $0xfee00080, %%r8d; movl %%ecx, (%%r8);")
LOOP(empty_apic, "movl $0xfee00080, %%r8d;")

/* The sample's echo: the smallest request there is. */
#define ECHO "movabsq $0x200000002, %%rcx; movl $4, %%eax;"
LOOP(with_vmcall_echo, ECHO "vmcall;")
LOOP(with_vmmcall_echo, ECHO "vmmcall;")
LOOP(empty_echo, ECHO)
_Static_assert(SAMPLE == 2 && SAMPLE_echo == 2 && REDOUBT_CALL_partition_call == 4, "as in ECHO");

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

/*
 * A write to the local APIC, which exits on SVM and is decoded; then with each instruction decoded
 * twice: the difference is what decoding costs. DECODE_TWICE= is the switch of the test build.
 */
static void apic_write(bool plain)
{
	uint64_t number = option_number("DECODE_TWICE", 0);
	struct redoubt_test_switch before;

	measure(plain ? "exit_apic" : "exit_apic_mitigated", with_apic, empty_apic);
	if (!number)
		return;
	redoubt_test_switch(number, 1, &before);
	measure("exit_apic_twice", with_apic, empty_apic);
	redoubt_test_switch(number, 0, &before);
}

/* 2 MiB given to a partition, and given back: the smallest of a few times. */
static void donation(bool plain)
{
	uint64_t *list = pages_alloc(1), pages = (uint64_t)pages_alloc(LIST);
	uint64_t given = ~0ull, back = ~0ull;

	for (unsigned i = 0; i < LIST; i++)
		list[i] = pages + i * PAGE;
	for (unsigned i = 0; i < 4; i++) {
		struct redoubt_partition_create made = { 0 };
		uint64_t start, took, status;

		redoubt_partition_create(&made);
		start = rdtsc();
		status = redoubt_partition_give(made.partition, (uint64_t)list, LIST, 0);
		took = rdtsc() - start;
		given = took < given ? took : given;
		start = rdtsc();
		redoubt_partition_end(made.partition);
		took = rdtsc() - start;
		back = took < back ? took : back;
		if (status != REDOUBT_OK || redoubt_partition_end(made.partition) != REDOUBT_OK)
			bail("donation: %lx", status);
	}
	tap_note("bench %s min %lu max %lu", plain ? "donate_2m" : "donate_2m_mitigated", given,
	    given);
	tap_note("bench %s min %lu max %lu", plain ? "reclaim_2m" : "reclaim_2m_mitigated", back,
	    back);
}

/* What partitions cost, where redoubt.efi carries the sample. */
static void partitions(bool plain, bool svm)
{
	struct redoubt_partition_info r = { 0 };

	if (redoubt_partition_info(SAMPLE, REDOUBT_INFO_SUMMARY, &r) != REDOUBT_OK)
		return;
	measure(plain ? "secure_call_null" : "secure_call_null_mitigated",
	    svm ? with_vmmcall_echo : with_vmcall_echo, empty_echo);
	donation(plain);
}

void suite_bench(void)
{
	bool svm = cpuid(REDOUBT_CPUID_IDENT, 0).ecx == REDOUBT_VENDOR_SVM;
	/*
	 * The driver has left the mitigations out by SWITCH= (main.c): what an unaffected CPU pays.
	 */
	bool plain = option("SWITCH")[0] != 0;

	tap_note("bench clock %lu", rdtsc());
	measure(plain ? "exit_cpuid" : "exit_cpuid_mitigated", with_cpuid, empty);
	measure(plain ? "call_null" : "call_null_mitigated", svm ? with_vmmcall : with_vmcall,
	    empty_call);
	if (svm)
		apic_write(plain);
	tap_note("bench clock %lu", rdtsc());
	partitions(plain, svm);
}
