/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a partition's VP, which has no CPUID to ask, is told of the CPU.
 */
#pragma once

#include "arch/x86/asm.h"
#include "monitor/abi/trustlet.h"

/* START_ bits of abi/trustlet.h for instructions that this CPU has. */
static inline uint32_t cpuid_start(void)
{
	const uint32_t sse = 1u << 19 | 1u << 9; /* SSE4.1, SSSE3 */
	uint32_t leaf1 = cpuid(1, 0).ecx, leaf7 = cpuid_basic(7, 0).ebx;

	return (leaf1 & 1u << 30 ? START_RDRAND : 0) | (leaf7 & 1u << 18 ? START_RDSEED : 0) |
	    (leaf7 & 1u << 29 && (leaf1 & sse) == sse ? START_SHA : 0);
}
