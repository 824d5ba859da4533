/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Measuring in ticks of the TSC, from guest to guest (bench.c).
 */
#ifndef GUEST_SUITE_BENCH_H
#define GUEST_SUITE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/x86.h"
#include "monitor/abi/cpuid.h"

#define BENCH_ITERATIONS 200u

/* RDTSC, BENCH_ITERATIONS times `text`, RDTSC; the difference. */
#define LOOP(name, text)                                                                           \
	static uint64_t name(void)                                                                 \
	{                                                                                          \
		uint64_t start = rdtsc(), left = BENCH_ITERATIONS;                                 \
		__asm__ volatile("1: movl %1, %%eax; xorl %%ecx, %%ecx; xorl %%edx, %%edx;"        \
				 "xorl %%r8d, %%r8d; xorl %%r9d, %%r9d;" text "decq %0; jnz 1b"    \
				 : "+S"(left)                                                      \
				 : "i"(REDOUBT_CPUID_BASE)                                         \
				 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "memory", "cc");        \
		return rdtsc() - start;                                                            \
	}

/* Prints the smallest and the largest mean of 50 batches of `work` less `nothing`. */
void bench_measure(const char *name, uint64_t (*work)(void), uint64_t (*nothing)(void));

/* What partitions cost, where redoubt.efi carries the probe and the sample. */
void bench_partitions(bool plain, bool svm);

/*
 * Frames of a list given to a partition, and given back: the smallest of a few times, printed by
 * two names. Ends the run where that is refused.
 */
#define BENCH_LIST 512u
void bench_donation(unsigned frames, const char *give, const char *back);

#endif
