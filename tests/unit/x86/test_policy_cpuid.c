/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The CPUID half of the policy, on a CPU that claims everything: what it hides is hidden by policy.
 */
#include "arch/x86/bits.h"
#include "fake_cpu.h"
#include "monitor/abi/call.h"
#include "monitor/abi/cpuid.h"

enum reg { EAX, EBX, ECX, EDX };

static struct vcpu vcpu;

static struct cpuid_regs ask(uint32_t leaf, uint32_t subleaf)
{
	/* Upper halves in, none out. */
	vcpu.regs.rax = 0xdead00000000 | leaf;
	vcpu.regs.rcx = 0xdead00000000 | subleaf;
	vcpu.regs.rbx = ~0ull;
	vcpu.regs.rdx = ~0ull;
	policy_cpuid(&vcpu);
	assert_int_equal((vcpu.regs.rax | vcpu.regs.rbx | vcpu.regs.rcx | vcpu.regs.rdx) >> 32, 0);
	return (struct cpuid_regs){ (uint32_t)vcpu.regs.rax, (uint32_t)vcpu.regs.rbx,
		(uint32_t)vcpu.regs.rcx, (uint32_t)vcpu.regs.rdx };
}

static uint32_t value(struct cpuid_regs r, enum reg reg)
{
	const uint32_t values[] = { r.eax, r.ebx, r.ecx, r.edx };

	return values[reg];
}

/*
 * Features by their place in the manuals. `msr`: one that comes with it and is denied if it is
 * hidden; 0: none.
 */
struct feature {
	const char *name;
	uint32_t leaf, subleaf;
	enum reg reg;
	unsigned bit;
	uint32_t msr;
};

static const struct feature hidden[] = {
	{ "VMX", 1, 0, ECX, 5, 0x480 },
	{ "SMX", 1, 0, ECX, 6, 0 },
	{ "DTES64", 1, 0, ECX, 2, 0x600 },
	{ "DS-CPL", 1, 0, ECX, 4, 0x600 },
	{ "TM2", 1, 0, ECX, 8, 0x19c },
	{ "SDBG", 1, 0, ECX, 11, 0xc80 },
	{ "PDCM", 1, 0, ECX, 15, 0x345 },
	{ "DCA", 1, 0, ECX, 18, 0x1f8 },
	{ "PSN", 1, 0, EDX, 18, 0 },
	{ "DS", 1, 0, EDX, 21, 0x600 },
	{ "ACPI", 1, 0, EDX, 22, 0x19a },
	{ "TM", 1, 0, EDX, 29, 0x19b },
	{ "PBE", 1, 0, EDX, 31, 0 },
	{ "DTHERM", 6, 0, EAX, 0, 0x19c },
	{ "PTS", 6, 0, EAX, 6, 0x1b1 },
	{ "HDC", 6, 0, EAX, 13, 0xdb0 },
	{ "HWP_NOTIFY", 6, 0, EAX, 8, 0 },
	{ "HFI", 6, 0, EAX, 19, 0x17d0 },
	{ "ThreadDirector", 6, 0, EAX, 23, 0x17d4 },
	{ "SGX", 7, 0, EBX, 2, 0x8c },
	{ "RDT_M", 7, 0, EBX, 12, 0xc8d },
	{ "MPX", 7, 0, EBX, 14, 0xd90 },
	{ "RDT_A", 7, 0, EBX, 15, 0xc90 },
	{ "PCOMMIT", 7, 0, EBX, 22, 0 },
	{ "PT", 7, 0, EBX, 25, 0x560 },
	{ "WAITPKG", 7, 0, ECX, 5, 0xe1 },
	{ "TME", 7, 0, ECX, 13, 0x982 },
	{ "LA57", 7, 0, ECX, 16, 0 },
	{ "KL", 7, 0, ECX, 23, 0xd91 },
	{ "BUS_LOCK_DETECT", 7, 0, ECX, 24, 0 },
	{ "ENQCMD", 7, 0, ECX, 29, 0xd93 },
	{ "SGX_LC", 7, 0, ECX, 30, 0x8d },
	{ "PKS", 7, 0, ECX, 31, 0x6e1 },
	{ "UINTR", 7, 0, EDX, 5, 0x985 },
	{ "SRBDS_CTRL", 7, 0, EDX, 9, 0x123 },
	{ "TSX_FORCE_ABORT", 7, 0, EDX, 13, 0x10f },
	{ "PCONFIG", 7, 0, EDX, 18, 0 },
	{ "ARCH_LBR", 7, 0, EDX, 19, 0x14ce },
	{ "CORE_CAPABILITIES", 7, 0, EDX, 30, 0xcf },
	{ "LASS", 7, 1, EAX, 6, 0 },
	{ "ARCH_PERFMON_EXT", 7, 1, EAX, 8, 0 },
	{ "FRED", 7, 1, EAX, 17, 0x1cc },
	{ "LKGS", 7, 1, EAX, 18, 0 },
	{ "WRMSRNS", 7, 1, EAX, 19, 0 },
	{ "HRESET", 7, 1, EAX, 22, 0x17da },
	{ "LAM", 7, 1, EAX, 26, 0 },
	{ "MSRLIST", 7, 1, EAX, 27, 0 },
	{ "PPIN", 7, 1, EBX, 0, 0x4f },
	{ "AVX10", 7, 1, EDX, 19, 0 },
	{ "APX", 7, 1, EDX, 21, 0 },
	{ "SVM", 0x80000001, 0, ECX, 2, 0xc0010117 },
	{ "IBS", 0x80000001, 0, ECX, 10, 0xc0011030 },
	{ "SKINIT", 0x80000001, 0, ECX, 12, 0 },
	{ "LWP", 0x80000001, 0, ECX, 15, 0xc0000105 },
	{ "PERFCTR_CORE", 0x80000001, 0, ECX, 23, 0xc0010200 },
	{ "SMCA", 0x80000007, 0, EBX, 3, 0xc0002000 },
	{ "CPPC", 0x80000008, 0, EBX, 27, 0xc00102b0 },
	{ "VIRT_SSBD", 0x80000008, 0, EBX, 25, 0xc001011f },
	{ "RDPRU", 0x80000008, 0, EBX, 4, 0 },
	{ "INVLPGB", 0x80000008, 0, EBX, 3, 0 },
};

/* What a stock kernel needs or is much the worse without. `msr` passes. */
static const struct feature shown[] = {
	{ "MONITOR", 1, 0, ECX, 3, 0 },
	{ "PCID", 1, 0, ECX, 17, 0 },
	{ "X2APIC", 1, 0, ECX, 21, 0x802 },
	{ "TSC_DEADLINE", 1, 0, ECX, 24, 0x6e0 },
	{ "AES", 1, 0, ECX, 25, 0 },
	{ "XSAVE", 1, 0, ECX, 26, 0 },
	{ "RDRAND", 1, 0, ECX, 30, 0 },
	{ "hypervisor", 1, 0, ECX, 31, 0 },
	{ "MSR", 1, 0, EDX, 5, 0 },
	{ "APIC", 1, 0, EDX, 9, 0 },
	{ "SEP", 1, 0, EDX, 11, 0x174 },
	{ "PAT", 1, 0, EDX, 16, 0x277 },
	{ "SSE2", 1, 0, EDX, 26, 0 },
	{ "HTT", 1, 0, EDX, 28, 0 },
	{ "ARAT", 6, 0, EAX, 2, 0 },
	{ "HWP", 6, 0, EAX, 7, 0x774 },
	{ "APERFMPERF", 6, 0, ECX, 0, 0xe8 },
	{ "EPB", 6, 0, ECX, 3, 0x1b0 },
	{ "FSGSBASE", 7, 0, EBX, 0, 0xc0000100 },
	{ "SMEP", 7, 0, EBX, 7, 0 },
	{ "ERMS", 7, 0, EBX, 9, 0 },
	{ "INVPCID", 7, 0, EBX, 10, 0 },
	{ "AVX512F", 7, 0, EBX, 16, 0 },
	{ "SMAP", 7, 0, EBX, 20, 0 },
	{ "UMIP", 7, 0, ECX, 2, 0 },
	{ "PKU", 7, 0, ECX, 3, 0 },
	{ "CET_SS", 7, 0, ECX, 7, 0x6a2 },
	{ "CET_IBT", 7, 0, EDX, 20, 0x6a0 },
	{ "RDPID", 7, 0, ECX, 22, 0xc0000103 },
	{ "FSRM", 7, 0, EDX, 4, 0 },
	{ "MD_CLEAR", 7, 0, EDX, 10, 0 },
	{ "IBRS", 7, 0, EDX, 26, 0x48 },
	{ "STIBP", 7, 0, EDX, 27, 0x48 },
	{ "L1D_FLUSH", 7, 0, EDX, 28, 0x10b },
	{ "ARCH_CAPABILITIES", 7, 0, EDX, 29, 0 },
	{ "SSBD", 7, 0, EDX, 31, 0x48 },
	{ "AVX_VNNI", 7, 1, EAX, 4, 0 },
	{ "BHI_CTRL", 7, 2, EDX, 4, 0x48 },
	{ "LAHF", 0x80000001, 0, ECX, 0, 0 },
	{ "SYSCALL", 0x80000001, 0, EDX, 11, 0xc0000082 },
	{ "NX", 0x80000001, 0, EDX, 20, 0 },
	{ "PDPE1GB", 0x80000001, 0, EDX, 26, 0 },
	{ "RDTSCP", 0x80000001, 0, EDX, 27, 0xc0000103 },
	{ "LM", 0x80000001, 0, EDX, 29, 0 },
	{ "invariant TSC", 0x80000007, 0, EDX, 8, 0 },
	{ "IBPB", 0x80000008, 0, EBX, 12, 0x49 },
};

/*
 * A feature is hidden and its MSR denied, for either maker; or it is shown, and the MSR is there.
 */
static void check_feature(const struct feature *f, bool want)
{
	uint64_t ignored;

	fake_reset(f->leaf >= 0x80000007 ? FAKE_AMD : FAKE_INTEL, &vcpu);
	if ((value(ask(f->leaf, f->subleaf), f->reg) >> f->bit & 1) != want)
		fail_msg("%s is %s", f->name, want ? "hidden" : "shown");
	if (f->msr == 0)
		return;
	if (want && !fake_passes(f->msr, false, true))
		fail_msg("%s: MSR %x does not pass", f->name, f->msr);
	for (unsigned maker = FAKE_INTEL; !want && maker <= FAKE_AMD; maker++) {
		fake_reset((enum fake_maker)maker, &vcpu);
		if (fake_passes(f->msr, false, true) || fake_passes(f->msr, true, true) ||
		    policy_rdmsr(&vcpu, f->msr, &ignored) || policy_wrmsr(&vcpu, f->msr, 0))
			fail_msg("%s: MSR %x is there", f->name, f->msr);
	}
}

static void test_hidden(void **state)
{
	for (unsigned i = 0; i < COUNT(hidden); i++)
		check_feature(&hidden[i], false);
}

static void test_shown(void **state)
{
	for (unsigned i = 0; i < COUNT(shown); i++)
		check_feature(&shown[i], true);
}

/* Where #CP cannot be delivered again after an exit, nothing shows CET or gives access to it. */
static void test_no_cet(void **state)
{
	uint64_t ignored;

	for (unsigned off = 0; off < 2; off++) {
		fake_reset(FAKE_INTEL, &vcpu);
		fake.no_cp = off;
		assert_int_equal(ask(7, 0).ecx >> 7 & 1, !off);
		assert_int_equal(ask(7, 0).edx >> 20 & 1, !off);
		assert_int_equal(ask(0xd, 1).ecx, off ? 0 : XSS_ALLOWED);
		assert_int_equal(policy_cr4() & CR4_CET, off ? 0 : CR4_CET);
		assert_int_equal(policy_wrmsr(&vcpu, 0xda0, XSS_ALLOWED), !off);
		for (uint32_t msr = 0x6a0; msr <= 0x6a8; msr++) {
			if (msr == 0x6a1 || msr == 0x6a3)
				continue;
			assert_int_equal(fake_passes(msr, false, true), !off);
			assert_int_equal(fake_passes(msr, true, true), !off);
			assert_false(off && policy_rdmsr(&vcpu, msr, &ignored));
			assert_false(off && policy_wrmsr(&vcpu, msr, 0));
		}
	}
}

/* A CPU that claims nothing: the monitor adds its own bit and nothing else. */
static void test_nothing_added(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	fake.fill = 0;
	for (uint32_t leaf = 1; leaf <= 0x80000028; leaf = leaf == 0x28 ? 0x80000001 : leaf + 1) {
		struct cpuid_regs r = ask(leaf, 0);

		if (leaf == 0x80000008)
			continue;
		assert_int_equal(r.ecx, leaf == 1 ? 1u << 31 : 0);
		assert_int_equal(r.eax | r.ebx | r.edx, 0);
	}
}

static void check_zero(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r = ask(leaf, subleaf);

	if ((r.eax | r.ebx | r.ecx | r.edx) != 0)
		fail_msg("leaf %x subleaf %x", leaf, subleaf);
}

static void test_unlisted(void **state)
{
	static const uint32_t ranges[][2] = { { 0x3, 0x3 }, { 0x8, 0xa }, { 0xc, 0xc },
		{ 0xe, 0x14 }, { 0x17, 0x17 }, { 0x19, 0x19 }, { 0x1b, 0x1c }, { 0x20, 0x2000 },
		{ 0x3fffffff, 0x3fffffff }, { 0x40000004, 0x40001000 }, { 0x7ffffff0, 0x7fffffff },
		{ 0x80000009, 0x80000018 }, { 0x8000001b, 0x8000001c }, { 0x8000001f, 0x80000020 },
		{ 0x80000022, 0x80000025 }, { 0x80000027, 0x80001000 },
		{ 0xfffffff0, 0xfffffffe } };

	fake_reset(FAKE_INTEL, &vcpu);
	for (unsigned i = 0; i < COUNT(ranges); i++) {
		for (uint32_t leaf = ranges[i][0]; leaf <= ranges[i][1]; leaf++) {
			check_zero(leaf, 0);
			check_zero(leaf, 1);
			check_zero(leaf, 0xffffffff);
		}
	}
	check_zero(0xffffffff, 0);
	for (unsigned i = 0; i < 100000; i++)
		check_zero((uint32_t)fake_random() % 0x3fffff00 + 0x20, (uint32_t)fake_random());
}

/* What is denied on purpose, by cpu_denied.def. */
static void test_denied_rows(void **state)
{
	enum { BASIC = 0, EXTENDED = (int)0x80000000 };
	static const uint32_t leaves[] = {
#define CPUID(table, index, eax, ebx, ecx, edx, rule, mark, reason) (uint32_t)(table) + (index),
#include "arch/x86/cpu_denied.def"
#undef CPUID
	};

	fake_reset(FAKE_INTEL, &vcpu);
	for (unsigned i = 0; i < COUNT(leaves); i++) {
		check_zero(leaves[i], 0);
		check_zero(leaves[i], 1);
	}
}

/*
 * The highest leaf is the CPU's or the table's; what is above it is zero and not the CPU's last
 * leaf again.
 */
static void test_last(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(ask(0, 0).eax, 0x1f);
	assert_int_equal(ask(0, 0).ebx, 0x756e6547);
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000026);
	fake_set_cpuid(0, 0, (struct cpuid_regs){ 0x16, 1, 2, 3 });
	fake_set_cpuid(0x80000000, 0, (struct cpuid_regs){ 0x80000008, 0, 0, 0 });
	policy_vcpu_init(&vcpu);
	assert_int_equal(ask(0, 0).eax, 0x16);
	assert_int_equal(ask(0x80000000, 0).eax, 0x80000008);
	assert_int_not_equal(ask(0x16, 0).eax, 0);
	check_zero(0x18, 0);
	check_zero(0x1f, 0);
	check_zero(0x8000001e, 0);
}

static void test_features_subleaves(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(ask(7, 0).eax, 2);
	check_zero(7, 3);
	check_zero(7, 0xffffffff);
	fake_set_cpuid(7, 0, (struct cpuid_regs){ 0, ~0u, ~0u, ~0u });
	assert_int_equal(ask(7, 0).eax, 0);
	check_zero(7, 1);
	check_zero(7, 2);
}

/* Root mode's own CR4 does not count. */
static void test_cr4_bits(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(ask(1, 0).ecx & 1u << 27, 0);
	assert_int_equal(ask(7, 0).ecx & 1u << 4, 0);
	fake.cr4 = 1u << 18;
	assert_int_not_equal(ask(1, 0).ecx & 1u << 27, 0);
	assert_int_equal(ask(7, 0).ecx & 1u << 4, 0);
	fake.cr4 = 1u << 22;
	assert_int_equal(ask(1, 0).ecx & 1u << 27, 0);
	assert_int_not_equal(ask(7, 0).ecx & 1u << 4, 0);
}

static void test_monitor_leaves(void **state)
{
	struct cpuid_regs r;

	for (unsigned maker = FAKE_INTEL; maker <= FAKE_AMD; maker++) {
		char text[13] = { 0 };

		fake_reset((enum fake_maker)maker, &vcpu);
		r = ask(REDOUBT_CPUID_BASE, 7);
		assert_int_equal(r.eax, 0x40000003);
		memcpy(text, &r.ebx, 12);
		assert_string_equal(text, REDOUBT_SIGNATURE);
		r = ask(REDOUBT_CPUID_IDENT, 0);
		assert_int_equal(r.eax, REDOUBT_INTERFACE);
		assert_int_equal(r.ebx, REDOUBT_ABI_VERSION);
		assert_int_equal(r.ecx,
		    maker == FAKE_AMD ? REDOUBT_VENDOR_SVM : REDOUBT_VENDOR_VMX);
		assert_int_equal(r.edx, 0);
		r = ask(REDOUBT_CPUID_STATE, 0);
		assert_int_equal(r.eax, 0xf00d);
		assert_int_equal(r.ebx, 0xbad);
		assert_int_equal(r.ecx, 4);
		assert_int_equal(r.edx, 3);
		r = ask(REDOUBT_CPUID_BUILD, 0);
		assert_int_equal(r.eax, 0x44332211);
		assert_int_equal(r.ebx, 0x88776655);
		assert_int_equal(r.ecx, 2);
		assert_int_equal(r.edx, 0);
	}
}

static void test_addresses(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(ask(0x80000008, 0).eax, 0x3030);
}

/* As on a CPU with AVX-512, MPX, PKRU, PT state, CET, AMX and APX. Offsets as Intel's are. */
static void set_xstate(void)
{
	static const struct {
		uint32_t index, size, offset;
	} parts[] = { { 2, 256, 576 }, { 3, 64, 960 }, { 4, 64, 1024 }, { 5, 64, 1088 },
		{ 6, 512, 1152 }, { 7, 1024, 1664 }, { 8, 128, 0 }, { 9, 8, 2688 }, { 11, 16, 0 },
		{ 12, 24, 0 }, { 17, 64, 2752 }, { 18, 8192, 2816 }, { 19, 128, 11008 } };

	fake.fill = 0;
	fake_set_cpuid(0xd, 0, (struct cpuid_regs){ 0xe02ff, 2696, 11136, 0 });
	fake_set_cpuid(0xd, 1, (struct cpuid_regs){ 0xff, 2720, 0x1d900, 0 });
	for (unsigned i = 0; i < COUNT(parts); i++)
		fake_set_cpuid(0xd, parts[i].index,
		    (struct cpuid_regs){ parts[i].size, parts[i].offset, parts[i].offset == 0, 0 });
}

static void test_xstate(void **state)
{
	static const uint8_t there[] = { 2, 5, 6, 7, 9, 11, 12, 17, 18 };
	struct cpuid_regs r;

	fake_reset(FAKE_INTEL, &vcpu);
	set_xstate();
	r = ask(0xd, 0);
	assert_int_equal(r.eax, 0x602e7);
	assert_int_equal(r.edx, 0);
	assert_int_equal(r.ebx, 2696);	/* the CPU's: it has the guest's XCR0 */
	assert_int_equal(r.ecx, 11136); /* the CPU's, which has APX too */
	r = ask(0xd, 1);
	assert_int_equal(r.eax, 0x1f);
	assert_int_equal(r.ebx, 2720);
	assert_int_equal(r.ecx, 0x1800);
	for (uint32_t i = 2; i < 64; i++) {
		if (memchr(there, (int)i, sizeof(there)) != NULL)
			assert_int_not_equal(ask(0xd, i).eax, 0);
		else
			check_zero(0xd, i);
	}
	fake.fill = ~0u;
	check_zero(0xd, 64);
	check_zero(0xd, 0xffffffff);
}

/*
 * CR4: only what belongs to features that are seen. VMXE 13, SMXE 14, LA57 12, PKS 24, UINTR 25
 * never (T16).
 */
static void test_cr4_allowed(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	assert_int_equal(policy_cr4(), 0xf70fff & ~0x80000u);
	fake.fill = 0;
	assert_int_equal(policy_cr4(), 0x7ff);
	fake_set_cpuid(7, 0, (struct cpuid_regs){ 0, 1u << 20, 0, 0 });
	assert_int_equal(policy_cr4(), 0x2007ff);
}

/* What the CPU has and the policy allows, whole groups with what they build on; XCR0 alone. T20. */
static void test_xsetbv(void **state)
{
	static const struct {
		uint64_t value;
		bool taken;
	} cases[] = {
		{ 0x1, true },
		{ 0x3, true },
		{ 0x7, true },
		{ 0xe7, true },
		{ 0x602e7, true },
		{ 0x2, false },
		{ 0x5, false },
		{ 0xe3, false },
		{ 0x67, false },
		{ 0x20003, false },
		{ 0x1b, false },
		{ 0x103, false },
		{ 0x80007, false },
		{ 1ull << 63 | 3, false },
	};

	fake_reset(FAKE_INTEL, &vcpu);
	set_xstate();
	for (unsigned i = 0; i < COUNT(cases); i++) {
		fake.xcr0 = 0;
		vcpu.regs.rax = 0xdead00000000 | (uint32_t)cases[i].value;
		vcpu.regs.rdx = 0xdead00000000 | cases[i].value >> 32;
		vcpu.regs.rcx = 0xdead00000000;
		assert_int_equal(xcr0_write(&vcpu), cases[i].taken);
		assert_int_equal(fake.xcr0, cases[i].taken ? cases[i].value : 0);
		vcpu.regs.rcx = 1;
		assert_false(xcr0_write(&vcpu));
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_hidden),
	cmocka_unit_test(test_shown),
	cmocka_unit_test(test_no_cet),
	cmocka_unit_test(test_nothing_added),
	cmocka_unit_test(test_unlisted),
	cmocka_unit_test(test_denied_rows),
	cmocka_unit_test(test_last),
	cmocka_unit_test(test_features_subleaves),
	cmocka_unit_test(test_cr4_bits),
	cmocka_unit_test(test_monitor_leaves),
	cmocka_unit_test(test_addresses),
	cmocka_unit_test(test_xstate),
	cmocka_unit_test(test_xsetbv),
	cmocka_unit_test(test_cr4_allowed),
};

UNIT_MAIN(tests)
