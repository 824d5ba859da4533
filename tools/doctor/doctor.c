/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The table of checks, and the verdict.
 */
#include "tools/doctor/doctor.h"

#include "monitor/abi/cpuid.h"
#include "tools/doctor/check.h"

static const struct check checks[] = {
	{ "machine", ALWAYS, check_machine },
	{ "hypervisor", ALWAYS, check_hypervisor },
	{ "virtualization", ALWAYS, check_virtualization },
	{ "lock", WITH_VIRTUALIZATION, check_lock },
	{ "stage2", WITH_VIRTUALIZATION, check_stage2 },
	{ "real-mode", WITH_VIRTUALIZATION, check_real_mode },
	{ "controls", WITH_VMX, check_controls },
	{ "tags", WITH_VIRTUALIZATION, check_tags },
	{ "mbec", WITH_VIRTUALIZATION, check_mbec },
	{ "instructions", WITH_VMX, check_instructions },
	{ "assists", WITH_SVM, check_assists },
	{ "init", WITH_SVM, check_init },
	{ "same-cpus", WITH_VIRTUALIZATION, check_same },
	{ "siblings", ALWAYS, check_siblings },
	{ "flaws", WITH_VMX, check_flaws },
	{ "firmware", ALWAYS, check_firmware },
	{ "firmware-state", ALWAYS, check_firmware_state },
	{ "secure-boot", ALWAYS, check_secure_boot },
	{ "cpus", ALWAYS, check_madt },
	{ "processors", ALWAYS, check_processors },
	{ "iommu", ALWAYS, check_iommu },
	{ "remapping", ALWAYS, check_remapping },
	{ "tpm", ALWAYS, check_tpm },
	{ "sleep", ALWAYS, check_sleep },
};

/* What the monitor does not protect on any machine yet; the checks add what depends on this one. */
#define CLAIMS_ALWAYS                                                                              \
	(REDOUBT_DEGRADED_DMA | REDOUBT_DEGRADED_UNLOCKED | REDOUBT_DEGRADED_UNROOTED |            \
	    REDOUBT_DEGRADED_SMM | REDOUBT_DEGRADED_MICROCODE)

struct line *say_hidden(const struct exam *exam, const char *id, const char *what)
{
	struct line *line = report_line(exam->report, id, ANSWER_UNKNOWN, what);

	line_add(line, ": ");
	line_add(line, exam->source->hidden);
	return line;
}

void say_doubt(const struct exam *exam, const char *id, const char *what)
{
	say_hidden(exam, id, what);
	exam->report->doubts++;
}

static bool applies(const struct check *check, const struct cpu *cpu)
{
	switch (check->when) {
	case ALWAYS:
		return true;
	case WITH_VIRTUALIZATION:
		return cpu->present;
	case WITH_VMX:
		return cpu->present && cpu->vendor == REDOUBT_VENDOR_VMX;
	case WITH_SVM:
		return cpu->present && cpu->vendor == REDOUBT_VENDOR_SVM;
	}
	return false;
}

void doctor_examine(const struct source *source, struct report *report)
{
	struct exam exam = { .source = source, .report = report };

	report->count = 0;
	report->claims = CLAIMS_ALWAYS;
	report->refusal = LAUNCH_OK;
	report->obstacle = NULL;
	report->doubts = 0;
	cpu_read(source, &exam.cpu);
	for (unsigned i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (applies(&checks[i], &exam.cpu))
			checks[i].run(&exam, checks[i].id);
	report_refuse(report, cpu_judge(&exam.cpu));
}

const char *doctor_claim(const struct report *report, unsigned i)
{
	static const struct {
		uint32_t bit;
		const char *claim;
	} claims[] = {
#define ROW(name, bit, claim, sentence) { 1u << (bit), claim },
		REDOUBT_DEGRADED(ROW)
#undef ROW
	};

	for (unsigned row = 0; row < sizeof(claims) / sizeof(claims[0]); row++)
		if (report->claims & claims[row].bit && i-- == 0)
			return claims[row].claim;
	return NULL;
}

void doctor_finish(struct report *report, const char *more)
{
	enum answer verdict = report_verdict(report);
	struct line *line;
	const char *claim;

	line = report_line(report, "claims", ANSWER_NOTE,
	    verdict == ANSWER_NO ? "were it covered, Redoubt would show"
				 : "above Redoubt it would show");
	for (unsigned i = 0; (claim = doctor_claim(report, i)); i++) {
		line_add(line, i ? ", " : " ");
		line_add(line, claim);
	}
	line = report_line(report, "verdict", verdict,
	    verdict == ANSWER_YES      ? "Redoubt can cover this machine."
		: verdict == ANSWER_NO ? "Redoubt cannot cover this machine: "
				       : "Nothing speaks against it, but not all could be read.");
	if (report->refusal != LAUNCH_OK)
		line_add(line, launch_sentence(report->refusal));
	else if (report->obstacle)
		line_add(line, report->obstacle);
	if (verdict != ANSWER_NO && *more) {
		line_add(line, " ");
		line_add(line, more);
	}
}
