/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUID: what is hidden, what is offered, what follows the guest's own registers, and that an
 * instruction carried out by the monitor leaves the CPU as if it had done so itself.
 */
#include "guest/suite/suite.h"

#include "guest/lib/apic.h"
#include "guest/lib/mode.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"
#include "monitor/abi/call.h"
#include "monitor/abi/cpuid.h"

#define LEAF_MONITOR_LAST 0x400000ffu

enum reg { EAX, EBX, ECX, EDX };

static uint32_t reg_of(struct cpuid r, enum reg reg)
{
	const uint32_t all[] = { r.eax, r.ebx, r.ecx, r.edx };

	return all[reg];
}

/* Features that a guest must not see: what they lead to is denied. */
static const struct {
	const char *what;
	uint32_t leaf;
	enum reg reg;
	unsigned bit;
} hidden[] = {
	{ "VMX", 1, ECX, 5 },
	{ "SMX", 1, ECX, 6 },
	{ "debug store, 64-bit", 1, ECX, 2 },
	{ "debug store, CPL", 1, ECX, 4 },
	{ "perfmon capabilities", 1, ECX, 15 },
	{ "debug store", 1, EDX, 21 },
	{ "SGX", 7, EBX, 2 },
	{ "cache monitoring", 7, EBX, 12 },
	{ "cache allocation", 7, EBX, 15 },
	{ "processor trace", 7, EBX, 25 },
	{ "key locker", 7, ECX, 23 },
	{ "ENQCMD", 7, ECX, 29 },
	{ "SGX launch configuration", 7, ECX, 30 },
	{ "supervisor protection keys", 7, ECX, 31 },
	{ "PCONFIG", 7, EDX, 18 },
	{ "branch records", 7, EDX, 19 },
	{ "core capabilities", 7, EDX, 30 },
	{ "hardware feedback", 6, EAX, 19 },
	{ "SVM", 0x80000001, ECX, 2 },
	{ "SKINIT", 0x80000001, ECX, 12 },
};

static void hidden_features(void)
{
	for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		uint32_t value = reg_of(cpuid(hidden[i].leaf, 0), hidden[i].reg);

		tap(!(value >> hidden[i].bit & 1), "cpuid: %s is hidden", hidden[i].what);
	}
	for (uint32_t leaf = 0xa; leaf <= 0x1c; leaf++) {
		struct cpuid r = cpuid(leaf, 0);

		if (leaf == 0xa || leaf == 0x12 || leaf == 0x14 || leaf == 0x1b || leaf == 0x1c)
			tap(!(r.eax | r.ebx | r.ecx | r.edx), "cpuid: leaf %x reads zero", leaf);
	}
}

static void interface(void)
{
	struct cpuid base = cpuid(REDOUBT_CPUID_BASE, 0);
	struct cpuid ident = cpuid(REDOUBT_CPUID_IDENT, 0);

	tap(monitor_present(), "cpuid: signature");
	tap(base.eax == REDOUBT_CPUID_LAST, "cpuid: highest leaf of the monitor");
	tap(cpuid(1, 0).ecx >> 31, "cpuid: the hypervisor bit is set");
	tap(ident.eax == REDOUBT_INTERFACE, "cpuid: interface");
	tap(ident.ebx == REDOUBT_ABI_VERSION, "cpuid: ABI version %x", ident.ebx);
	tap(ident.ecx == (by_intel() ? REDOUBT_VENDOR_VMX : REDOUBT_VENDOR_SVM), "cpuid: vendor");
	tap(ident.edx == 0, "cpuid: reserved register of leaf 0x40000001 is zero");
	tap(cpuid(REDOUBT_CPUID_BUILD, 0).edx == 0, "cpuid: reserved register of leaf 0x40000003");
}

static void state(void)
{
	const uint32_t features = REDOUBT_FEATURE_STAGE2 | REDOUBT_FEATURE_SELF |
	    REDOUBT_FEATURE_CPU_POLICY | REDOUBT_FEATURE_INIT_GUARD;
	const uint32_t degraded = REDOUBT_DEGRADED_DMA | REDOUBT_DEGRADED_UNLOCKED |
	    REDOUBT_DEGRADED_UNROOTED | REDOUBT_DEGRADED_SMM | REDOUBT_DEGRADED_MICROCODE;
	const uint32_t sleep = REDOUBT_DEGRADED_SUSPEND | REDOUBT_DEGRADED_SLEEP;
	const uint32_t may = REDOUBT_DEGRADED_NO_MBEC | REDOUBT_DEGRADED_RETRIES |
	    REDOUBT_DEGRADED_TEST | REDOUBT_DEGRADED_SMT | REDOUBT_DEGRADED_FLAWS |
	    REDOUBT_DEGRADED_INIT | sleep;
	struct cpuid r = cpuid(REDOUBT_CPUID_STATE, 0);
	bool mbec = r.eax & REDOUBT_FEATURE_MBEC;

	tap((r.eax & ~REDOUBT_FEATURE_MBEC) == features, "cpuid: features %x", r.eax);
	tap((r.ebx & ~may) == degraded, "cpuid: what is not protected %x (I11)", r.ebx);
	tap((r.ebx & sleep) == REDOUBT_DEGRADED_SUSPEND ||
		(r.ebx & sleep) == REDOUBT_DEGRADED_SLEEP,
	    "cpuid: sleep is refused, or said to be unwatched");
	tap(mbec != !!(r.ebx & REDOUBT_DEGRADED_NO_MBEC),
	    "cpuid: MBEC is a feature or a gap, not both");
	tap(r.ecx == cpu_total(), "cpuid: %u of the firmware's %u CPUs are covered (I14)", r.ecx,
	    cpu_total());
	tap(r.edx < r.ecx, "cpuid: index of this CPU %u", r.edx);
}

/* Leaves of the monitor's range that mean nothing, and leaves behind the last ones. */
static void undefined_leaves(void)
{
	unsigned wrong = 0;

	for (uint32_t leaf = REDOUBT_CPUID_LAST + 1; leaf <= LEAF_MONITOR_LAST; leaf++) {
		struct cpuid r = cpuid(leaf, 0);

		wrong += (r.eax | r.ebx | r.ecx | r.edx) != 0;
	}
	tap(!wrong, "cpuid: unused leaves of the monitor's range read zero (%u do not)", wrong);
	tap(cpuid(0x80000000, 0).eax >= 0x80000008, "cpuid: extended leaves are there");
}

static void follows_registers(void)
{
	uint64_t cr4 = read_cr4();
	bool pke = cpuid(7, 0).ecx & 1u << 3;

	write_cr4(cr4 & ~CR4_OSXSAVE);
	tap(!(cpuid(1, 0).ecx >> 27 & 1), "cpuid: OSXSAVE is clear with CR4.OSXSAVE");
	write_cr4(cr4 | CR4_OSXSAVE);
	tap(cpuid(1, 0).ecx >> 27 & 1, "cpuid: OSXSAVE is set with CR4.OSXSAVE");
	if (pke) {
		write_cr4(cr4 | CR4_PKE);
		tap(cpuid(7, 0).ecx >> 4 & 1, "cpuid: OSPKE is set with CR4.PKE");
	}
	write_cr4(cr4);
	tap(!(cpuid(7, 0).ecx >> 4 & 1), "cpuid: OSPKE is clear with CR4.PKE");
	tap(cpuid(1, 0).ebx >> 24 == (apic_id() & 0xff), "cpuid: leaf 1 has this CPU's APIC id");
	tap(cpuid(0xb, 0).edx == apic_id(), "cpuid: leaf 0xb has this CPU's APIC id");
	xsetbv(0, 1);
	tap(cpuid(0xd, 0).ebx == 576, "cpuid: size of the XSAVE area follows XCR0 (x87 alone: %u)",
	    cpuid(0xd, 0).ebx);
	xsetbv(0, 3);
}

/* Every privilege level and mode may ask. */
static void every_mode(void)
{
	static const struct snippet ask = { CODE("\x0f\xa2"), .rax = REDOUBT_CPUID_BASE };
	struct trap trap;

	for (enum mode mode = 0; mode < MODE_COUNT; mode++) {
		mode_run(mode, &ask, &trap);
		tap(trap.frame.vector == TRAP_NONE && (uint32_t)trap.frame.rbx == REDOUBT_SIG_EBX &&
			(uint32_t)trap.frame.rdx == REDOUBT_SIG_EDX,
		    "cpuid: signature seen in %s", mode_name(mode));
	}
}

/* The upper halves of the four registers are zero afterwards; the others and the flags stay. */
static void registers(void)
{
	static const struct snippet ask = { CODE("\xf9\x0f\xa2"), /* stc; cpuid */
		.rax = 0xffffffff00000000 | REDOUBT_CPUID_BASE, .rbx = ~0ull, .rcx = ~0ull,
		.rdx = ~0ull, .rsi = 0x1122334455667788, .rdi = ~1ull, .r8 = ~2ull, .r9 = ~3ull };
	struct trap t;

	mode_run(MODE_KERNEL64, &ask, &t);
	tap(!((t.frame.rax | t.frame.rbx | t.frame.rcx | t.frame.rdx) >> 32),
	    "cpuid: upper halves are zero");
	tap(t.frame.rsi == ask.rsi && t.frame.rdi == ask.rdi && t.frame.r8 == ask.r8 &&
		t.frame.r9 == ask.r9 && (t.frame.rflags & 1),
	    "cpuid: other registers and flags are kept");
}

static void ask_index(void *result)
{
	*(uint32_t *)result = cpuid(REDOUBT_CPUID_STATE, 0).edx;
}

static void indices(void)
{
	uint64_t seen = 1ull << cpuid(REDOUBT_CPUID_STATE, 0).edx;

	if (!smp_start_all())
		bail("a CPU did not start");
	for (unsigned i = 1; i < cpu_total(); i++) {
		uint32_t index = 63;

		tap(smp_run(i, ask_index, &index) && !(seen >> index & 1) && index < cpu_total(),
		    "cpuid: CPU %u has an index of its own (%u)", i, index);
		seen |= 1ull << index;
	}
}

void suite_cpuid(void)
{
	interface();
	state();
	hidden_features();
	undefined_leaves();
	follows_registers();
	every_mode();
	registers();
	indices();
}
