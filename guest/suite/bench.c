/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an exit costs, in ticks of the TSC from guest to guest less an empty loop: per batch the
 * mean of ITERATIONS, of BATCHES batches the smallest and the largest. The lines are for
 * tests/bench/.
 */
#include "guest/suite/bench.h"

#include "guest/lib/call.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/suite/suite.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/cpuid.h"

#define BATCHES 50u

LOOP(empty, "")
LOOP(with_cpuid, "cpuid;")
LOOP(with_vmcall, "xorl %%eax, %%eax; vmcall;")
LOOP(with_vmmcall, "xorl %%eax, %%eax; vmmcall;")
LOOP(empty_call, "xorl %%eax, %%eax;")
/* The task priority register. */
LOOP(with_apic, "movl $0xfee00080, %%r8d; movl %%ecx, (%%r8);")
LOOP(empty_apic, "movl $0xfee00080, %%r8d;")

void bench_measure(const char *name, uint64_t (*work)(void), uint64_t (*nothing)(void))
{
	uint64_t least = ~0ull, most = 0;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t base = nothing();
		uint64_t each = (work() - base + BENCH_ITERATIONS - 1) / BENCH_ITERATIONS;

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

	bench_measure(plain ? "exit_apic" : "exit_apic_mitigated", with_apic, empty_apic);
	if (!number)
		return;
	redoubt_test_switch(number, 1, &before);
	bench_measure("exit_apic_twice", with_apic, empty_apic);
	redoubt_test_switch(number, 0, &before);
}

void suite_bench(void)
{
	bool svm = cpuid(REDOUBT_CPUID_IDENT, 0).ecx == REDOUBT_VENDOR_SVM;
	/*
	 * The driver has left the mitigations out by SWITCH= (main.c): what an unaffected CPU pays.
	 */
	bool plain = option("SWITCH")[0] != 0;

	tap_note("bench clock %lu", rdtsc());
	bench_measure(plain ? "exit_cpuid" : "exit_cpuid_mitigated", with_cpuid, empty);
	bench_measure(plain ? "call_null" : "call_null_mitigated", svm ? with_vmmcall : with_vmcall,
	    empty_call);
	if (svm)
		apic_write(plain);
	tap_note("bench clock %lu", rdtsc());
	bench_partitions(plain, svm);
}

/* ---- A flush on all CPUs, which run the guest meanwhile ---- */

#define FLUSHES 200u

static volatile uint64_t over;

static void spin(void *arg)
{
	while (!over)
		__asm__ volatile("pause");
}

void suite_bench_smp(void)
{
	struct redoubt_version version;
	uint64_t least = ~0ull, most = 0;

	for (unsigned i = 1; i < cpu_total(); i++)
		smp_begin(i, spin, NULL);
	delay(100000);
	for (unsigned i = 0; i < FLUSHES; i++) {
		uint64_t start = rdtsc(), base, took;

		(void)redoubt_version(&version);
		base = rdtsc();
		if (redoubt_test_flush(1) != REDOUBT_OK)
			bail("test_flush");
		took = rdtsc() - base;
		took -= took > base - start ? base - start : took;
		least = took < least ? took : least;
		most = took > most ? took : most;
	}
	over = 1;
	for (unsigned i = 1; i < cpu_total(); i++)
		tap(smp_wait(i), "bench: CPU %u went on", i);
	tap_note("bench shootdown_%ucpu min %lu max %lu", cpu_total(), least, most);
}
