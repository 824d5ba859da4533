/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading one CPU, and what both vendors share.
 */
#include "tools/doctor/cpu.h"

#include "tools/doctor/bytes.h"

#define MSR_ARCH_CAPABILITIES 0x10au

#define CPUID1_VMX	  (1u << 5)  /* ECX */
#define CPUID7_ARCH_CAPS  (1u << 29) /* EDX */
#define CPUID7_L1D_FLUSH  (1u << 28) /* EDX */
#define CPUID7_MD_CLEAR	  (1u << 10) /* EDX */
#define CPUID80000001_SVM (1u << 2)  /* ECX */
#define LEAF_SVM	  0x8000000au

/* IA32_ARCH_CAPABILITIES (SDM 4, table 2-2), as the monitor's mitigate.c uses it. */
#define CAPS_RDCL_NO	 (1ull << 0)
#define CAPS_SKIP_L1D	 (1ull << 3)
#define CAPS_PSCHANGE_NO (1ull << 6)
#define CAPS_BUFFERS_NO	 (1ull << 5 | 1ull << 8 | 1ull << 13 | 1ull << 14 | 1ull << 15 | 1ull << 27)

uint32_t cpu_highest(const struct source *source, uint32_t base)
{
	struct leaf leaf;

	source->cpuid(source->context, base, 0, &leaf);
	return leaf.eax;
}

static void put_text4(char *text, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)(value >> 8 * i & 0x7f);
}

static void read_maker(const struct source *source, struct cpu *cpu)
{
	struct leaf leaf;

	source->cpuid(source->context, 0, 0, &leaf);
	put_text4(cpu->maker, leaf.ebx);
	put_text4(cpu->maker + 4, leaf.edx);
	put_text4(cpu->maker + 8, leaf.ecx);
	cpu->maker[12] = 0;
	if (same_bytes(cpu->maker, "GenuineIntel", 12))
		cpu->vendor = REDOUBT_VENDOR_VMX;
	else if (same_bytes(cpu->maker, "AuthenticAMD", 12) ||
	    same_bytes(cpu->maker, "HygonGenuine", 12))
		cpu->vendor = REDOUBT_VENDOR_SVM;
}

/* What hides one hides all. */
uint64_t cpu_msr(const struct source *source, struct cpu *cpu, uint32_t number)
{
	uint64_t value = 0;
	enum fact fact = source->msr(source->context, number, &value);

	if (fact == FACT_HIDDEN)
		cpu->msrs = FACT_HIDDEN;
	return fact == FACT_OK ? value : 0;
}

static bool has_virtualization(const struct source *source, const struct cpu *cpu)
{
	struct leaf leaf = { 0 };

	if (cpu->vendor == REDOUBT_VENDOR_VMX) {
		source->cpuid(source->context, 1, 0, &leaf);
		return leaf.ecx & CPUID1_VMX;
	}
	if (cpu->vendor == REDOUBT_VENDOR_SVM && cpu_highest(source, 0x80000000) >= LEAF_SVM) {
		source->cpuid(source->context, 0x80000001, 0, &leaf);
		return leaf.ecx & CPUID80000001_SVM;
	}
	return false;
}

static void read_features(const struct source *source, struct cpu *cpu)
{
	struct leaf leaf;
	uint32_t last = cpu_highest(source, 0);

	if (last >= 7)
		source->cpuid(source->context, 7, 0, &cpu->features);
	if (cpu->features.edx & CPUID7_ARCH_CAPS)
		cpu->arch_caps = cpu_msr(source, cpu, MSR_ARCH_CAPABILITIES);
	cpu->threads = 1;
	if (last >= 0xb) {
		source->cpuid(source->context, 0xb, 0, &leaf);
		cpu->threads = leaf.ebx & 0xffff;
	}
}

void cpu_read(const struct source *source, struct cpu *cpu)
{
	*cpu = (struct cpu){ .msrs = FACT_OK };
	read_maker(source, cpu);
	cpu->control = source->cr4(source->context, &cpu->cr4);
	if (cpu->control != FACT_OK)
		cpu->cr4 = 0;
	read_features(source, cpu);
	cpu->present = has_virtualization(source, cpu);
	if (cpu->present && cpu->vendor == REDOUBT_VENDOR_VMX)
		vmx_read(source, cpu);
	if (cpu->present && cpu->vendor == REDOUBT_VENDOR_SVM)
		svm_read(source, cpu);
}

enum launch_status cpu_judge(const struct cpu *cpu)
{
	if (!cpu->present)
		return LAUNCH_NO_VIRTUALIZATION;
	return cpu->vendor == REDOUBT_VENDOR_VMX ? vmx_judge(cpu) : svm_judge(cpu);
}

bool cpu_same(const struct cpu *first, const struct cpu *second)
{
	if (first->vendor != second->vendor || first->present != second->present)
		return false;
	if (!first->present || first->msrs != FACT_OK || second->msrs != FACT_OK)
		return true;
	return first->vendor == REDOUBT_VENDOR_VMX ? vmx_same(first, second)
						   : svm_same(first, second);
}

static bool buffers_leak(const struct cpu *cpu)
{
	return (cpu->arch_caps & CAPS_BUFFERS_NO) != CAPS_BUFFERS_NO;
}

static bool l1d_leaks(const struct cpu *cpu)
{
	return !(cpu->arch_caps & (CAPS_RDCL_NO | CAPS_SKIP_L1D));
}

bool cpu_siblings_leak(const struct cpu *cpu)
{
	bool leaks = cpu->vendor == REDOUBT_VENDOR_SVM
	    ? cpu->svm.buffers_leak
	    : buffers_leak(cpu) || (l1d_leaks(cpu) && cpu->features.edx & CPUID7_L1D_FLUSH);

	return leaks && cpu->threads > 1;
}

bool cpu_flawed(const struct cpu *cpu)
{
	return !(cpu->arch_caps & CAPS_PSCHANGE_NO) ||
	    (buffers_leak(cpu) && !(cpu->features.edx & CPUID7_MD_CLEAR)) ||
	    (l1d_leaks(cpu) && !(cpu->features.edx & CPUID7_L1D_FLUSH));
}
