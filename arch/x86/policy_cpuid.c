/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID as the guest sees it: what the CPU answers, cut to the bits that cpu_policy.def knows.
 */
#include <stddef.h>

#include "arch/cpu.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/policy.h"
#include "arch/x86/policy_internal.h"
#include "arch/x86/start.h"
#include "monitor/abi/call.h"
#include "monitor/abi/cpuid.h"

enum rule { PLAIN, LAST, VERSION, FEATURES, XSTATE, ADDRESS };

struct row {
	struct cpuid_regs keep;
	enum rule rule;
};

#define COUNT(array)		     ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define EXTENDED_ROWS		     64u
#define ALL			     0xffffffffu
#define NONE			     0u
#define B(high, low)		     ((ALL >> (31 - (high))) & (ALL << (low)))
#define ROW(index, a, b, c, d, rule) [index] = { { a, b, c, d }, rule },
#define BASIC_ROW(...)		     ROW(__VA_ARGS__)
#define EXTENDED_ROW(...)
#define FEATURES_ROW(...)
#define CPUID(table, index, a, b, c, d, rule, mark, reason) table##_ROW(index, a, b, c, d, rule)

/* By leaf; a leaf without a row is all zeros by C's rule, which is the policy's too. */
static const struct row basic[] = {
#include "arch/x86/cpu_policy.def"
};

#undef BASIC_ROW
#undef EXTENDED_ROW
#define BASIC_ROW(...)
#define EXTENDED_ROW(...) ROW(__VA_ARGS__)
static const struct row extended[EXTENDED_ROWS] = {
#include "arch/x86/cpu_policy.def"
};

_Static_assert(COUNT(basic) == 32 && COUNT(extended) == 64, "a remainder is one instruction");

/* One past the last row that the policy has: the others of extended[] are for the remainder. */
#undef EXTENDED_ROW
#define EXTENDED_ROW(index, ...) [index] = 0,
enum {
	EXTENDED_END = sizeof((const uint8_t[]){
#include "arch/x86/cpu_policy.def"
	})
};

#undef EXTENDED_ROW
#undef FEATURES_ROW
#define EXTENDED_ROW(...)
#define FEATURES_ROW(...) ROW(__VA_ARGS__)
static const struct row features[] = {
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
	vcpu->cpuid_basic = smaller(cpuid(0, 0).eax, COUNT(basic) - 1);
	vcpu->cpuid_extended = smaller(cpuid(EXTENDED_BASE, 0).eax,
	    EXTENDED_BASE + EXTENDED_END - 1);
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
	struct cpuid_regs r = masked(&features[subleaf], 7, subleaf);

	if (subleaf == 0 && !vendor_delivers_cp()) {
		r.ecx &= ~FEATURES_CET_SS;
		r.edx &= ~FEATURES_CET_IBT;
	}
	return r;
}

/* Leaf 7: each subleaf has its own row. EAX of subleaf 0 is the highest one. */
static struct cpuid_regs leaf_features(const struct vcpu *vcpu, uint32_t subleaf)
{
	struct cpuid_regs r = { 0, 0, 0, 0 };

	if (subleaf > smaller(cpuid(7, 0).eax, COUNT(features) - 1))
		return r;
	r = masked_features(subleaf);
	if (subleaf == 0) {
		r.eax = smaller(r.eax, COUNT(features) - 1);
		if ((vcpu_cr4(vcpu) & CR4_PKE) != 0)
			r.ecx |= FEATURES_OSPKE;
	}
	return r;
}

uint64_t policy_xcr0(void)
{
	struct cpuid_regs r = cpuid(0xd, 0);

	return XCR0_ALLOWED & ((uint64_t)r.edx << 32 | r.eax);
}

uint64_t policy_xss(void)
{
	struct cpuid_regs r = cpuid(0xd, 1);

	return vendor_delivers_cp() ? XSS_ALLOWED & ((uint64_t)r.edx << 32 | r.ecx) : 0;
}

/*
 * Bytes of a standard-format XSAVE area that holds all components that may be enabled: SDM 1
 * 13.2.
 */
static uint32_t xsave_bytes(uint64_t components)
{
	uint32_t bytes = 512 + 64;

	for (uint32_t i = 2; i < 64; i++) {
		struct cpuid_regs r;

		if ((components >> i & 1) == 0)
			continue;
		r = cpuid(0xd, i);
		if (r.ebx + r.eax > bytes)
			bytes = r.ebx + r.eax;
	}
	return bytes;
}

static struct cpuid_regs leaf_xstate(uint32_t subleaf)
{
	struct cpuid_regs r = cpuid(0xd, subleaf);
	uint64_t components = policy_xcr0();

	if (subleaf == 0) {
		r.eax = (uint32_t)components;
		r.edx = (uint32_t)(components >> 32);
		r.ecx = xsave_bytes(components);
	} else if (subleaf == 1) {
		r.eax &= B(4, 0);
		r.ecx = (uint32_t)policy_xss();
		r.edx = 0;
	} else if (subleaf > 63 || ((components | policy_xss()) >> subleaf & 1) == 0) {
		r = (struct cpuid_regs){ 0, 0, 0, 0 };
	}
	return r;
}

static uint32_t le32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	    (uint32_t)bytes[3] << 24;
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
	const uint8_t *digest = info->monitor_digest;
	struct cpuid_regs r = { 0, 0, 0, 0 };

	if (leaf == REDOUBT_CPUID_BASE)
		r = (struct cpuid_regs){ REDOUBT_CPUID_LAST, REDOUBT_SIG_EBX, REDOUBT_SIG_ECX,
			REDOUBT_SIG_EDX };
	else if (leaf == REDOUBT_CPUID_IDENT)
		r = (struct cpuid_regs){ REDOUBT_INTERFACE, REDOUBT_ABI_VERSION, policy_vendor(),
			0 };
	else if (leaf == REDOUBT_CPUID_STATE)
		r = (struct cpuid_regs){ monitor_features(), monitor_degraded(), cpu_covered(),
			vcpu->index };
	else if (leaf == REDOUBT_CPUID_BUILD)
		r = (struct cpuid_regs){ le32(digest), le32(digest + 4), info->attempts, 0 };
	answer(vcpu, &r);
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
	} else if (row->rule == FEATURES) {
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
		row = &basic[leaf % COUNT(basic)]; /* also while the CPU runs ahead */
	} else if (leaf >= EXTENDED_BASE && leaf <= vcpu->cpuid_extended) {
		row = &extended[leaf % EXTENDED_ROWS];
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

/* CR4 bits that come with a feature. The bits 0 to 10 are every 64-bit CPU's. SDM 3A 2.5. */
static const struct {
	uint32_t leaf, ebx, ecx, edx;
	uint64_t cr4;
} cr4_features[] = {
	{ 1, 0, 1u << 17, 0, CR4_PCIDE },
	{ 1, 0, 1u << 26, 0, CR4_OSXSAVE },
	{ 7, 1u << 0, 0, 0, CR4_FSGSBASE },
	{ 7, 1u << 7, 0, 0, CR4_SMEP },
	{ 7, 1u << 20, 0, 0, CR4_SMAP },
	{ 7, 0, 1u << 2, 0, CR4_UMIP },
	{ 7, 0, 1u << 3, 0, CR4_PKE },
	{ 7, 0, 1u << 7, 1u << 20, CR4_CET },
};

uint64_t policy_cr4(void)
{
	uint64_t allowed = 0x7ff;

	for (unsigned i = 0; i < COUNT(cr4_features); i++) {
		uint32_t leaf = cr4_features[i].leaf;
		struct cpuid_regs r = leaf == 1 ? masked(&basic[1], 1, 0) : masked_features(0);

		if (((r.ebx & cr4_features[i].ebx) | (r.ecx & cr4_features[i].ecx) |
			(r.edx & cr4_features[i].edx)) != 0)
			allowed |= cr4_features[i].cr4;
	}
	return allowed;
}
