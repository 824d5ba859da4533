/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Single instructions. Nothing here decides anything. What can fault is in trap.h (rdmsr_safe()).
 */
#pragma once

#include <stdint.h>

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* A basic leaf; zeros where the CPU has it not. */
static inline struct cpuid_regs cpuid_basic(uint32_t leaf, uint32_t subleaf)
{
	return cpuid(0, 0).eax >= leaf ? cpuid(leaf, subleaf) : (struct cpuid_regs){ 0, 0, 0, 0 };
}

/* Only for MSRs that the CPU is known to have; otherwise rdmsr_safe(). */
static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* read_NAME() and write_NAME() of control and debug registers. */
#define READ(name)                                                                                 \
	static inline uint64_t read_##name(void)                                                   \
	{                                                                                          \
		uint64_t value;                                                                    \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));                             \
		return value;                                                                      \
	}
#define WRITE(name)                                                                                \
	static inline void write_##name(uint64_t value)                                            \
	{                                                                                          \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                    \
	}
READ(cr0)
READ(cr2)
READ(cr3)
READ(cr4)
READ(dr6)
READ(dr7)
WRITE(cr0)
WRITE(cr2)
WRITE(cr4)
WRITE(dr6)
#undef READ
#undef WRITE

/* inb(), outb() and their like of two and four bytes. */
#define PORT(suffix, type)                                                                         \
	static inline type in##suffix(uint16_t port)                                               \
	{                                                                                          \
		type value;                                                                        \
		__asm__ volatile("in" #suffix " %1, %0" : "=a"(value) : "Nd"(port));               \
		return value;                                                                      \
	}                                                                                          \
	static inline void out##suffix(uint16_t port, type value)                                  \
	{                                                                                          \
		__asm__ volatile("out" #suffix " %0, %1" : : "a"(value), "Nd"(port));              \
	}
PORT(b, uint8_t)
PORT(w, uint16_t)
PORT(l, uint32_t)
#undef PORT

static inline void invlpg(const void *address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}
