/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Machines, and the lines that the doctor must say of them.
 */
#include "monitor/abi/cpuid.h"
#include "tests/unit/doctor/machine.h"
#include "tools/doctor/doctor.h"

static struct report report;

static void examine(void)
{
	doctor_examine(&machine_source, &report);
	doctor_finish(&report, "More.");
}

static const struct line *find(const char *id)
{
	for (unsigned i = 0; i < report.count; i++)
		if (!strcmp(report.lines[i].id, id))
			return &report.lines[i];
	return NULL;
}

/* The line says so, and these words are in its text. */
static void expect(const char *id, enum answer answer, const char *words)
{
	const struct line *line = find(id);

	if (!line)
		fail_msg("no line %s", id);
	else if (line->answer != answer || !strstr(line->text, words))
		fail_msg("%s: %s: %s", id, answer_word(line->answer), line->text);
}

static void expect_claims(const char *claims)
{
	expect("claims", ANSWER_NOTE, claims);
}

static void good_intel(void **state)
{
	machine_intel();
	examine();
	expect("virtualization", ANSWER_YES, "VT-x");
	expect("lock", ANSWER_YES, "locked it so");
	expect("stage2", ANSWER_YES, "EPT");
	expect("real-mode", ANSWER_YES, "unrestricted guest");
	expect("controls", ANSWER_YES, "every VT-x control");
	expect("tags", ANSWER_YES, "VPID");
	expect("mbec", ANSWER_YES, "MBEC");
	expect("instructions", ANSWER_NOTE, "RDTSCP, INVPCID, ENCLS exiting, XSAVES");
	expect("same-cpus", ANSWER_YES, "all CPUs");
	expect("firmware", ANSWER_YES, "64-bit UEFI");
	expect("firmware-state", ANSWER_YES, "four-level");
	expect("processors", ANSWER_YES, "2 of 2");
	expect("verdict", ANSWER_YES, "Redoubt can cover this machine. More.");
	assert_null(find("assists"));
	assert_false(report.claims & REDOUBT_DEGRADED_NO_MBEC);
}

static void good_amd(void **state)
{
	machine_amd();
	examine();
	expect("virtualization", ANSWER_YES, "SVM");
	expect("lock", ANSWER_YES, "left SVM on");
	expect("stage2", ANSWER_YES, "NPT, with pages of 1 GiB");
	expect("tags", ANSWER_YES, "32768");
	expect("assists", ANSWER_NOTE, "here: next RIP, clean bits, decode assists");
	expect("mbec", ANSWER_NO, "GMET");
	expect("init", ANSWER_NOTE, "init=forgeable");
	expect("verdict", ANSWER_YES, "can cover");
	expect_claims("mbec=absent");
	expect_claims("init=forgeable");
	*machine_msr(0, 0xc0010114) = 2;
	machine_leaf(0, 0x8000000a)->edx |= 1u << 17;
	examine();
	expect("init", ANSWER_YES, "redirected already");
	expect("mbec", ANSWER_YES, "does not use yet");
	expect_claims("mbec=absent");
	assert_false(report.claims & REDOUBT_DEGRADED_INIT);
}

static void intel_without_mbec(void **state)
{
	machine_intel();
	*machine_msr(0, 0x48b) &= ~(1ull << 54);
	*machine_msr(1, 0x48b) &= ~(1ull << 54);
	examine();
	expect("mbec", ANSWER_NO, "MBEC");
	expect_claims("dma=unprotected, unlocked, root=unrooted, smm=trusted, mbec=absent, "
		      "microcode=firmware, sleep=unwatched");
	expect("verdict", ANSWER_YES, "can cover");
}

static void locked_off(void **state)
{
	machine_intel();
	*machine_msr(0, 0x3a) = 1;
	examine();
	expect("lock", ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
	machine_intel();
	*machine_msr(0, 0x3a) = 0;
	examine();
	expect("lock", ANSWER_YES, "has not locked");
	machine_amd();
	*machine_msr(0, 0xc0010114) = 0x18;
	examine();
	expect("lock", ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
	*machine_msr(0, 0xc0010114) = 0x10;
	examine();
	expect("lock", ANSWER_YES, "not locked");
	expect("verdict", ANSWER_YES, "can cover");
}

static void one_cpu_differs(void **state)
{
	machine_intel();
	*machine_msr(1, 0x48b) &= ~(1ull << 54);
	examine();
	expect("same-cpus", ANSWER_NO, "CPU 1: This CPU differs");
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_CPU_MISMATCH));
	machine_intel();
	*machine_msr(1, 0x3a) = 1;
	examine();
	expect("lock", ANSWER_YES, "");
	expect("same-cpus", ANSWER_NO, "CPU 1: Firmware has switched");
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
}

static void no_virtualization(void **state)
{
	machine_intel();
	machine_leaf(0, 1)->ecx = 0;
	examine();
	expect("virtualization", ANSWER_NO, "no VT-x");
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_NO_VIRTUALIZATION));
	assert_null(find("lock"));
	machine_leaf(0, 0)->ebx = 0x746e6543; /* Cent... */
	examine();
	expect("virtualization", ANSWER_NO, "no monitor is made");
}

static void under_a_hypervisor(void **state)
{
	machine_intel();
	machine_leaf(0, 1)->ecx |= 1u << 31;
	*machine_leaf(0, 0x40000000) = (struct leaf){ 0, 0x4b4d564b, 0x564b4d56, 0x4d };
	examine();
	expect("hypervisor", ANSWER_NOTE, "\"KVMKVMKVM\"");
	expect("verdict", ANSWER_YES, "");
	*machine_leaf(0, 0x40000000) = (struct leaf){ 0, REDOUBT_SIG_EBX, REDOUBT_SIG_ECX,
		REDOUBT_SIG_EDX };
	machine_leaf(0, 1)->ecx &= ~(1u << 5); /* as the monitor hides it */
	examine();
	expect("hypervisor", ANSWER_NOTE, "Redoubt already runs");
	expect("verdict", ANSWER_NO, launch_sentence(LAUNCH_ALREADY_RUNNING));
}

/* On Linux without root: nothing is taken for absent, and nothing is promised. */
static void hidden(void **state)
{
	static const char *const ids[] = { "lock", "stage2", "real-mode", "controls", "tags",
		"mbec", "same-cpus", "cpus", "iommu", "remapping", "tpm", "sleep" };

	machine_intel();
	machine.msrs = machine.cr4 = machine.processors_fact = machine.tables_fact = FACT_HIDDEN;
	examine();
	for (unsigned i = 0; i < COUNT(ids); i++)
		expect(ids[i], ANSWER_UNKNOWN, "needs root");
	expect("firmware-state", ANSWER_NOTE, "doctor.efi");
	expect("processors", ANSWER_NOTE, "doctor.efi");
	expect("verdict", ANSWER_UNKNOWN, "not all could be read. More.");
}

static void secure_boot(void **state)
{
	machine_intel();
	machine.secure_boot = 1;
	examine();
	expect("secure-boot", ANSWER_YES, "must be signed");
	machine.secure_boot = 0;
	machine.setup_mode = 1;
	examine();
	expect("secure-boot", ANSWER_NO, "setup mode");
	machine.setup_mode = 0;
	examine();
	expect("secure-boot", ANSWER_NO, "off");
	assert_null(strstr(find("secure-boot")->text, "setup"));
	machine.secure_boot = -1;
	examine();
	expect("secure-boot", ANSWER_NO, "no state");
}

static void firmware(void **state)
{
	machine_intel();
	machine.firmware_bits = 32;
	examine();
	expect("firmware", ANSWER_NO, "32-bit");
	expect("verdict", ANSWER_NO, "32-bit");
	machine.firmware_fact = FACT_ABSENT;
	examine();
	expect("verdict", ANSWER_NO, "not started by UEFI");
	machine_intel();
	machine.cpu[0].cr4 = 1u << 12;
	examine();
	expect("firmware-state", ANSWER_NO, "five-level");
	expect("verdict", ANSWER_NO, "five-level");
	machine_intel();
	machine.processors.disabled = 1;
	examine();
	expect("processors", ANSWER_NO, "runs 1 of 2");
	expect("verdict", ANSWER_NO, "disabled or unhealthy");
	machine_intel();
	machine.processors_fact = FACT_ABSENT;
	examine();
	expect("verdict", ANSWER_NO, "no MP services");
	machine_intel();
	machine.processors.all = BOOTINFO_MAX_CPUS + 1;
	examine();
	expect("verdict", ANSWER_NO, "more CPUs than");
}

static void no_tables(void **state)
{
	machine_intel();
	examine();
	expect("cpus", ANSWER_NO, "no ACPI table of CPUs");
	expect("iommu", ANSWER_NO, "none");
	expect("remapping", ANSWER_NO, "cannot");
	expect("tpm", ANSWER_NO, "none");
	expect("sleep", ANSWER_NO, "not known");
	expect_claims("sleep=unwatched");
}

static void tables(void **state)
{
	uint8_t madt[44 + 3 * 8] = { 0 }, dmar[48 + 16] = { 0 }, tpm2[52] = { 0 },
			      fadt[116] = { 0 };

	machine_intel();
	for (unsigned i = 0; i < 3; i++) {
		madt[44 + 8 * i + 1] = 8;
		madt[44 + 8 * i + 4] = (uint8_t)i; /* disabled, enabled, online-capable */
	}
	dmar[37] = 1;
	dmar[50] = 16;
	dmar[58] = 0xd9;
	dmar[59] = 0xfe;
	tpm2[48] = 7;
	fadt[65] = 6;
	machine_table(madt, sizeof(madt), "APIC");
	machine_table(dmar, sizeof(dmar), "DMAR");
	machine_table(tpm2, sizeof(tpm2), "TPM2");
	machine_table(fadt, sizeof(fadt), "FACP");
	examine();
	expect("cpus", ANSWER_YES, "1 enabled, 1 disabled (entries");
	expect("cpus", ANSWER_YES, "1 that can be switched on later");
	expect("verdict", ANSWER_YES, "can cover");
	expect("iommu", ANSWER_YES, "VT-d (DMAR), units: 1, the first at 0xfed90000");
	expect("remapping", ANSWER_YES, "can be");
	expect("tpm", ANSWER_YES, "CRB");
	expect("sleep", ANSWER_YES, "0x600");
	expect_claims("suspend=off");
	machine.tables_fact = FACT_DAMAGED;
	examine();
	expect("cpus", ANSWER_NO, "APIC (MADT) is damaged");
	expect("verdict", ANSWER_NO, "list of CPUs is damaged");
	expect("iommu", ANSWER_NO, "DMAR is damaged");
	expect("tpm", ANSWER_NO, "TPM2 is damaged");
	expect_claims("sleep=unwatched");
}

/* What the loader refuses in boot/cpus.c: CPUs that are listed, and that firmware does not run. */
static void listed_cpus(void **state)
{
	static const struct {
		unsigned enabled, addable, all;
		enum fact fact;
		enum answer answer;
	} cases[] = {
		{ 2, 0, 2, FACT_OK, ANSWER_YES },
		{ 1, 1, 2, FACT_OK, ANSWER_YES },
		{ 2, 1, 2, FACT_OK, ANSWER_NO },
		{ 3, 0, 2, FACT_OK, ANSWER_NO },
		{ 3, 0, 0, FACT_HIDDEN, ANSWER_YES },
		{ 2, 1, 0, FACT_HIDDEN, ANSWER_NO },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t madt[44 + 3 * 8] = { 0 };

		machine_intel();
		for (unsigned n = 0; n < 3; n++)
			madt[44 + 8 * n + 1] = 8;
		for (unsigned n = 0; n < cases[i].enabled + cases[i].addable; n++)
			madt[44 + 8 * n + 4] = n < cases[i].enabled ? 1 : 2;
		machine_table(madt, sizeof(madt), "APIC");
		machine.processors.all = cases[i].all;
		machine.processors_fact = cases[i].fact;
		examine();
		expect("cpus", cases[i].answer, "enabled");
		expect("verdict", cases[i].answer,
		    cases[i].answer == ANSWER_NO ? "ACPI lists a CPU" : "can cover");
	}
}

static void old_tpm(void **state)
{
	uint8_t tcpa[50] = { 0 };

	machine_intel();
	machine_table(tcpa, sizeof(tcpa), "TCPA");
	examine();
	expect("tpm", ANSWER_NO, "TPM 1.2 only");
}

static void threads(void **state)
{
	machine_intel();
	machine_leaf(0, 0xb)->ebx = 2;
	examine();
	expect("siblings", ANSWER_NO, "2 threads a core");
	expect_claims("smt=leaky");
	machine_leaf(0, 7)->edx = 1u << 29;
	*machine_msr(0, 0x10a) = 1 | 1u << 5 | 1u << 8 | 7u << 13 | 1u << 27;
	examine();
	expect("siblings", ANSWER_YES, "unaffected");
	assert_false(report.claims & REDOUBT_DEGRADED_SMT);
	machine_amd();
	machine_leaf(0, 0xb)->ebx = 2;
	examine();
	expect("siblings", ANSWER_YES, "unaffected");
	machine_leaf(0, 1)->eax = 0xa00f00;
	machine_leaf(0, 0x80000021)->eax = 1u << 5;
	examine();
	expect_claims("smt=leaky");
}

static void flaws(void **state)
{
	static const struct {
		uint64_t caps;
		uint32_t edx;
		bool flawed;
	} cases[] = {
		{ 0, 0, true },
		{ 0, 1u << 10 | 1u << 28, true }, /* page sizes */
		{ 1u << 6, 1u << 10 | 1u << 28, false },
		{ 1u << 6, 1u << 10, true }, /* L1 data cache */
		{ 1u << 6 | 1, 1u << 10, false },
		{ 1u << 6, 1u << 28, true }, /* buffers */
		{ 1u << 6 | 1u << 5 | 1u << 8 | 7u << 13 | 1u << 27, 1u << 28, false },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		machine_intel();
		machine_leaf(0, 7)->edx = 1u << 29 | cases[i].edx;
		*machine_msr(0, 0x10a) = cases[i].caps;
		examine();
		expect("flaws", cases[i].flawed ? ANSWER_NO : ANSWER_YES, "free of");
		assert_int_equal(!!(report.claims & REDOUBT_DEGRADED_FLAWS), cases[i].flawed);
	}
	machine_amd();
	examine();
	assert_null(find("flaws"));
	assert_false(report.claims & REDOUBT_DEGRADED_FLAWS);
}

/* ---- the text ---- */

static char printed[32768];
static size_t printed_length;

static void put(void *context, const char *text)
{
	size_t length = strlen(text);

	assert_true(printed_length + length < sizeof(printed));
	memcpy(printed + printed_length, text, length + 1);
	printed_length += length;
}

static void rows_fit(void **state)
{
	const struct printer printer = { put, NULL, "\n" };

	machine_amd();
	machine_leaf(0, 0x80000000)->eax = 0x80000021;
	*machine_leaf(0, 0x80000002) = (struct leaf){ 0x1b444d41, 0x07202020, 0x3f3f3f,
		0xffffffff };
	examine();
	printed_length = 0;
	doctor_print(&report, &printer);
	for (const char *row = printed, *end; *row; row = end + 1) {
		end = strchr(row, '\n');
		assert_non_null(end);
		assert_true(end - row <= 79);
		assert_true(end == row || end[-1] != ' ');
		for (const char *c = row; c < end; c++)
			assert_true(*c >= 0x20 && *c <= 0x7e);
	}
}

static void lines_are_bounded(void **state)
{
	struct line *line = NULL;

	report.count = 0;
	for (unsigned i = 0; i < REPORT_LINES + 3; i++)
		line = report_line(&report, "x", ANSWER_NOTE, "y");
	assert_int_equal(report.count, REPORT_LINES);
	for (unsigned i = 0; i < REPORT_TEXT; i++)
		line_add(line, "ab");
	assert_int_equal(strlen(line->text), REPORT_TEXT - 1);
	printed_length = 0;
	doctor_print(&report, &(struct printer){ put, NULL, "\n" });
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(good_intel),
	cmocka_unit_test(good_amd),
	cmocka_unit_test(intel_without_mbec),
	cmocka_unit_test(locked_off),
	cmocka_unit_test(one_cpu_differs),
	cmocka_unit_test(no_virtualization),
	cmocka_unit_test(under_a_hypervisor),
	cmocka_unit_test(hidden),
	cmocka_unit_test(secure_boot),
	cmocka_unit_test(firmware),
	cmocka_unit_test(no_tables),
	cmocka_unit_test(tables),
	cmocka_unit_test(listed_cpus),
	cmocka_unit_test(old_tpm),
	cmocka_unit_test(threads),
	cmocka_unit_test(flaws),
	cmocka_unit_test(rows_fit),
	cmocka_unit_test(lines_are_bounded),
};

UNIT_MAIN(tests)
