/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Reads the discovery leaves on each CPU; see state.h. */
#include "guest/linux/libredoubt/state.h"

#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "monitor/abi/cpuid.h"

#define MAX_CPUS 8192 /* the kernel's own largest NR_CPUS */

struct leaf {
	uint32_t eax, ebx, ecx, edx;
};

static struct leaf cpuid(uint32_t number)
{
	struct leaf leaf;

	__cpuid_count(number, 0, leaf.eax, leaf.ebx, leaf.ecx, leaf.edx);
	return leaf;
}

/* A CPU without hypervisor leaves answers with those of another leaf: both marks must be there. */
bool redoubt_below(void)
{
	struct leaf base = cpuid(REDOUBT_CPUID_BASE);

	return base.ebx == REDOUBT_SIG_EBX && base.ecx == REDOUBT_SIG_ECX &&
	    base.edx == REDOUBT_SIG_EDX && base.eax >= REDOUBT_CPUID_STATE &&
	    cpuid(REDOUBT_CPUID_IDENT).eax == REDOUBT_INTERFACE;
}

static void read_identity(struct monitor_state *state)
{
	struct leaf leaf = cpuid(REDOUBT_CPUID_IDENT);

	state->abi_version = leaf.ebx;
	state->vendor = leaf.ecx;
	if (cpuid(REDOUBT_CPUID_BASE).eax < REDOUBT_CPUID_BUILD)
		return;
	leaf = cpuid(REDOUBT_CPUID_BUILD);
	state->image = leaf.eax | (uint64_t)leaf.ebx << 32;
	state->attempts = leaf.ecx;
}

static void read_this_cpu(struct monitor_state *state, unsigned int number)
{
	struct cpu_state *cpu = &state->cpu[state->count++];
	struct leaf leaf;

	*cpu = (struct cpu_state){ .cpu = number };
	if (!redoubt_below())
		return;
	leaf = cpuid(REDOUBT_CPUID_STATE);
	cpu->covered = true;
	cpu->features = leaf.eax;
	cpu->degraded = leaf.ebx;
	cpu->cpus_covered = leaf.ecx;
	cpu->index = leaf.edx;
	if (!state->covered++)
		read_identity(state);
}

static bool move_to(unsigned int number, size_t size, cpu_set_t *set)
{
	CPU_ZERO_S(size, set);
	CPU_SET_S(number, size, set);
	return sched_setaffinity(0, size, set) == 0;
}

static bool read_each(struct monitor_state *state, size_t size, cpu_set_t *all, cpu_set_t *one)
{
	state->cpu = calloc((size_t)CPU_COUNT_S(size, all), sizeof(*state->cpu));
	if (!state->cpu)
		return false;
	for (unsigned int number = 0; number < MAX_CPUS; number++) {
		if (!CPU_ISSET_S(number, size, all))
			continue;
		if (!move_to(number, size, one)) {
			free_state(state);
			return false;
		}
		read_this_cpu(state, number);
	}
	return true;
}

bool read_state(struct monitor_state *state)
{
	size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
	cpu_set_t *all = CPU_ALLOC(MAX_CPUS), *one = CPU_ALLOC(MAX_CPUS);
	bool good = false;

	*state = (struct monitor_state){ 0 };
	if (all && one) {
		CPU_ZERO_S(size, all);
		if (sched_getaffinity(0, size, all) == 0) {
			good = read_each(state, size, all, one);
			good = sched_setaffinity(0, size, all) == 0 && good;
		}
	}
	CPU_FREE(all);
	CPU_FREE(one);
	return good;
}

void free_state(struct monitor_state *state)
{
	free(state->cpu);
	state->cpu = NULL;
	state->count = 0;
}

bool state_is_uniform(const struct monitor_state *state)
{
	const struct cpu_state *first = state->cpu;

	for (size_t i = 0; i < state->count; i++) {
		const struct cpu_state *cpu = &state->cpu[i];

		if (!cpu->covered || cpu->features != first->features ||
		    cpu->degraded != first->degraded || cpu->cpus_covered != first->cpus_covered)
			return false;
	}
	return state->count > 0;
}
