/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * In place of arch/x86/asm.h (it comes first on the include path): what caps.c of both vendors asks
 * a CPU, answered by machine.c.
 */
#ifndef ARCH_X86_ASM_H
#define ARCH_X86_ASM_H

#include <stdint.h>

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf);
/* As in the true one. */
static inline struct cpuid_regs cpuid_basic(uint32_t leaf, uint32_t subleaf)
{
	return cpuid(0, 0).eax >= leaf ? cpuid(leaf, subleaf) : (struct cpuid_regs){ 0, 0, 0, 0 };
}
uint64_t rdmsr(uint32_t msr);
uint64_t read_cr4(void);

#endif
