/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What CPUID says of the monitor below, read on every CPU this process may use. Needs no privilege
 * and no driver. Leaves: monitor/abi/cpuid.h.
 */
#ifndef REDOUBT_GUEST_LINUX_LIBREDOUBT_STATE_H
#define REDOUBT_GUEST_LINUX_LIBREDOUBT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One CPU's answer. */
struct cpu_state {
	unsigned int cpu; /* the kernel's number */
	bool covered;	  /* the signature and interface were there; all below is 0 if not */
	uint32_t index;	  /* the monitor's number */
	uint32_t features;
	uint32_t degraded;
	uint32_t cpus_covered;
};

/* All of it. `cpu` has `count` entries and is owned by this structure. */
struct monitor_state {
	uint32_t abi_version; /* from the first covered CPU, like what follows */
	uint32_t vendor;
	uint64_t image; /* first 8 bytes of the image's digest */
	uint32_t attempts;
	size_t covered; /* entries of `cpu` that are covered */
	size_t count;
	struct cpu_state *cpu;
};

/* Is there a monitor below the CPU that this process happens to run on? */
bool redoubt_below(void);

/*
 * Reads the state on each CPU in turn, by moving this process there; leaves its affinity as it was.
 * False with errno set if a CPU could not be reached: then nothing is to be freed.
 */
bool read_state(struct monitor_state *state);

void free_state(struct monitor_state *state);

/* Is every CPU covered, and do all give the same answer (index aside)? */
bool state_is_uniform(const struct monitor_state *state);

#endif
