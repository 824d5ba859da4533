/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Model-specific registers: every number of the three ranges is read and written (T21, T22, T24).
 *
 * The table says what a guest must find, from the manuals and from what the monitor promises; what
 * is not in it must be #GP both ways. `needs` ties a row to the CPUID bit that offers the register,
 * or to the CPU's maker: where that does not hold, the row counts as absent.
 */
#include "guest/suite/suite.h"

#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define MSR_VM_CR 0xc0010114u

enum access {
	DENIED,
	WORKS, /* read; the value read can be written and is read again */
	/*
	 * read; the value differs from read to read, so only a fault counts; written by its own
	 * suite
	 */
	CHANGING,
	READ_ONLY,
	COMMAND, /* a write of zero works, a read does not */
	ANY	 /* the CPU's model decides: no claim but that the guest goes on */
};

/* A bit of CPUID: leaf, register (0 EAX .. 3 EDX), bit. All zero: always. */
struct needs {
	uint32_t leaf;
	uint8_t reg, bit;
};

struct row {
	uint32_t first, last;
	enum access access;
	struct needs needs;
	const char *name;
};

#define MAKER	 UINT32_MAX
#define BY_INTEL 0
#define BY_AMD	 1

#define INTEL                                                                                      \
	{                                                                                          \
		MAKER, BY_INTEL, 0                                                                 \
	}
#define AMD                                                                                        \
	{                                                                                          \
		MAKER, BY_AMD, 0                                                                   \
	}
#define ALWAYS                                                                                     \
	{                                                                                          \
		0, 0, 0                                                                            \
	}
#define SPEC_CTRL                                                                                  \
	{                                                                                          \
		7, 3, 26                                                                           \
	}
#define FLUSH_L1D                                                                                  \
	{                                                                                          \
		7, 3, 28                                                                           \
	}
#define ARCH_CAP                                                                                   \
	{                                                                                          \
		7, 3, 29                                                                           \
	}
#define MTRR                                                                                       \
	{                                                                                          \
		1, 3, 12                                                                           \
	}
#define MCA                                                                                        \
	{                                                                                          \
		1, 3, 14                                                                           \
	}
#define SEP                                                                                        \
	{                                                                                          \
		1, 3, 11                                                                           \
	}
#define PAT                                                                                        \
	{                                                                                          \
		1, 3, 16                                                                           \
	}
#define TSC_ADJUST                                                                                 \
	{                                                                                          \
		7, 1, 1                                                                            \
	}
#define DEADLINE                                                                                   \
	{                                                                                          \
		1, 2, 24                                                                           \
	}
#define XSAVES                                                                                     \
	{                                                                                          \
		0xd, 0, 0                                                                          \
	} /* subleaf 1, asked for in offered() */
#define RDTSCP                                                                                     \
	{                                                                                          \
		0x80000001, 3, 27                                                                  \
	}
#define SYSCALL                                                                                    \
	{                                                                                          \
		0x80000001, 3, 29                                                                  \
	}
#define SHADOW_STACK                                                                               \
	{                                                                                          \
		7, 2, 7                                                                            \
	}

/* Sorted by number. */
static const struct row rows[] = {
	{ 0x10, 0x10, CHANGING, ALWAYS, "TSC" },
	{ 0x17, 0x17, ANY, ALWAYS, "PLATFORM_ID" },
	{ 0x1b, 0x1b, WORKS, ALWAYS, "APIC_BASE" },
	{ 0x2a, 0x2a, ANY, ALWAYS, "EBL_CR_POWERON" },
	{ 0x35, 0x35, ANY, ALWAYS, "CORE_THREAD_COUNT" },
	{ 0x3a, 0x3a, READ_ONLY, INTEL, "FEATURE_CONTROL" },
	{ 0x3b, 0x3b, WORKS, TSC_ADJUST, "TSC_ADJUST" },
	{ 0x48, 0x48, WORKS, SPEC_CTRL, "SPEC_CTRL" },
	{ 0x49, 0x49, COMMAND, SPEC_CTRL, "PRED_CMD" },
	{ 0x8b, 0x8b, WORKS, INTEL, "BIOS_SIGN_ID" },
	{ 0x8b, 0x8b, ANY, AMD, "PATCH_LEVEL: zero may be written" },
	{ 0xbd, 0xbd, ANY, ALWAYS, "XAPIC_DISABLE_STATUS" },
	{ 0xce, 0xce, ANY, ALWAYS, "PLATFORM_INFO" },
	{ 0xe2, 0xe2, ANY, ALWAYS, "PKG_CST_CONFIG_CONTROL" },
	{ 0xe7, 0xe8, ANY, ALWAYS, "MPERF, APERF" },
	{ 0xfe, 0xfe, READ_ONLY, MTRR, "MTRRCAP" },
	{ 0x10a, 0x10a, READ_ONLY, ARCH_CAP, "ARCH_CAPABILITIES" },
	{ 0x10b, 0x10b, COMMAND, FLUSH_L1D, "FLUSH_CMD" },
	{ 0x122, 0x122, ANY, ALWAYS, "TSX_CTRL" },
	{ 0x174, 0x176, WORKS, SEP, "SYSENTER" },
	{ 0x179, 0x17b, ANY, ALWAYS, "MCG" },
	{ 0x198, 0x199, ANY, ALWAYS, "PERF_STATUS, PERF_CTL" },
	{ 0x1a0, 0x1a0, WORKS, INTEL, "MISC_ENABLE" },
	{ 0x1aa, 0x1aa, ANY, ALWAYS, "MISC_PWR_MGMT" },
	{ 0x1ad, 0x1b0, ANY, ALWAYS, "TURBO_RATIO_LIMIT, ENERGY_PERF_BIAS" },
	{ 0x1c4, 0x1c5, ANY, ALWAYS, "XFD" },
	{ 0x1d9, 0x1d9, ANY, ALWAYS, "DEBUGCTL" },
	{ 0x1fc, 0x1fc, ANY, ALWAYS, "POWER_CTL" },
	{ 0x200, 0x21f, ANY, MTRR, "variable MTRRs: their number is the CPU's; suite mtrr" },
	{ 0x250, 0x250, WORKS, MTRR, "MTRR_FIX64K" },
	{ 0x258, 0x259, WORKS, MTRR, "MTRR_FIX16K" },
	{ 0x268, 0x26f, WORKS, MTRR, "MTRR_FIX4K" },
	{ 0x277, 0x277, WORKS, PAT, "PAT" },
	{ 0x280, 0x29f, ANY, ALWAYS, "MC_CTL2" },
	{ 0x2ff, 0x2ff, WORKS, MTRR, "MTRR_DEF_TYPE" },
	{ 0x400, 0x47f, ANY, MCA, "machine-check banks: their number is the CPU's" },
	{ 0x4d0, 0x4d0, ANY, ALWAYS, "MCG_EXT_CTL" },
	{ 0x6a0, 0x6a0, WORKS, SHADOW_STACK, "U_CET" },
	{ 0x6a2, 0x6a2, WORKS, SHADOW_STACK, "S_CET" },
	{ 0x6a4, 0x6a8, WORKS, SHADOW_STACK, "shadow stacks" },
	{ 0x6e0, 0x6e0, CHANGING, DEADLINE, "TSC_DEADLINE" },
	{ 0x770, 0x774, ANY, ALWAYS, "HWP" },
	{ 0x777, 0x777, ANY, ALWAYS, "HWP_STATUS" },
	{ 0xda0, 0xda0, WORKS, XSAVES, "XSS" },
	{ 0x1b01, 0x1b01, ANY, ALWAYS, "UARCH_MISC_CTL" },
	{ 0xc0000080, 0xc0000080, WORKS, ALWAYS, "EFER" },
	{ 0xc0000081, 0xc0000084, WORKS, SYSCALL, "STAR, LSTAR, CSTAR, FMASK" },
	{ 0xc0000100, 0xc0000102, WORKS, ALWAYS, "segment bases" },
	{ 0xc0000103, 0xc0000103, WORKS, RDTSCP, "TSC_AUX" },
	{ 0xc0010015, 0xc0010015, WORKS, AMD, "HWCR" },
	{ 0xc0010114, 0xc0010114, READ_ONLY, AMD, "VM_CR" },
};

static bool offered(const struct needs *n)
{
	struct cpuid r = cpuid(n->leaf, n->leaf == 0xd);
	const uint32_t regs[] = { r.eax, r.ebx, r.ecx, r.edx };

	if (n->leaf == MAKER)
		return by_intel() == (n->reg == BY_INTEL);
	if (n->leaf == 0xd)
		return r.eax >> 3 & 1;
	return !n->leaf || regs[n->reg] >> n->bit & 1;
}

static enum access access_of(uint32_t msr)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (msr >= rows[i].first && msr <= rows[i].last && offered(&rows[i].needs))
			return rows[i].access;
	}
	return DENIED;
}

static bool writes_refused(uint32_t msr, uint64_t read)
{
	const uint64_t values[] = { read, 0, ~0ull, 0x5a5a5a5a5a5a5a5a, 1 };

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (try_wrmsr(msr, values[i]) != VECTOR_GP)
			return false;
	}
	return true;
}

static bool works(uint32_t msr)
{
	uint64_t first, again;

	return try_rdmsr(msr, &first) == TRAP_NONE && try_wrmsr(msr, first) == TRAP_NONE &&
	    try_rdmsr(msr, &again) == TRAP_NONE && again == first;
}

/* The value read is written where reading worked; any outcome will do. */
static bool survives(uint32_t msr)
{
	uint64_t value;

	if (try_rdmsr(msr, &value) == TRAP_NONE)
		try_wrmsr(msr, value);
	return true;
}

static bool as_expected(uint32_t msr)
{
	enum access access = access_of(msr);
	uint64_t value = 0;

	switch (access) {
	case DENIED:
		return try_rdmsr(msr, &value) == VECTOR_GP && writes_refused(msr, 0);
	case WORKS:
		return works(msr);
	case CHANGING:
		return try_rdmsr(msr, &value) == TRAP_NONE;
	case READ_ONLY:
		return try_rdmsr(msr, &value) == TRAP_NONE && writes_refused(msr, value);
	case COMMAND:
		return try_rdmsr(msr, &value) == VECTOR_GP && try_wrmsr(msr, 0) == TRAP_NONE;
	case ANY:
		return survives(msr);
	}
	return false;
}

static void sweep(const char *id, uint32_t first, uint32_t last)
{
	unsigned wrong = 0;

	for (uint64_t msr = first; msr <= last; msr++) {
		if (as_expected((uint32_t)msr))
			continue;
		if (wrong++ < 8)
			tap_note("MSR %lx is not as expected (%u)", msr, access_of((uint32_t)msr));
	}
	tap(!wrong, "%s RDMSR and WRMSR of %x-%x: %u not as expected", id, first, last, wrong);
}

static void sweep_blocks(uint32_t first, uint32_t last)
{
	for (uint32_t block = first; block < last; block += 0x100)
		sweep("T21", block, block + 0xff);
}

/* Numbers outside the ranges of the permission maps exit always (SDM 3C 25.1.3). */
static void out_of_range(void)
{
	static const uint32_t numbers[] = { 0x2000, 0x3fffffff, 0x40000100, 0x7fffffff, 0x80000000,
		0xbfffffff, 0xc0002000, 0xc0010000, 0xc0010015, 0xc0010114, 0xc0011fff,
		0xffffffff };

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sweep("T21", numbers[i], numbers[i]);
}

/* FEATURE_CONTROL locked without VMX; VM_CR with LOCK and SVMDIS. */
static bool virtualization_locked(void)
{
	if (by_intel())
		return (rdmsr(MSR_FEATURE_CTL) & 7) == 1;
	return (rdmsr(MSR_VM_CR) & 0x18) == 0x18;
}

/* What the threats name, one by one, whatever the table above says. */
static void named(void)
{
	static const struct {
		const char *what;
		uint32_t first, last;
		bool read;
	} denied[] = {
		{ "T22 ARCH_CAPABILITIES", 0x10a, 0x10a, true },
		{ "T22 VMX capabilities", 0x480, 0x493, false },
		{ "T22 MTRRCAP", 0xfe, 0xfe, true },
		{ "T24 microcode load", 0x79, 0x79, false },
		{ "T24 FEATURE_CONTROL", 0x3a, 0x3a, true },
		{ "T24 SMM_MONITOR_CTL", 0x9b, 0x9b, false },
		{ "T24 SGX launch key hash", 0x8c, 0x8f, false },
	};

	for (unsigned i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		bool pass = true;

		for (uint32_t msr = denied[i].first; msr <= denied[i].last; msr++) {
			uint64_t value = 0;
			unsigned vector = try_rdmsr(msr, &value);

			pass &= denied[i].read || vector == VECTOR_GP;
			pass &= writes_refused(msr, value);
		}
		tap(pass, "%s: writes are #GP", denied[i].what);
	}
	tap(virtualization_locked(), "T24 virtualization reads as locked off by firmware");
}

/* Addresses that are not canonical must fault in the guest, not on the monitor's next entry. */
static void canonical(void)
{
	static const uint32_t numbers[] = { 0x175, 0x176, MSR_LSTAR, MSR_CSTAR, MSR_FS_BASE,
		MSR_GS_BASE, MSR_KERNEL_GS };

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t old = rdmsr(numbers[i]);
		bool bad = try_wrmsr(numbers[i], 0x8000000000000000) == VECTOR_GP &&
		    try_wrmsr(numbers[i], 0x0000800000000000) == VECTOR_GP;
		bool good = try_wrmsr(numbers[i], 0xffff800000000000) == TRAP_NONE &&
		    rdmsr(numbers[i]) == 0xffff800000000000;

		wrmsr(numbers[i], old);
		tap(bad && good, "T21 MSR %x takes canonical addresses only", numbers[i]);
	}
}

static void other_values(void)
{
	uint64_t pat = rdmsr(MSR_PAT), base = rdmsr(MSR_APIC_BASE);

	tap(try_wrmsr(MSR_PAT, 0x0707070707070702) == VECTOR_GP,
	    "msr: PAT refuses undefined types");
	tap(rdmsr(MSR_PAT) == pat, "msr: PAT is unchanged");
	wrmsr(MSR_PAT, pat);
	tap(try_wrmsr(MSR_APIC_BASE, base + 0x1000) == VECTOR_GP,
	    "msr: the APIC cannot be moved (T12)");
	tap(try_wrmsr(MSR_APIC_BASE, base | 1ull << 51) == VECTOR_GP, "msr: nor far away");
	tap(try_wrmsr(MSR_APIC_BASE, base | 1) == VECTOR_GP, "msr: reserved bits of APIC_BASE");
	tap(rdmsr(MSR_APIC_BASE) == base, "msr: APIC_BASE is unchanged");
}

void suite_msr(void)
{
	sweep_blocks(0, 0x2000);
	sweep_blocks(0xc0000000, 0xc0002000);
	sweep("T21", 0x40000000, 0x400000ff);
	out_of_range();
	named();
	canonical();
	other_values();
}
