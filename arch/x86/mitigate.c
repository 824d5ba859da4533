/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Choosing and applying side-channel mitigations.
 */
#include "arch/x86/mitigate.h"

#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/trap.h"

#define MSR_ARCH_CAPABILITIES 0x10au
#define CAPS_RDCL_NO	      (1ull << 0)
#define CAPS_SKIP_L1D	      (1ull << 3)
#define CAPS_MDS_NO	      (1ull << 5)
#define CAPS_PSCHANGE_NO      (1ull << 6)
#define CAPS_TAA_NO	      (1ull << 8)
#define CAPS_SBDR_NO	      (1ull << 13)
#define CAPS_FBSDP_NO	      (1ull << 14)
#define CAPS_PSDP_NO	      (1ull << 15)
#define CAPS_PBRSB_NO	      (1ull << 24)
#define CAPS_RFDS_NO	      (1ull << 27)
#define CAPS_BUFFERS_NO                                                                            \
	(CAPS_MDS_NO | CAPS_TAA_NO | CAPS_SBDR_NO | CAPS_FBSDP_NO | CAPS_PSDP_NO | CAPS_RFDS_NO)

#define CPUID7_MD_CLEAR	 (1u << 10)
#define CPUID7_IBPB	 (1u << 26)
#define CPUID7_L1D_FLUSH (1u << 28)
#define CPUID7_ARCH_CAPS (1u << 29)
#define MSR_PRED_CMD	 0x49u /* 1: IBPB */
#define MSR_FLUSH_CMD	 0x10bu
#define FLUSH_L1D	 1ull

static uint64_t capabilities(uint32_t leaf7_edx)
{
	uint64_t caps = 0;

	if (!(leaf7_edx & CPUID7_ARCH_CAPS) || !rdmsr_safe(MSR_ARCH_CAPABILITIES, &caps))
		return 0;
	return caps;
}

void mitigate_init(struct percpu *cpu)
{
	uint32_t edx = cpuid_basic(7, 0).edx;
	uint64_t caps = start_info()->flags & BOOTINFO_MITIGATE ? 0 : capabilities(edx);
	uint32_t needed = 0;

	if (!(caps & CAPS_PBRSB_NO))
		needed |= MITIGATE_RETURNS;
	if ((caps & CAPS_BUFFERS_NO) != CAPS_BUFFERS_NO)
		needed |= MITIGATE_BUFFERS;
	if (!(caps & (CAPS_RDCL_NO | CAPS_SKIP_L1D)) && edx & CPUID7_L1D_FLUSH)
		needed |= MITIGATE_L1D;
	if (edx & CPUID7_IBPB)
		needed |= MITIGATE_WORLDS;
	cpu->mitigations = needed;
	if (cpu->vcpu.index == 0)
		klog(LOG_INFO, "side channels: capabilities %lx, mitigations %x%s", caps, needed,
		    edx & CPUID7_MD_CLEAR ? "" : " (no VERW buffer clearing on this CPU)");
}

/*
 * What flushing at entry cannot help: the sibling thread's guest runs while this one is in root
 * mode.
 */
bool mitigate_siblings_leak(void)
{
	return this_cpu()->mitigations & (MITIGATE_BUFFERS | MITIGATE_L1D) &&
	    (cpuid_basic(0xb, 0).ebx & 0xffff) > 1;
}

/*
 * A CPU that may machine-check where the size of a code page changes under it (CVE-2018-12207),
 * which a guest can do to its own pages; and buffers or a data cache that leak and that it has no
 * command to clear.
 */
bool mitigate_flawed(void)
{
	uint32_t edx = cpuid_basic(7, 0).edx;
	uint64_t caps = capabilities(edx);

	return !(caps & CAPS_PSCHANGE_NO) ||
	    ((caps & CAPS_BUFFERS_NO) != CAPS_BUFFERS_NO && !(edx & CPUID7_MD_CLEAR)) ||
	    (!(caps & (CAPS_RDCL_NO | CAPS_SKIP_L1D)) && !(edx & CPUID7_L1D_FLUSH));
}

void mitigate_enter(void)
{
	const struct percpu *cpu = this_cpu();
	const uint16_t selector = SEL_DATA;

	if (cpu->mitigations & MITIGATE_L1D && !wrmsr_safe(MSR_FLUSH_CMD, FLUSH_L1D))
		panic("the L1 data cache cannot be flushed");
	if (cpu->mitigations & MITIGATE_BUFFERS)
		__asm__ volatile("verw %0" : : "m"(selector) : "cc");
}

void mitigate_switch(void)
{
	if (this_cpu()->mitigations & MITIGATE_WORLDS)
		wrmsr(MSR_PRED_CMD, 1);
}
