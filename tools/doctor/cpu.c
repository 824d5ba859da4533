/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Reading one CPU, and what both vendors share.
 */
#include "tools/doctor/cpu.h"

#include "tools/doctor/bytes.h"

#define MSR_FEATURE_CONTROL   0x3au
#define MSR_ARCH_CAPABILITIES 0x10au
#define MSR_VMX_BASIC	      0x480u
#define MSR_VMX_MISC	      0x485u
#define MSR_VMX_SECONDARY     0x48bu
#define MSR_VMX_EPT_VPID      0x48cu
#define MSR_VMX_TRUE_PIN      0x48du
#define MSR_VMX_TRUE_PRIMARY  0x48eu
#define MSR_VMX_TRUE_EXIT     0x48fu
#define MSR_VMX_TRUE_ENTRY    0x490u
#define MSR_S_CET	      0x6a2u

#define BASIC_TRUE_CONTROLS (1ull << 55)
#define MAY_SECONDARY	    (1ull << 63) /* of the primary controls */
#define CR4_CET		    (1ull << 23)

#define CPUID1_VMX	  (1u << 5)  /* ECX */
#define CPUID7_ARCH_CAPS  (1u << 29) /* EDX */
#define CPUID7_L1D_FLUSH  (1u << 28) /* EDX */
#define CPUID80000001_SVM (1u << 2)  /* ECX */
#define LEAF_SVM	  0x8000000au

/* IA32_ARCH_CAPABILITIES (SDM 4, table 2-2), as the monitor's mitigate.c uses it. */
#define CAPS_RDCL_NO	(1ull << 0)
#define CAPS_SKIP_L1D	(1ull << 3)
#define CAPS_BUFFERS_NO (1ull << 5 | 1ull << 8 | 1ull << 13 | 1ull << 14 | 1ull << 15 | 1ull << 27)

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

static void read_vmx(const struct source *source, struct cpu *cpu)
{
	struct vmx_facts *vmx = &cpu->vmx;

	vmx->feature_control = cpu_msr(source, cpu, MSR_FEATURE_CONTROL);
	vmx->basic = cpu_msr(source, cpu, MSR_VMX_BASIC);
	vmx->misc = cpu_msr(source, cpu, MSR_VMX_MISC);
	if (!(vmx->basic & BASIC_TRUE_CONTROLS))
		return;
	vmx->pin = cpu_msr(source, cpu, MSR_VMX_TRUE_PIN);
	vmx->primary = cpu_msr(source, cpu, MSR_VMX_TRUE_PRIMARY);
	vmx->exit = cpu_msr(source, cpu, MSR_VMX_TRUE_EXIT);
	vmx->entry = cpu_msr(source, cpu, MSR_VMX_TRUE_ENTRY);
	if (vmx->primary & MAY_SECONDARY)
		vmx->secondary = cpu_msr(source, cpu, MSR_VMX_SECONDARY);
	if (vmx->secondary >> 32 & (VMX_CPU2_EPT | VMX_CPU2_VPID))
		vmx->ept = cpu_msr(source, cpu, MSR_VMX_EPT_VPID);
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
	if (cpu->cr4 & CR4_CET)
		cpu->s_cet = cpu_msr(source, cpu, MSR_S_CET);
	read_features(source, cpu);
	cpu->present = has_virtualization(source, cpu);
	if (cpu->present && cpu->vendor == REDOUBT_VENDOR_VMX)
		read_vmx(source, cpu);
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

bool cpu_siblings_leak(const struct cpu *cpu)
{
	bool buffers = cpu->vendor == REDOUBT_VENDOR_SVM
	    ? cpu->svm.buffers_leak
	    : (cpu->arch_caps & CAPS_BUFFERS_NO) != CAPS_BUFFERS_NO;
	bool l1d = cpu->vendor != REDOUBT_VENDOR_SVM &&
	    !(cpu->arch_caps & (CAPS_RDCL_NO | CAPS_SKIP_L1D)) &&
	    cpu->features.edx & CPUID7_L1D_FLUSH;

	return (buffers || l1d) && cpu->threads > 1;
}
