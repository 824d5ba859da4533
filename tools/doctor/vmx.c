/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VT-x: what the monitor's check (arch/x86/vmx/caps.c) demands, in its order. SDM 3D A.
 */
#include "tools/doctor/cpu.h"

#define MSR_FEATURE_CONTROL  0x3au
#define MSR_VMX_BASIC	     0x480u
#define MSR_VMX_MISC	     0x485u
#define MSR_VMX_SECONDARY    0x48bu
#define MSR_VMX_EPT_VPID     0x48cu
#define MSR_VMX_TRUE_PIN     0x48du
#define MSR_VMX_TRUE_PRIMARY 0x48eu
#define MSR_VMX_TRUE_EXIT    0x48fu
#define MSR_VMX_TRUE_ENTRY   0x490u
#define MAY_SECONDARY	     (1ull << 63) /* of the primary controls */

#define MSR_TME_ACTIVATE     0x982u
#define TME_ENABLED	     (1ull << 1)
#define CPUID7_TME	     (1u << 13) /* ECX */
#define CPUID7_INVPCID	     (1u << 10) /* EBX */
#define CPUIDD_XSAVES	     (1u << 3)	/* EAX of subleaf 1 */
#define CPUID80000001_RDTSCP (1u << 27) /* EDX */
#define STAGE2_BITS	     48u

#define FEATURE_CONTROL_LOCKED 1ull
#define FEATURE_CONTROL_VMX    4ull
#define CR4_LA57	       (1ull << 12)
#define CR4_CET		       (1ull << 23)
#define CR4_VMXE	       (1ull << 13)
#define BASIC_TRUE_CONTROLS    (1ull << 55)
#define BASIC_ANY_ERROR	       (1ull << 56)
#define BASIC_TYPE(basic)      ((basic) >> 50 & 15)
#define BASIC_TYPE_WB	       6u
#define MISC_WAIT_SIPI	       (1ull << 8)

/* Pin: NMI exiting, virtual NMIs; in partitions interrupt exiting too, wanted is a timer. */
#define PIN_NEEDED    (1u << 3 | 1u << 5)
#define PIN_VP_NEEDED (PIN_NEEDED | 1u << 0)
#define PIN_VP_WANTED (1u << 6)
/*
 * Primary: TSC offsetting, RDPMC exiting, I/O and MSR bitmaps, secondary; CR3 exits not forced. In
 * partitions HLT, MWAIT, RDPMC, CR8, MOV DR, I/O, MONITOR exit.
 */
#define CPU_NEEDED    (1u << 3 | 1u << 11 | 1u << 25 | 1u << 28 | 1u << 31)
#define CPU_VP_NEEDED (1u << 7 | 3u << 10 | 3u << 19 | 3u << 23 | 1u << 29 | 1u << 31)
#define CPU_FORBIDDEN (1u << 15 | 1u << 16)
#define CPU_SECONDARY (1u << 31)
/*
 * Secondary: wanted are RDTSCP, INVPCID, ENCLS exiting, XSAVES, MBEC. In partitions WBINVD exiting,
 * wanted are ENCLS exiting and MBEC.
 */
#define CPU2_NEEDED    (VMX_CPU2_EPT | VMX_CPU2_VPID | VMX_CPU2_UNRESTRICTED)
#define CPU2_VP_NEEDED (CPU2_NEEDED | 1u << 6)
#define CPU2_VP_WANTED (1u << 15 | VMX_CPU2_MBEC)
#define CPU2_WANTED                                                                                \
	(VMX_CPU2_RDTSCP | VMX_CPU2_INVPCID | 1u << 15 | VMX_CPU2_XSAVES | VMX_CPU2_MBEC)
/*
 * Exit: save debug controls, 64-bit host, save and load PAT and EFER; not: acknowledge interrupt.
 */
#define EXIT_NEEDED    (1u << 2 | 1u << 9 | 0xfu << 18)
#define EXIT_FORBIDDEN (1u << 15)
/* Entry: load debug controls, 64-bit guest, load PAT and EFER. */
#define ENTRY_NEEDED (1u << 2 | 1u << 9 | 1u << 14 | 1u << 15)

/* Walk of 4 levels, UC, WB, 2 MiB, INVEPT (all), INVVPID (single). */
#define STAGE2_NEEDED                                                                              \
	(1ull << 6 | 1ull << 8 | 1ull << 14 | 1ull << 16 | 1ull << 20 | 1ull << 26 | 1ull << 32 |  \
	    1ull << 41)

#define GROUPS	  5u
#define SECONDARY 2u

struct demand {
	uint32_t needed, wanted, vp_needed, vp_wanted, forbidden;
	enum launch_status missing;
};

static const struct demand demands[GROUPS] = {
	{ PIN_NEEDED, 0, PIN_VP_NEEDED, PIN_VP_WANTED, 0, LAUNCH_NO_PIN_CONTROL },
	{ CPU_NEEDED, 0, CPU_VP_NEEDED, 0, CPU_FORBIDDEN, LAUNCH_NO_PRIMARY_CONTROL },
	{ CPU2_NEEDED, CPU2_WANTED, CPU2_VP_NEEDED, CPU2_VP_WANTED, 0,
	    LAUNCH_NO_SECONDARY_CONTROL },
	{ EXIT_NEEDED, 0, EXIT_NEEDED, 0, EXIT_FORBIDDEN, LAUNCH_NO_EXIT_CONTROL },
	{ ENTRY_NEEDED, 0, ENTRY_NEEDED, 0, 0, LAUNCH_NO_ENTRY_CONTROL },
};

/* Bits of an address that select memory; with TME's keys in use, the upper ones do not. */
static unsigned address_bits(const struct source *source, struct cpu *cpu)
{
	struct leaf leaf;
	uint64_t activate = 0;
	unsigned bits;

	source->cpuid(source->context, 0x80000008, 0, &leaf);
	bits = leaf.eax & 0xff;
	if (cpu->features.ecx & CPUID7_TME)
		activate = cpu_msr(source, cpu, MSR_TME_ACTIVATE);
	if (activate & TME_ENABLED)
		bits -= (unsigned)(activate >> 32 & 15);
	return bits < STAGE2_BITS ? bits : STAGE2_BITS;
}

static uint32_t shown(const struct source *source, const struct leaf *features)
{
	struct leaf xsave = { 0 }, extended;
	uint32_t controls = features->ebx & CPUID7_INVPCID ? VMX_CPU2_INVPCID : 0;

	if (cpu_highest(source, 0) >= 0xd)
		source->cpuid(source->context, 0xd, 1, &xsave);
	source->cpuid(source->context, 0x80000001, 0, &extended);
	controls |= xsave.eax & CPUIDD_XSAVES ? VMX_CPU2_XSAVES : 0;
	return controls | (extended.edx & CPUID80000001_RDTSCP ? VMX_CPU2_RDTSCP : 0);
}

void vmx_read(const struct source *source, struct cpu *cpu)
{
	struct vmx_facts *vmx = &cpu->vmx;

	vmx->feature_control = cpu_msr(source, cpu, MSR_FEATURE_CONTROL);
	vmx->basic = cpu_msr(source, cpu, MSR_VMX_BASIC);
	vmx->misc = cpu_msr(source, cpu, MSR_VMX_MISC);
	vmx->address_bits = address_bits(source, cpu);
	vmx->shown = shown(source, &cpu->features);
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

static uint64_t capability(const struct vmx_facts *vmx, unsigned group)
{
	const uint64_t values[GROUPS] = { vmx->pin, vmx->primary, vmx->secondary, vmx->exit,
		vmx->entry };

	return values[group];
}

/* What the monitor would run with: low half must be 1, high half may be 1. */
/* The normal world's controls. */
static uint32_t combine(const struct vmx_facts *vmx, unsigned group)
{
	uint64_t value = capability(vmx, group);

	return (demands[group].needed | demands[group].wanted | (uint32_t)value) &
	    (uint32_t)(value >> 32);
}

/* Those of partitions. */
static uint32_t combine_vp(const struct vmx_facts *vmx, unsigned group)
{
	uint64_t value = capability(vmx, group);

	return (demands[group].vp_needed | demands[group].vp_wanted | (uint32_t)value) &
	    (uint32_t)(value >> 32);
}

static enum launch_status judge_controls(const struct vmx_facts *vmx)
{
	for (unsigned i = 0; i < GROUPS; i++) {
		uint32_t value = combine(vmx, i);

		if ((value & demands[i].needed) != demands[i].needed ||
		    value & demands[i].forbidden ||
		    (combine_vp(vmx, i) & demands[i].vp_needed) != demands[i].vp_needed)
			return demands[i].missing;
	}
	return vmx->shown & ~combine(vmx, SECONDARY) ? LAUNCH_NO_SECONDARY_CONTROL : LAUNCH_OK;
}

bool cpu_locked_off(const struct cpu *cpu)
{
	const uint64_t control = cpu->vmx.feature_control;

	if (cpu->vendor == REDOUBT_VENDOR_SVM)
		return svm_locked_off(cpu);
	return control & FEATURE_CONTROL_LOCKED && !(control & FEATURE_CONTROL_VMX);
}

/* What firmware or another hypervisor does with the CPU. */
static enum launch_status judge_state(const struct cpu *cpu)
{
	if (cpu->cr4 & CR4_VMXE)
		return LAUNCH_ALREADY_RUNNING;
	if (cpu->cr4 & CR4_LA57)
		return LAUNCH_FIVE_LEVEL;
	if (cpu->cr4 & CR4_CET)
		return LAUNCH_SHADOW_STACK;
	return LAUNCH_OK;
}

static enum launch_status judge_basics(const struct vmx_facts *vmx)
{
	if (!(vmx->basic & BASIC_TRUE_CONTROLS) || BASIC_TYPE(vmx->basic) != BASIC_TYPE_WB ||
	    !(vmx->misc & MISC_WAIT_SIPI))
		return LAUNCH_NO_CAPABILITY;
	if (!(vmx->primary >> 32 & CPU_SECONDARY))
		return LAUNCH_NO_STAGE2;
	return LAUNCH_OK;
}

static enum launch_status judge_stage2(const struct vmx_facts *vmx)
{
	uint64_t secondary = vmx->secondary >> 32;

	if (!(secondary & VMX_CPU2_EPT) || !(secondary & VMX_CPU2_VPID) ||
	    (vmx->ept & STAGE2_NEEDED) != STAGE2_NEEDED)
		return LAUNCH_NO_STAGE2;
	return secondary & VMX_CPU2_UNRESTRICTED ? LAUNCH_OK : LAUNCH_NO_UNRESTRICTED;
}

enum launch_status vmx_judge(const struct cpu *cpu)
{
	enum launch_status status = judge_state(cpu);

	if (status != LAUNCH_OK || cpu->msrs != FACT_OK)
		return status;
	if (cpu_locked_off(cpu))
		return LAUNCH_LOCKED_OFF;
	status = judge_basics(&cpu->vmx);
	if (status == LAUNCH_OK)
		status = judge_stage2(&cpu->vmx);
	if (status == LAUNCH_OK)
		status = judge_controls(&cpu->vmx);
	return status;
}

bool vmx_same(const struct cpu *first, const struct cpu *second)
{
	for (unsigned i = 0; i < GROUPS; i++)
		if (combine(&first->vmx, i) != combine(&second->vmx, i) ||
		    combine_vp(&first->vmx, i) != combine_vp(&second->vmx, i))
			return false;
	return first->vmx.ept == second->vmx.ept &&
	    first->vmx.address_bits == second->vmx.address_bits &&
	    (first->vmx.basic & BASIC_ANY_ERROR) == (second->vmx.basic & BASIC_ANY_ERROR);
}

bool cpu_has_stage2(const struct cpu *cpu)
{
	if (cpu->vendor == REDOUBT_VENDOR_SVM)
		return cpu->svm.leaf.edx & SVM_NPT && cpu->svm.no_execute;
	return cpu->vmx.secondary >> 32 & VMX_CPU2_EPT &&
	    (cpu->vmx.ept & STAGE2_NEEDED) == STAGE2_NEEDED;
}

bool cpu_has_unrestricted(const struct cpu *cpu)
{
	return cpu->vendor == REDOUBT_VENDOR_SVM ||
	    cpu->vmx.secondary >> 32 & VMX_CPU2_UNRESTRICTED;
}

bool cpu_has_mbec(const struct cpu *cpu)
{
	if (cpu->vendor == REDOUBT_VENDOR_SVM)
		return cpu->svm.leaf.edx & SVM_GMET;
	return cpu->vmx.secondary >> 32 & VMX_CPU2_MBEC;
}
