/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Can this CPU be covered? The same facts that the monitor's own check refuses by; a host test
 * compares the two over many machines (tests/unit/doctor), so that they cannot drift apart.
 */
#ifndef TOOLS_DOCTOR_CPU_H
#define TOOLS_DOCTOR_CPU_H

#include "monitor/abi/bootinfo.h"
#include "monitor/abi/cpuid.h"
#include "tools/doctor/facts.h"

/* VT-x's capability MSRs; those that do not exist read 0 here. */
struct vmx_facts {
	uint64_t feature_control, basic, misc;
	uint64_t pin, primary, secondary, ept, exit, entry;
	uint32_t shown; /* secondary controls whose instructions CPUID shows */
	unsigned address_bits;
};

/* SVM: CPUID leaf 0x8000000A, VM_CR, and what else the monitor compares. */
struct svm_facts {
	struct leaf leaf;
	uint64_t vm_cr;
	unsigned address_bits;
	bool no_execute, huge, rdpru;
	bool buffers_leak; /* between threads of a core */
};

struct cpu {
	uint32_t vendor; /* REDOUBT_VENDOR_ of monitor/abi/cpuid.h; 0: no monitor is made for it */
	char maker[13];
	bool present;	   /* CPUID shows VT-x or SVM */
	enum fact msrs;	   /* could its MSRs be read? */
	enum fact control; /* could cr4? */
	uint64_t cr4, efer;
	uint64_t arch_caps;   /* IA32_ARCH_CAPABILITIES, 0 without */
	struct leaf features; /* leaf 7 */
	unsigned threads;     /* of a core */
	struct vmx_facts vmx;
	struct svm_facts svm;
};

/* Reads all of it on the running CPU. Calls nothing but the source's cpuid, msr, cr4. */
void cpu_read(const struct source *source, struct cpu *cpu);

/*
 * The monitor's answer for this CPU, LAUNCH_OK if nothing that could be read speaks against it.
 * With cpu.msrs other than FACT_OK that is no promise.
 */
enum launch_status cpu_judge(const struct cpu *cpu);

/* Whether the second CPU offers what the monitor relies on with the first (LAUNCH_CPU_MISMATCH). */
bool cpu_same(const struct cpu *first, const struct cpu *second);

/* Single facts, false where they could not be read. */
bool cpu_locked_off(const struct cpu *cpu);
bool cpu_has_stage2(const struct cpu *cpu);
bool cpu_has_unrestricted(const struct cpu *cpu);
bool cpu_has_mbec(const struct cpu *cpu);
bool cpu_siblings_leak(const struct cpu *cpu);
bool cpu_flawed(const struct cpu *cpu); /* VT-x: the claim cpu=flawed */

/* An MSR that exists; 0 where it cannot be read, which cpu.msrs tells. */
uint64_t cpu_msr(const struct source *source, struct cpu *cpu, uint32_t number);

/* The highest leaf of those from `base` on. */
uint32_t cpu_highest(const struct source *source, uint32_t base);

/* VT-x: whether every control that the monitor needs is there. */
enum launch_status vmx_judge(const struct cpu *cpu);
enum launch_status svm_judge(const struct cpu *cpu);
void vmx_read(const struct source *source, struct cpu *cpu);
void svm_read(const struct source *source, struct cpu *cpu);
bool vmx_same(const struct cpu *first, const struct cpu *second);
bool svm_locked_off(const struct cpu *cpu);
bool svm_same(const struct cpu *first, const struct cpu *second);

#define VMX_CPU2_EPT	      (1u << 1)
#define VMX_CPU2_RDTSCP	      (1u << 3)
#define VMX_CPU2_VPID	      (1u << 5)
#define VMX_CPU2_UNRESTRICTED (1u << 7)
#define VMX_CPU2_INVPCID      (1u << 12)
#define VMX_CPU2_XSAVES	      (1u << 20)
#define VMX_CPU2_MBEC	      (1u << 22)

#define SVM_NPT	   (1u << 0)
#define SVM_GMET   (1u << 17)
#define SVM_R_INIT (1u << 1) /* of VM_CR */

#endif
