/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The MSR half of the policy: every number of the ranges, then the rows that matter one by one. The
 * CPU here has every MSR, so that nothing is refused by it: what is #GP is so by policy (T20-T24).
 */
#include "fake_cpu.h"

#include "arch/upcall.h"

/* Rows as the test sees them: by name of the kind. */
static const struct row {
	uint32_t first, last;
	const char *kind, *maker;
} rows[] = {
#define MSR(first, last, name, kind, value, maker, mark, reason) { first, last, #kind, #maker },
#include "arch/x86/cpu_policy.def"
#include "arch/x86/svm/cpu_policy.def"
#include "arch/x86/vmx/cpu_policy.def"
};
static const struct row denied_rows[] = {
#include "arch/x86/cpu_denied.def"
};

static struct vcpu vcpu;

static const struct row *row_of(uint32_t msr, enum fake_maker maker)
{
	const char *other = maker == FAKE_INTEL ? "AMD" : "INTEL";

	for (unsigned i = 0; i < COUNT(rows); i++) {
		if (msr >= rows[i].first && msr <= rows[i].last &&
		    strcmp(rows[i].maker, other) != 0)
			return &rows[i];
	}
	return NULL;
}

static bool one_of(const char *kind, const char *list)
{
	const char *found = strstr(list, kind);
	size_t length = strlen(kind);

	while (found != NULL &&
	    ((found != list && found[-1] != ' ') || (found[length] != ' ' && found[length] != 0)))
		found = strstr(found + 1, kind);
	return found != NULL;
}

/* Of rows that overlap the maps would be filled by both, and an exit carried out by the first. */
static void test_rows(void **state)
{
	for (unsigned maker = FAKE_INTEL; maker <= FAKE_AMD; maker++) {
		const struct msr_row *msrs;

		fake_reset((enum fake_maker)maker, &vcpu);
		msrs = vendor_msrs();
		assert_true(msrs[0].last != 0);
		for (size_t i = 0; msrs[i].last != 0; i++) {
			uint32_t first = msrs[i].first, last = msrs[i].last;
			/* The blocks that the maps of bits have. */
			uint32_t base = first >> 31 == 0 ? 0
			    : maker == FAKE_AMD		 ? first & 0xc0010000
							 : 0xc0000000;

			assert_true(first <= last && first - base < 0x2000 && last - base < 0x2000);
			for (size_t k = 0; k < i; k++)
				assert_true(last < msrs[k].first || first > msrs[k].last);
		}
	}
}

/* What is denied on purpose has no row in the policy, so test_every_index() sees it denied. */
static void test_denied_rows(void **state)
{
	for (unsigned i = 0; i < COUNT(denied_rows); i++) {
		const struct row *denied = &denied_rows[i];

		assert_string_equal(denied->kind, "GP");
		assert_true(denied->first <= denied->last);
		for (unsigned k = 0; k < COUNT(rows); k++)
			assert_true(rows[k].last < denied->first || rows[k].first > denied->last);
	}
}

/* T21: which numbers reached the CPU in one access by the guest. */
static void check_reach(uint32_t msr, bool write, enum fake_maker maker)
{
	const struct row *row = row_of(msr, maker);
	const char *reads = "HOST_MASK BITS SET_BITS TSC_DEADLINE";
	const char *writes = "BITS SET_BITS TSC_DEADLINE MCA_BANK XSS";

	for (unsigned i = 0; i < fake.access_count; i++) {
		const struct fake_access *access = &fake.accesses[i];

		assert_true(i < COUNT(fake.accesses));
		/* A jump of the guest's clock moves the armed deadline. */
		if (row != NULL && write && one_of(row->kind, "TSC TSC_ADJUST") &&
		    access->msr == 0x6e0)
			continue;
		if (access->msr != msr || row == NULL || (access->write && !write) ||
		    !one_of(row->kind, access->write ? writes : reads))
			fail_msg("guest's %s of %x reached the CPU's %x", write ? "write" : "read",
			    msr, access->msr);
	}
}

static void check_index(uint32_t msr, enum fake_maker maker)
{
	const struct row *row = row_of(msr, maker);
	uint64_t value = 0x5a5a;
	uint64_t out = fake_random() % 2 ? 0 : fake_random();
	bool denied = row == NULL;
	bool done;

	fake_forget();
	done = policy_rdmsr(&vcpu, msr, &value);
	check_reach(msr, false, maker);
	if (!done)
		assert_int_equal(value, 0);
	if (denied && done)
		fail_msg("MSR %x can be read", msr);
	fake_forget();
	done = policy_wrmsr(&vcpu, msr, out);
	check_reach(msr, true, maker);
	if (denied && done)
		fail_msg("MSR %x can be written", msr);
	for (unsigned write = 0; denied && write < 2; write++) {
		assert_false(fake_passes(msr, write, true));
		assert_false(fake_passes(msr, write, false));
	}
}

static void test_every_index(void **state)
{
	static const uint32_t ranges[][2] = { { 0, 0x1fff }, { 0xc0000000, 0xc0001fff },
		{ 0xc0010000, 0xc0011fff }, { 0x40000000, 0x400000ff }, { 0x80000000, 0x800000ff },
		{ 0xffffff00, 0xfffffffe } };

	for (unsigned maker = FAKE_INTEL; maker <= FAKE_AMD; maker++) {
		fake_reset((enum fake_maker)maker, &vcpu);
		for (unsigned i = 0; i < COUNT(ranges); i++) {
			for (uint32_t msr = ranges[i][0]; msr <= ranges[i][1]; msr++)
				check_index(msr, (enum fake_maker)maker);
		}
		for (unsigned long i = 0; i < fake_rounds(100000); i++)
			check_index((uint32_t)fake_random(), (enum fake_maker)maker);
	}
}

/* Each of these by number, from the manuals, whatever the table says: reads and writes are #GP. */
static const uint32_t denied_intel[][2] = {
	{ 0x33, 0x33 },
	{ 0x4e, 0x4f },
	{ 0x8c, 0x8f },
	{ 0x9b, 0x9b }, /* TEST_CTRL.. */
	{ 0x9e, 0x9e },
	{ 0xc1, 0xc8 },
	{ 0xcf, 0xcf },
	{ 0xe1, 0xe1 },
	{ 0x10f, 0x10f },
	{ 0x123, 0x123 },
	{ 0x150, 0x150 },
	{ 0x186, 0x189 },
	{ 0x1c8, 0x1c9 },
	{ 0x1f2, 0x1f5 },
	{ 0x309, 0x30b },
	{ 0x345, 0x345 },
	{ 0x38d, 0x390 },
	{ 0x3f1, 0x3f1 },
	{ 0x480, 0x493 },
	{ 0x4c1, 0x4c8 },
	{ 0x500, 0x500 },
	{ 0x560, 0x561 },
	{ 0x570, 0x572 },
	{ 0x580, 0x587 },
	{ 0x600, 0x600 },
	{ 0x606, 0x619 },
	{ 0x680, 0x69f },
	{ 0x6c0, 0x6df },
	{ 0x6e1, 0x6e1 },
	{ 0x981, 0x985 },
	{ 0xc8d, 0xc8f },
	{ 0xc90, 0xd0f },
	{ 0xd90, 0xd93 },
	{ 0x1200, 0x121f },
	{ 0x14ce, 0x14cf },
	{ 0x17d0, 0x17d4 },
	{ 0x40000000, 0x400000ff },
	{ 0xc0010111, 0xc0010118 },
	{ 0x79, 0x79 },
	{ 0x1a6, 0x1a7 },
	{ 0xc81, 0xc82 },
	{ 0x986, 0x98a },
};

static const uint32_t denied_amd[][2] = {
	{ 0x3a, 0x3a },
	{ 0x480, 0x493 },
	{ 0xc0010016, 0xc0010019 },
	{ 0xc0010020, 0xc0010020 },
	{ 0xc0010111, 0xc0010113 },
	{ 0xc0010117, 0xc0010118 },
	{ 0xc0010130, 0xc0010132 },
	{ 0xc0010200, 0xc001020b },
	{ 0xc0011030, 0xc001103c },
	{ 0xc0000104, 0xc0000104 },
	{ 0xc0010000, 0xc0010007 },
	{ 0xc0010299, 0xc001029b },
	{ 0xc0000300, 0xc0000302 },
};

static void check_denied(const uint32_t (*ranges)[2], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (uint32_t msr = ranges[i][0]; msr <= ranges[i][1]; msr++) {
			uint64_t value;
			bool vm_cr = msr == 0xc0010114 && fake.maker == FAKE_AMD;

			if (vm_cr)
				continue;
			if (policy_rdmsr(&vcpu, msr, &value) || policy_wrmsr(&vcpu, msr, 0) ||
			    fake_passes(msr, false, true) || fake_passes(msr, true, true))
				fail_msg("MSR %x is not denied", msr);
		}
	}
}

static void test_denied(void **state)
{
	fake_reset(FAKE_INTEL, &vcpu);
	check_denied(denied_intel, COUNT(denied_intel));
	fake_reset(FAKE_AMD, &vcpu);
	check_denied(denied_amd, COUNT(denied_amd));
}

/* T22, T24: may be read, or not even that, and never written. */
static void test_read_only(void **state)
{
	static const uint32_t list[] = { 0x17, 0x3a, 0x79, 0xce, 0xe2, 0xe7, 0xe8, 0xfe, 0x10a,
		0x179, 0x198, 0x1ad };

	fake_reset(FAKE_INTEL, &vcpu);
	for (unsigned i = 0; i < COUNT(list); i++) {
		assert_false(fake_passes(list[i], true, true));
		for (unsigned bit = 0; bit <= 64; bit++) {
			fake_forget();
			assert_false(policy_wrmsr(&vcpu, list[i], bit == 64 ? 0 : 1ull << bit));
			assert_int_equal(fake.access_count, 0);
		}
	}
}

/* What a kernel reads or writes in its steady state, on every switch or interrupt: no exit. */
static void test_no_exit(void **state)
{
	static const uint32_t list[] = { 0x48, 0x49, 0x10b, 0x174, 0x175, 0x176, 0x277, 0x1d9,
		0x6a0, 0x6a2, 0x6a4, 0x6a7, 0x6a8, 0x80b, 0x830, 0x83f, 0x8ff, 0xc0000080,
		0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
		0xc0000103, 0x1c4, 0x774 };
	static const uint32_t read_list[] = { 0x10, 0x1b, 0xe7, 0xe8, 0x198, 0x401, 0xda0 };

	fake_reset(FAKE_INTEL, &vcpu);
	for (unsigned i = 0; i < COUNT(list); i++) {
		assert_true(fake_passes(list[i], false, false));
		assert_true(fake_passes(list[i], true, false));
	}
	for (unsigned i = 0; i < COUNT(read_list); i++) {
		assert_true(fake_passes(read_list[i], false, false));
		assert_false(fake_passes(read_list[i], true, true));
	}
	fake_reset(FAKE_AMD, &vcpu);
	assert_false(fake_passes(0xc0000080, false, true)); /* SVME would be seen */
	assert_false(fake_passes(0xc0000080, true, true));
	assert_true(fake_passes(0xc0000082, true, false));
}

/* The exits at RDMSR and WRMSR of what passes cannot come; if they do, nothing is done. */
static void test_passed_is_not_carried_out(void **state)
{
	uint64_t value;

	fake_reset(FAKE_INTEL, &vcpu);
	assert_false(policy_rdmsr(&vcpu, 0xc0000082, &value));
	assert_false(policy_wrmsr(&vcpu, 0xc0000082, 0x1234));
	assert_int_equal(fake.access_count, 0);
}

static void test_apic_base(void **state)
{
	static const struct {
		uint64_t from, to;
		bool accepted;
	} cases[] = {
		{ 0xfee00900, 0xfee00900, true },
		{ 0xfee00900, 0xfee00d00, true },
		{ 0xfee00d00, 0xfee00d00, true },
		{ 0xfee00d00, 0xfee00900, false },
		{ 0xfee00900, 0xfee00100, false },
		{ 0xfee00d00, 0xfee00100, false },
		{ 0xfee00100, 0xfee00900, true },
		{ 0xfee00900, 0xfee01900, false },
		{ 0xfee00900, 0xfec00900, false },
		{ 0xfee00900, 0x1fee00900, false },
		{ 0xfee00900, 0xfee00800, false },
		{ 0xfee00800, 0xfee00900, false },
		{ 0xfee00900, 0xfee00901, false },
		{ 0xfee00900, 0, false },
		{ 0xfee00900, ~0ull, false },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		fake_reset(FAKE_INTEL, &vcpu);
		fake_set_msr(0x1b, cases[i].from);
		if (policy_wrmsr(&vcpu, 0x1b, cases[i].to) != cases[i].accepted)
			fail_msg("%lx -> %lx", cases[i].from, cases[i].to);
		assert_int_equal(fake_msr(0x1b), cases[i].accepted ? cases[i].to : cases[i].from);
	}
}

static void test_feature_control(void **state)
{
	uint64_t value;

	for (unsigned bit = 0; bit < 64; bit++) {
		fake_reset(FAKE_INTEL, &vcpu);
		fake_set_msr(0x3a, 1ull << bit | 5);
		policy_vcpu_init(&vcpu);
		assert_true(policy_rdmsr(&vcpu, 0x3a, &value));
		assert_int_equal(value, bit == 20 ? 0x100001 : 1);
	}
}

/* Bochs reads 0 there, and Linux draws the wrong conclusion. */
static void test_misc_enable(void **state)
{
	static const uint64_t from[] = { 0, ~0ull, 0x850089 };

	for (unsigned i = 0; i < COUNT(from); i++) {
		uint64_t value, after;

		fake_reset(FAKE_INTEL, &vcpu);
		fake_set_msr(0x1a0, from[i]);
		policy_vcpu_init(&vcpu);
		assert_true(policy_rdmsr(&vcpu, 0x1a0, &value));
		assert_int_equal(value & 0x41881,
		    0x41801); /* fast strings, MONITOR; no PMU, BTS, PEBS */
		fake_forget();
		assert_true(policy_wrmsr(&vcpu, 0x1a0, ~value));
		assert_int_equal(fake.access_count, 0);
		assert_true(policy_rdmsr(&vcpu, 0x1a0, &after));
		assert_int_equal(after, value);
	}
	fake_set_cpuid(1, 0, (struct cpuid_regs){ 0, 0, 0, 1u << 12 });
	fake_remove_msr(0x1a0);
	policy_vcpu_init(&vcpu);
	assert_int_equal(vcpu.misc_enable, 0x1801);
}

static void test_microcode(void **state)
{
	uint64_t value;

	fake_reset(FAKE_INTEL, &vcpu);
	vcpu.microcode = 0xabull << 32;
	assert_true(policy_wrmsr(&vcpu, 0x8b, 0));
	assert_true(policy_rdmsr(&vcpu, 0x8b, &value));
	assert_int_equal(value, 0xabull << 32);
	assert_false(policy_wrmsr(&vcpu, 0x8b, 1));
	assert_int_equal(fake.access_count, 0);
	/* At launch: write 0, CPUID, read; on AMD there is nothing to write. */
	fake_set_msr(0x8b, 7);
	policy_vcpu_init(&vcpu);
	assert_int_equal(fake_msr(0x8b), 0);
	fake_reset(FAKE_AMD, &vcpu);
	fake_set_msr(0x8b, 0x0a0011d1);
	policy_vcpu_init(&vcpu);
	assert_int_equal(vcpu.microcode, 0x0a0011d1);
	assert_int_equal(fake_msr(0x8b), 0x0a0011d1);
}

/*
 * CET alone: processor trace (8), PASID (10), UINTR (14), LBR (15), HWP (16) are never enabled.
 * T19, T23.
 */
static void test_xss(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		fake_reset(FAKE_INTEL, &vcpu);
		assert_int_equal(policy_wrmsr(&vcpu, 0xda0, 1ull << bit), bit == 11 || bit == 12);
		assert_int_equal(fake_msr(0xda0), bit == 11 || bit == 12 ? 1ull << bit : 0);
		fake_set_cpuid(0xd, 1, (struct cpuid_regs){ 0xf, 0, 0, 0 });
		assert_false(policy_wrmsr(&vcpu, 0xda0, 1ull << bit));
		assert_true(policy_wrmsr(&vcpu, 0xda0, 0));
	}
}

/* Firmware's leavings are switched off before the guest runs; its XSS is cut to what is allowed. */
static void test_quiesce(void **state)
{
	static const uint32_t list[] = { 0x570, 0x17d1, 0x3f1, 0x38f, 0x1d9 };

	fake_reset(FAKE_INTEL, &vcpu);
	for (unsigned i = 0; i < COUNT(list); i++)
		fake_set_msr(list[i], 0x3000000f);
	fake_set_msr(0xda0, 0x1900);
	policy_vcpu_init(&vcpu);
	for (unsigned i = 0; i < COUNT(list); i++)
		assert_int_equal(fake_msr(list[i]), 0);
	assert_int_equal(fake_msr(0xda0), 0x1800);
	for (unsigned i = 0; i < COUNT(list); i++)
		fake_remove_msr(list[i]);
	fake_remove_msr(0xda0);
	policy_vcpu_init(&vcpu);
}

/* The VMCB switches it only with LBR virtualization, so on AMD no value is the guest's. */
static void test_debugctl(void **state)
{
	uint64_t value = 1;

	fake_reset(FAKE_INTEL, &vcpu);
	assert_true(fake_passes(0x1d9, true, true) && fake_passes(0x1d9, false, true));
	fake_reset(FAKE_AMD, &vcpu);
	fake_set_msr(0x1d9, 3);
	policy_vcpu_init(&vcpu);
	assert_int_equal(fake_msr(0x1d9), 0);
	assert_false(fake_passes(0x1d9, true, true) || fake_passes(0x1d9, false, true));
	assert_true(policy_wrmsr(&vcpu, 0x1d9, 3));
	assert_int_equal(fake_msr(0x1d9), 0);
	assert_true(policy_rdmsr(&vcpu, 0x1d9, &value));
	assert_int_equal(value, 0);
}

static void test_machine_check_banks(void **state)
{
	for (uint32_t msr = 0x400; msr < 0x480; msr++) {
		fake_reset(FAKE_INTEL, &vcpu);
		fake_set_msr(msr, 0x1234);
		assert_true(fake_passes(msr, false, false));
		assert_false(fake_passes(msr, true, true));
		assert_int_equal(policy_wrmsr(&vcpu, msr, 0xbe00000000800400), msr % 4 == 0);
		assert_int_equal(fake_msr(msr), msr % 4 == 0 ? 0xbe00000000800400 : 0x1234);
		assert_true(policy_wrmsr(&vcpu, msr, 0));
		assert_int_equal(fake_msr(msr), 0);
	}
}

static void test_bits(void **state)
{
	static const struct {
		enum fake_maker maker;
		uint32_t msr;
		uint64_t mask;
	} cases[] = { { FAKE_INTEL, 0x1fc, 2 }, { FAKE_AMD, 0xc0010015, 1u << 25 },
		{ FAKE_AMD, 0xc0011029, 2 } };

	for (unsigned i = 0; i < COUNT(cases); i++) {
		for (unsigned bit = 0; bit < 64; bit++) {
			uint64_t old = 0x123456789abcdef0;
			bool may = cases[i].mask >> bit & 1;

			fake_reset(cases[i].maker, &vcpu);
			fake_set_msr(cases[i].msr, old);
			assert_int_equal(policy_wrmsr(&vcpu, cases[i].msr, old ^ 1ull << bit), may);
			assert_int_equal(fake_msr(cases[i].msr), may ? old ^ 1ull << bit : old);
			assert_true(policy_wrmsr(&vcpu, cases[i].msr, fake_msr(cases[i].msr)));
			fake_remove_msr(cases[i].msr);
			assert_false(policy_wrmsr(&vcpu, cases[i].msr, 0));
		}
	}
}

/*
 * By name from SDM 4: bits that promise something, and those that come with an MSR that is denied.
 */
static void test_arch_capabilities(void **state)
{
	static const uint8_t shown[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 17, 19, 20, 21,
		24, 26, 27, 28, 62 };
	uint64_t expected = 0, value;

	for (unsigned i = 0; i < COUNT(shown); i++)
		expected |= 1ull << shown[i];
	fake_reset(FAKE_INTEL, &vcpu);
	fake_set_msr(0x10a, ~0ull);
	assert_true(policy_rdmsr(&vcpu, 0x10a, &value));
	assert_int_equal(value, expected);
	fake_set_msr(0x10a, 0);
	assert_true(policy_rdmsr(&vcpu, 0x10a, &value));
	assert_int_equal(value, 0);
	fake_remove_msr(0x10a);
	assert_false(policy_rdmsr(&vcpu, 0x10a, &value));
	fake_set_msr(0xce, ~0ull);
	assert_true(policy_rdmsr(&vcpu, 0xce, &value));
	assert_int_equal(value & 1ull << 31, 0);
}

/* The real MTRRs stay; types are made anew when, and only when, a complete state differs. */
static void test_mtrr_writes(void **state)
{
	uint64_t value, end;

	fake_reset(FAKE_INTEL, &vcpu);
	memtype_update(&vcpu.mtrr);
	fake.retypes = 0;
	assert_true(policy_wrmsr(&vcpu, 0x2ff, 0x006)); /* off, as the sequence begins */
	assert_true(policy_wrmsr(&vcpu, 0x202, 0xc0000000));
	assert_true(policy_wrmsr(&vcpu, 0x203, 0xffffc0000800));
	assert_int_equal(fake.retypes, 0);
	assert_true(policy_wrmsr(&vcpu, 0x2ff, 0xc06));
	assert_int_equal(fake.retypes, 1);
	assert_int_equal(arch_memory_type((gpa_t){ 0xc0000000 }, &end), S2_UC);
	assert_true(policy_wrmsr(&vcpu, 0x2ff, 0x006));
	assert_true(policy_wrmsr(&vcpu, 0x2ff, 0xc06));
	assert_int_equal(fake.retypes, 1);
	assert_true(policy_wrmsr(&vcpu, 0x203, 0));
	assert_int_equal(fake.retypes, 2);
	assert_int_equal(arch_memory_type((gpa_t){ 0xc0000000 }, &end), S2_WB);
	assert_false(policy_wrmsr(&vcpu, 0x203, 0x801));
	assert_false(policy_wrmsr(&vcpu, 0xfe, 0x50a));
	assert_true(policy_rdmsr(&vcpu, 0xfe, &value));
	assert_int_equal(value, 0x50a); /* SMRR's bit is gone */
	assert_false(policy_rdmsr(&vcpu, 0x214, &value));
	assert_int_equal(fake.access_count, 0);
	assert_int_equal(fake.retypes, 2);
}

/* A number that another maker uses for something else, or not at all. */
static void test_makers(void **state)
{
	uint64_t value;

	fake_reset(FAKE_INTEL, &vcpu);
	assert_false(policy_rdmsr(&vcpu, 0xc0010114, &value));
	assert_false(fake_passes(0xc001001a, false, true));
	fake_reset(FAKE_AMD, &vcpu);
	assert_true(policy_rdmsr(&vcpu, 0xc0010114, &value));
	assert_int_equal(value, 0x18);
	assert_false(policy_wrmsr(&vcpu, 0xc0010114, 0x18));
	assert_true(fake_passes(0xc001001a, false, true));
	assert_false(policy_rdmsr(&vcpu, 0x1a0, &value));
	assert_false(policy_rdmsr(&vcpu, 0x10a, &value));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_rows),
	cmocka_unit_test(test_denied_rows),
	cmocka_unit_test(test_every_index),
	cmocka_unit_test(test_denied),
	cmocka_unit_test(test_read_only),
	cmocka_unit_test(test_no_exit),
	cmocka_unit_test(test_passed_is_not_carried_out),
	cmocka_unit_test(test_apic_base),
	cmocka_unit_test(test_feature_control),
	cmocka_unit_test(test_misc_enable),
	cmocka_unit_test(test_microcode),
	cmocka_unit_test(test_xss),
	cmocka_unit_test(test_quiesce),
	cmocka_unit_test(test_debugctl),
	cmocka_unit_test(test_machine_check_banks),
	cmocka_unit_test(test_bits),
	cmocka_unit_test(test_arch_capabilities),
	cmocka_unit_test(test_mtrr_writes),
	cmocka_unit_test(test_makers),
};

UNIT_MAIN(tests)
