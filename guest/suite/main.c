/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Which suites run: suite=NAME[,NAME...] in the options.
 *
 * SWITCH=NUMBER first switches a protection of the test build off
 * (arch/include/arch/test_switch.h), so that an attack is seen to succeed without it. CANARY=PAGES
 * first gives the monitor frames with a pattern. HOLD=1 runs the list twice: the first round leaves
 * the monitor's tables as any later one finds them; then, before and behind the second one, the
 * driver is waited for, which dumps memory and compares.
 */
#include "guest/suite/suite.h"

#include "guest/lib/guest.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "guest/suite/test_calls.h"
#include "monitor/abi/cpuid.h"

static const struct suite suites[] = {
	{ "apic", suite_apic, 1 },
	{ "attack", suite_attack, 2 },
	{ "bench", suite_bench, 1 },
	{ "bench-dma", suite_bench_dma, 1 },
	{ "bench-smp", suite_bench_smp, 2 },
	{ "bench-vtpm", suite_bench_vtpm, 1 },
	{ "call", suite_call, 1 },
	{ "call-partitions", suite_call_partitions, 1 },
	{ "call-modes", suite_call_modes, 1 },
	{ "call-random", suite_call_random, 1 },
	{ "cpuid", suite_cpuid, 1 },
	{ "cr", suite_cr, 1 },
	{ "death", suite_death, 2 },
	{ "dma", suite_dma, 1 },
	{ "escape", suite_escape, 2 },
	{ "events", suite_events, 1 },
	{ "init", suite_init, 2 },
	{ "invd", suite_invd, 1 },
	{ "log", suite_log, 1 },
	{ "loops", suite_loops, 2 },
	{ "memory", suite_memory, 1 },
	{ "message", suite_message, 3 },
	{ "modes", suite_modes, 1 },
	{ "msr", suite_msr, 1 },
	{ "mtrr", suite_mtrr, 1 },
	{ "nmi", suite_nmi, 1 },
	{ "offer", suite_offer, 1 },
	{ "panic", suite_panic, 1 },
	{ "partition", suite_partition, 1 },
	{ "reentry", suite_reentry, 1 },
	{ "seal", suite_seal, 1 },
	{ "secret", suite_secret, 1 },
	{ "split", suite_split, 1 },
	{ "storm", suite_storm, 2 },
	{ "task", suite_task, 1 },
	{ "tpm", suite_tpm, 1 },
	{ "tpm-smp", suite_tpm_smp, 2 },
	{ "triple", suite_triple, 1 },
	{ "tsc", suite_tsc, 1 },
	{ "vmx", suite_vmx, 1 },
	{ "vp", suite_vp, 1 },
	{ "window", suite_window, 1 },
	{ "xsetbv", suite_xsetbv, 1 },
};

bool monitor_present(void)
{
	struct cpuid r = cpuid(REDOUBT_CPUID_BASE, 0);

	return r.ebx == REDOUBT_SIG_EBX && r.ecx == REDOUBT_SIG_ECX && r.edx == REDOUBT_SIG_EDX;
}

static void run(const struct suite *suite)
{
	tap_note("suite %s", suite->name);
	if (cpu_total() < suite->cpus) {
		tap_skip("too few CPUs", suite->name);
		return;
	}
	if (suite->cpus > 1 && !smp_start_all())
		bail("a CPU did not start");
	suite->run();
	tap(monitor_present(), "%s: the monitor is there afterwards", suite->name);
}

static const struct suite *find(const char *name)
{
	for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (text_equal(suites[i].name, name))
			return &suites[i];
	}
	bail("no suite %s", name);
}

/* Runs the suites of a list separated by commas. */
static void run_list(const char *list)
{
	char name[32];
	unsigned n;

	while (*list) {
		for (n = 0; list[n] && list[n] != ',' && n < sizeof(name) - 1; n++)
			name[n] = list[n];
		name[n] = 0;
		run(find(name));
		list += list[n] ? n + 1 : n;
	}
}

/* Some switches take effect at the next exit that is neither CPUID nor a call: INVD is one. */
static void switch_off(uint64_t number)
{
	struct redoubt_test_switch before;

	if (redoubt_test_switch(number, 1, &before) != REDOUBT_OK)
		bail("the monitor has no such switch, or is no test build");
	__asm__ volatile("invd" : : : "memory");
	tap_note("protection %lu is switched off", number);
}

static void run_held(const char *list)
{
	tap_note("held: before");
	text_wait();
	run_list(list);
	tap_note("held: behind");
	text_wait();
}

/* A suite that begins earlier. */
void guest_in_firmware(void)
{
	if (text_equal(option("suite"), "dma"))
		suite_dma_in_firmware();
}

void guest_main(void)
{
	static char list[OPTION_MAX];
	const char *wanted = option("suite");

	for (unsigned i = 0; wanted[i]; i++)
		list[i] = wanted[i];
	tap_note("options: %s", options_text());
	tap(monitor_present(), "the monitor's signature is there");
	if (option("CANARY")[0])
		canary_frames((unsigned)option_number("CANARY", 0));
	if (option("SWITCH")[0])
		switch_off(option_number("SWITCH", 0));
	run_list(list);
	if (option("HOLD")[0])
		run_held(list);
	tap_end();
}
