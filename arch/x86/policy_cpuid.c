/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID as the guest sees it: what the CPU answers, cut to the bits that cpu_policy.def knows.
 */
#include "arch/cpu.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/header.h"
#include "arch/x86/policy.h"
#include "arch/x86/trap.h"
#include "monitor/abi/cpuid.h"

enum rule { PLAIN, LAST, VERSION, SUBLEAVES, XSTATE, ADDRESS };

/* The policy's tables stand in one array, each with its last row. 2^n rows: see policy_cpuid(). */
enum { BASIC_ROWS = 32, EXTENDED_ROWS = 64 };
enum { BASIC = 0, EXTENDED = BASIC_ROWS, FEATURES = EXTENDED + EXTENDED_ROWS };
enum { BASIC_LAST = 0x1f, EXTENDED_LAST = 0x26, FEATURES_LAST = 2 };

struct row {
	struct cpuid_regs keep;
	enum rule rule;
};

#define ALL	     0xffffffffu
#define NONE	     0u
#define B(high, low) ((ALL >> (31 - (high))) & (ALL << (low)))

/* A row behind its table's last does not compile: there is no element -1. */
#define CPUID(table, index, a, b, c, d, rule, mark, reason)                                        \
	[(index) <= table##_LAST ? (table) + (index) : -1] = { { a, b, c, d }, rule },

/* A leaf without a row is all zeros by C's rule, which is the policy's too. */
static const struct row rows[] = {
#include "arch/x86/cpu_policy.def"
};

#define EXTENDED_BASE	   0x80000000u
#define VERSION_OSXSAVE	   (1u << 27)
#define VERSION_HYPERVISOR (1u << 31)
#define FEATURES_OSPKE	   (1u << 4)
#define FEATURES_CET_SS	   (1u << 7)
#define FEATURES_CET_IBT   (1u << 20)

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void policy_cpuid_init(struct vcpu *vcpu)
{
	vcpu->cpuid_basic = smaller(cpuid(0, 0).eax, BASIC_LAST);
	vcpu->cpuid_extended = smaller(cpuid(EXTENDED_BASE, 0).eax, EXTENDED_BASE + EXTENDED_LAST);
}

static struct cpuid_regs masked(const struct row *row, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = cpuid(leaf, subleaf);

	r.eax &= row->keep.eax;
	r.ebx &= row->keep.ebx;
	r.ecx &= row->keep.ecx;
	r.edx &= row->keep.edx;
	return r;
}

static struct cpuid_regs masked_features(uint32_t subleaf)
{
	struct cpuid_regs r = masked(&rows[FEATURES + subleaf], 7, subleaf);

	if (subleaf == 0 && !vendor_delivers_cp()) {
		r.ecx &= ~FEATURES_CET_SS;
		r.edx &= ~FEATURES_CET_IBT;
	}
	return r;
}

/* Leaf 7: each subleaf has its own row. EAX of subleaf 0 is the highest one. */
static struct cpuid_regs leaf_features(const struct vcpu *vcpu, uint32_t subleaf)
{
	uint32_t last = smaller(cpuid(7, 0).eax, FEATURES_LAST);
	struct cpuid_regs r = { 0, 0, 0, 0 };

	if (subleaf > last)
		return r;
	r = masked_features(subleaf);
	if (subleaf == 0) {
		r.eax = last;
		if ((vcpu_cr4(vcpu) & CR4_PKE) != 0)
			r.ecx |= FEATURES_OSPKE;
	}
	return r;
}

uint64_t policy_xss(void)
{
	struct cpuid_regs r = cpuid(0xd, 1);

	return vendor_delivers_cp() ? XSS_ALLOWED & ((uint64_t)r.edx << 32 | r.ecx) : 0;
}

static struct cpuid_regs leaf_xstate(uint32_t subleaf)
{
	struct cpuid_regs r = cpuid(0xd, subleaf);
	struct cpuid_regs first = cpuid(0xd, 0);
	uint64_t components = XCR0_ALLOWED & ((uint64_t)first.edx << 32 | first.eax);

	if (subleaf == 0) {
		r.eax = (uint32_t)components;
		r.edx = (uint32_t)(components >> 32);
	} else if (subleaf == 1) {
		r.eax &= B(4, 0);
		r.ecx = (uint32_t)policy_xss();
		r.edx = 0;
	} else if (subleaf > 63 || ((components | policy_xss()) >> subleaf & 1) == 0) {
		r = (struct cpuid_regs){ 0, 0, 0, 0 };
	}
	return r;
}

static void answer(struct vcpu *vcpu, const struct cpuid_regs *r)
{
	vcpu->regs.rax = r->eax;
	vcpu->regs.rbx = r->ebx;
	vcpu->regs.rcx = r->ecx;
	vcpu->regs.rdx = r->edx;
}

/* 0x40000000 and on: the monitor's own, abi/cpuid.h. Zeros for every leaf that no table has. */
static __attribute__((noinline)) void answer_monitor(struct vcpu *vcpu, uint32_t leaf)
{
	const struct bootinfo *info = start_info();
	struct cpuid_regs own[] = {
		{ REDOUBT_CPUID_LAST, REDOUBT_SIG_EBX, REDOUBT_SIG_ECX, REDOUBT_SIG_EDX },
		{ REDOUBT_INTERFACE, REDOUBT_ABI_VERSION, monitor_header.vendor, 0 },
		{ monitor_features(), monitor_degraded(), cpu_covered(), vcpu->index },
		{ 0, 0, info->attempts, 0 }, /* a part of the digest before it */
		{ 0, 0, 0, 0 },
	};
	uint32_t index = leaf - REDOUBT_CPUID_BASE;

	__builtin_memcpy(&own[3], info->monitor_digest, 8);
	answer(vcpu, &own[index < 4 ? index : 4]);
}

/* Leaves that need more than the mask. Apart, so that the fast path saves no registers for them. */
static __attribute__((noinline)) void answer_by_rule(struct vcpu *vcpu, const struct row *row,
    uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = masked(row, leaf, subleaf);

	if (row->rule == LAST) {
		r.eax = leaf == 0 ? vcpu->cpuid_basic : vcpu->cpuid_extended;
	} else if (row->rule == VERSION) {
		r.ecx |= VERSION_HYPERVISOR;
		if ((vcpu_cr4(vcpu) & CR4_OSXSAVE) != 0)
			r.ecx |= VERSION_OSXSAVE;
	} else if (row->rule == SUBLEAVES) {
		r = leaf_features(vcpu, subleaf);
	} else if (row->rule == XSTATE) {
		r = leaf_xstate(subleaf);
	} else if (row->rule == ADDRESS) {
		r.eax |= 48u << 8;
	}
	answer(vcpu, &r);
}

void policy_cpuid(struct vcpu *vcpu)
{
	uint32_t leaf = (uint32_t)vcpu->regs.rax;
	uint32_t subleaf = (uint32_t)vcpu->regs.rcx;
	const struct row *row;
	struct cpuid_regs r;

	if (leaf <= vcpu->cpuid_basic) {
		row = &rows[BASIC + leaf % BASIC_ROWS]; /* also while the CPU runs ahead */
	} else if (leaf >= EXTENDED_BASE && leaf <= vcpu->cpuid_extended) {
		row = &rows[EXTENDED + leaf % EXTENDED_ROWS];
	} else {
		answer_monitor(vcpu, leaf);
		return;
	}
	if (row->rule != PLAIN) {
		answer_by_rule(vcpu, row, leaf, subleaf);
		return;
	}
	r = masked(row, leaf, subleaf);
	answer(vcpu, &r);
}

uint64_t policy_cr4(void)
{
	uint32_t version = masked(&rows[BASIC + 1], 1, 0).ecx;
	struct cpuid_regs f = masked_features(0);
	/* Bits that come with a feature. 0 to 10 are every 64-bit CPU's. SDM 3A 2.5. */
	const struct {
		uint32_t seen;
		uint64_t bit;
	} more[] = {
		{ version & 1u << 17, CR4_PCIDE },
		{ version & 1u << 26, CR4_OSXSAVE },
		{ f.ebx & 1u << 0, CR4_FSGSBASE },
		{ f.ebx & 1u << 7, CR4_SMEP },
		{ f.ebx & 1u << 20, CR4_SMAP },
		{ f.ecx & 1u << 2, CR4_UMIP },
		{ f.ecx & 1u << 3, CR4_PKE },
		{ (f.ecx & FEATURES_CET_SS) | (f.edx & FEATURES_CET_IBT), CR4_CET },
	};
	uint64_t allowed = 0x7ff;

	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].seen != 0)
			allowed |= more[i].bit;
	return allowed;
}

/* The rules between state components (SDM 1 13.3; APM 2 11.5.2) are the CPU's to check. */
bool xcr0_write(const struct vcpu *vcpu)
{
	uint64_t value = (vcpu->regs.rdx & UINT32_MAX) << 32 | (vcpu->regs.rax & UINT32_MAX);

	return (uint32_t)vcpu->regs.rcx == 0 &&
	    ((value & ~XCR0_ALLOWED) == 0 || test_switch(TEST_XSETBV_OPEN)) &&
	    xsetbv_safe(0, value);
}
