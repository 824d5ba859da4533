/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Checks of the CPUs.
 */
#include "tools/doctor/bytes.h"
#include "tools/doctor/check.h"

#define CPUID1_HYPERVISOR (1u << 31)   /* ECX */
#define HUGE_PAGES	  (1ull << 17) /* of VT-x's second stage */

static bool is_vmx(const struct exam *exam)
{
	return exam->cpu.vendor == REDOUBT_VENDOR_VMX;
}

static void cpuid(const struct exam *exam, uint32_t number, struct leaf *leaf)
{
	exam->source->cpuid(exam->source->context, number, 0, leaf);
}

static unsigned add_text4(char *text, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)(value >> 8 * i & 0x7f);
	return 4;
}

void check_machine(const struct exam *exam, const char *id)
{
	struct line *line = report_line(exam->report, id, ANSWER_NOTE, exam->cpu.maker);
	char brand[49] = "";
	struct leaf leaf;
	unsigned length = 0;

	cpuid(exam, 0x80000000, &leaf);
	for (uint32_t i = 0x80000002; i <= 0x80000004 && i <= leaf.eax; i++) {
		struct leaf part;

		cpuid(exam, i, &part);
		length += add_text4(brand + length, part.eax);
		length += add_text4(brand + length, part.ebx);
		length += add_text4(brand + length, part.ecx);
		length += add_text4(brand + length, part.edx);
	}
	line_add(line, ", ");
	line_add(line, brand[0] ? brand : "without a name");
	line_add(line, "; CPUs asked: ");
	line_dec(line, exam->source->cpus(exam->source->context));
}

void check_hypervisor(const struct exam *exam, const char *id)
{
	struct line *line;
	struct leaf leaf;
	char name[13] = "";

	cpuid(exam, 1, &leaf);
	if (!(leaf.ecx & CPUID1_HYPERVISOR)) {
		report_line(exam->report, id, ANSWER_NO, "nothing says that it runs below");
		return;
	}
	cpuid(exam, REDOUBT_CPUID_BASE, &leaf);
	add_text4(name, leaf.ebx);
	add_text4(name + 4, leaf.ecx);
	add_text4(name + 8, leaf.edx);
	line = report_line(exam->report, id, ANSWER_NOTE, "");
	if (same_bytes(name, REDOUBT_SIGNATURE, 12)) {
		line_add(line, "Redoubt already runs below; it hides what the CPU has");
		report_refuse(exam->report, LAUNCH_ALREADY_RUNNING);
		return;
	}
	line_add(line, "this is itself a guest, of \"");
	line_add(line, name);
	line_add(line, "\": what follows is what that offers");
}

void check_virtualization(const struct exam *exam, const char *id)
{
	const struct cpu *cpu = &exam->cpu;

	if (cpu->present)
		report_line(exam->report, id, ANSWER_YES, is_vmx(exam) ? "VT-x" : "SVM");
	else if (cpu->vendor)
		report_line(exam->report, id, ANSWER_NO,
		    cpu->vendor == REDOUBT_VENDOR_VMX ? "the CPU shows no VT-x"
						      : "the CPU shows no SVM");
	else
		report_line(exam->report, id, ANSWER_NO,
		    "no monitor is made for this maker's CPUs");
}

void check_lock(const struct exam *exam, const char *id)
{
	const struct cpu *cpu = &exam->cpu;

	if (cpu->msrs != FACT_OK)
		say_doubt(exam, id, "whether firmware has locked it off");
	else if (cpu_locked_off(cpu))
		report_line(exam->report, id, ANSWER_NO, launch_sentence(LAUNCH_LOCKED_OFF));
	else if (is_vmx(exam))
		report_line(exam->report, id, ANSWER_YES,
		    cpu->vmx.feature_control & 1 ? "firmware has left VT-x on, and locked it so"
						 : "firmware has not locked VT-x");
	else
		report_line(exam->report, id, ANSWER_YES,
		    cpu->svm.vm_cr & 0x10
			? "SVM is off, but not locked: the monitor can switch it on"
			: "firmware has left SVM on");
}

/* VT-x tells by MSR alone, SVM by CPUID. */
static bool hidden(const struct exam *exam)
{
	return is_vmx(exam) && exam->cpu.msrs != FACT_OK;
}

void check_stage2(const struct exam *exam, const char *id)
{
	const char *name = is_vmx(exam) ? "EPT" : "NPT";
	struct line *line;

	if (hidden(exam)) {
		say_doubt(exam, id, name);
		return;
	}
	if (!cpu_has_stage2(&exam->cpu)) {
		report_line(exam->report, id, ANSWER_NO, launch_sentence(LAUNCH_NO_STAGE2));
		return;
	}
	line = report_line(exam->report, id, ANSWER_YES, name);
	line_add(line,
	    (is_vmx(exam) ? (exam->cpu.vmx.ept & HUGE_PAGES) != 0 : exam->cpu.svm.huge)
		? ", with pages of 1 GiB"
		: ", without pages of 1 GiB");
}

void check_real_mode(const struct exam *exam, const char *id)
{
	if (hidden(exam))
		say_doubt(exam, id, "unrestricted guest");
	else if (!cpu_has_unrestricted(&exam->cpu))
		report_line(exam->report, id, ANSWER_NO, launch_sentence(LAUNCH_NO_UNRESTRICTED));
	else
		report_line(exam->report, id, ANSWER_YES,
		    is_vmx(exam) ? "unrestricted guest" : "SVM runs real mode as it is");
}

void check_controls(const struct exam *exam, const char *id)
{
	enum launch_status status;

	if (hidden(exam)) {
		say_doubt(exam, id, "VT-x controls that the monitor needs");
		return;
	}
	status = cpu_judge(&exam->cpu);
	if (status == LAUNCH_OK)
		report_line(exam->report, id, ANSWER_YES,
		    "every VT-x control that the monitor needs");
	else
		report_line(exam->report, id, ANSWER_NO, launch_sentence(status));
}

void check_tags(const struct exam *exam, const char *id)
{
	struct line *line;

	if (!is_vmx(exam)) {
		line = report_line(exam->report, id,
		    exam->cpu.svm.leaf.ebx > 2 ? ANSWER_YES : ANSWER_NO, "ASIDs: ");
		line_dec(line, exam->cpu.svm.leaf.ebx);
	} else if (hidden(exam)) {
		say_doubt(exam, id, "VPID");
	} else {
		bool there = exam->cpu.vmx.secondary >> 32 & VMX_CPU2_VPID;

		report_line(exam->report, id, there ? ANSWER_YES : ANSWER_NO, "VPID");
	}
}

void check_mbec(const struct exam *exam, const char *id)
{
	const char *name = is_vmx(exam) ? "MBEC" : "GMET";

	if (hidden(exam)) {
		say_hidden(exam, id, name);
	} else if (cpu_has_mbec(&exam->cpu) && is_vmx(exam)) {
		report_line(exam->report, id, ANSWER_YES, name);
	} else if (cpu_has_mbec(&exam->cpu)) {
		exam->report->claims |= REDOUBT_DEGRADED_NO_MBEC;
		line_add(report_line(exam->report, id, ANSWER_YES, name),
		    ", which the monitor does not use yet: it will show mbec=absent");
	} else {
		exam->report->claims |= REDOUBT_DEGRADED_NO_MBEC;
		line_add(report_line(exam->report, id, ANSWER_NO, name),
		    ": user and kernel execution are not told apart");
	}
}

static void add_names(struct line *line, uint32_t bits, const char *const names[32])
{
	bool first = true;

	for (unsigned i = 0; i < 32; i++) {
		if (!names[i] || !(bits >> i & 1))
			continue;
		line_add(line, first ? "" : ", ");
		line_add(line, names[i]);
		first = false;
	}
	if (first)
		line_add(line, "none");
}

void check_instructions(const struct exam *exam, const char *id)
{
	static const char *const names
	    [32] = { [3] = "RDTSCP", [12] = "INVPCID", [15] = "ENCLS exiting", [20] = "XSAVES" };

	if (hidden(exam))
		say_hidden(exam, id, "instructions that guests can be given");
	else
		add_names(report_line(exam->report, id, ANSWER_NOTE, "guests can be given: "),
		    (uint32_t)(exam->cpu.vmx.secondary >> 32), names);
}

void check_assists(const struct exam *exam, const char *id)
{
	static const char *const names[32] = { [3] = "next RIP",
		[5] = "clean bits",
		[6] = "flush by ASID",
		[7] = "decode assists",
		[13] = "AVIC",
		[16] = "virtual GIF",
		[28] = "SVME address check" };

	add_names(report_line(exam->report, id, ANSWER_NOTE, "used where offered; here: "),
	    exam->cpu.svm.leaf.edx, names);
}

/* Whether the bit can be set shows at launch alone: until then the claim stands. */
void check_init(const struct exam *exam, const char *id)
{
	if (exam->cpu.msrs == FACT_OK && exam->cpu.svm.vm_cr & SVM_R_INIT) {
		report_line(exam->report, id, ANSWER_YES,
		    "INIT is redirected already (VM_CR.R_INIT)");
		return;
	}
	exam->report->claims |= REDOUBT_DEGRADED_INIT;
	if (exam->cpu.msrs != FACT_OK)
		say_hidden(exam, id, "whether INIT is redirected (VM_CR.R_INIT)");
	else
		report_line(exam->report, id, ANSWER_NOTE,
		    "INIT is not redirected now (VM_CR.R_INIT); if this CPU lets the monitor set "
		    "that, "
		    "the claim init=forgeable goes away");
}

void check_siblings(const struct exam *exam, const char *id)
{
	struct line *line;

	if (!cpu_siblings_leak(&exam->cpu)) {
		report_line(exam->report, id, ANSWER_YES,
		    exam->cpu.threads > 1 ? "threads of a core, and the CPU reports itself "
					    "unaffected by what they share"
					  : "one thread a core");
		return;
	}
	exam->report->claims |= REDOUBT_DEGRADED_SMT;
	line = report_line(exam->report, id, ANSWER_NO, "");
	line_dec(line, exam->cpu.threads);
	line_add(line,
	    " threads a core, and this CPU does not report itself unaffected by what they "
	    "share: switch hyper-threading off in firmware");
}

void check_flaws(const struct exam *exam, const char *id)
{
	if (hidden(exam)) {
		say_hidden(exam, id, "what the CPU says of its flaws");
	} else if (!cpu_flawed(&exam->cpu)) {
		report_line(exam->report, id, ANSWER_YES,
		    "the CPU reports itself free of those that the monitor cannot make up for");
	} else {
		exam->report->claims |= REDOUBT_DEGRADED_FLAWS;
		report_line(exam->report, id, ANSWER_NO,
		    "the CPU does not report itself free of machine checks by code pages that "
		    "change size, or of leaks that it has no command against: newer microcode may");
	}
}

struct other {
	const struct source *source;
	struct cpu cpu;
};

static void read_other(void *argument)
{
	struct other *other = argument;

	cpu_read(other->source, &other->cpu);
}

/* NULL: this CPU is as good as the first. */
static const char *compare(const struct exam *exam, unsigned index)
{
	struct other other = { .source = exam->source };
	enum launch_status status;

	if (!exam->source->on_cpu(exam->source->context, index, read_other, &other))
		return "it cannot be asked";
	status = cpu_judge(&other.cpu);
	if (status == LAUNCH_OK && !cpu_same(&exam->cpu, &other.cpu))
		status = LAUNCH_CPU_MISMATCH;
	if (status == LAUNCH_OK)
		return NULL;
	report_refuse(exam->report, status);
	return launch_sentence(status);
}

void check_same(const struct exam *exam, const char *id)
{
	unsigned count = exam->source->cpus(exam->source->context);

	for (unsigned i = 0; i < count; i++) {
		const char *complaint = compare(exam, i);
		struct line *line;

		if (!complaint)
			continue;
		line = report_line(exam->report, id, ANSWER_NO, "CPU ");
		line_dec(line, i);
		line_add(line, ": ");
		line_add(line, complaint);
		report_obstacle(exam->report,
		    "A CPU is not as the first one, or cannot be reached.");
		return;
	}
	if (hidden(exam))
		say_hidden(exam, id, "whether all CPUs offer the same");
	else
		report_line(exam->report, id, ANSWER_YES, "all CPUs offer the same");
}
