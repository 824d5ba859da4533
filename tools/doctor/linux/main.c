/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * doctor on Linux: what this machine offers Redoubt. README.md says what it prints.
 */
#include <stdio.h>
#include <string.h>

#include "tools/doctor/doctor.h"
#include "tools/doctor/linux/host.h"
#include "tools/doctor/linux/json.h"
#include "tools/doctor/linux/source.h"

/* For programs that choose an engine: one line, and the exit status. */
static int only_kvm(void)
{
	struct kvm_report report;

	kvm_try(&report);
	printf("%s %s\n", kvm_word(report.state),
	    report.vendor == REDOUBT_VENDOR_VMX	      ? "vmx"
		: report.vendor == REDOUBT_VENDOR_SVM ? "svm"
						      : "-");
	if (report.step)
		fprintf(stderr, "doctor: /dev/kvm: %s%s%s\n", report.step, report.error ? ": " : "",
		    report.error ? strerror(report.error) : "");
	return report.state == KVM_STATE_NESTED ? 0 : 1;
}

static int usage(void)
{
	fputs("usage: doctor [--json | --kvm]\n"
	      "  says what this machine offers Redoubt; as root it can read more\n"
	      "  --json  the same for programs\n"
	      "  --kvm   tries /dev/kvm alone; prints absent, no-access, broken, plain or nested,\n"
	      "          and what its guests are offered: vmx, svm or -; exit status 0 if nested\n"
	      "exit status: 0 Redoubt can cover this machine, 1 it cannot, 2 could not tell\n",
	    stderr);
	return 2;
}

static void put(void *context, const char *text)
{
	fputs(text, context);
}

static int examine(bool json)
{
	static const int statuses[] = { [ANSWER_YES] = 0, [ANSWER_NO] = 1, [ANSWER_UNKNOWN] = 2 };
	static struct report report;
	const struct printer printer = { put, stdout, "\n" };
	const struct source *source = linux_source();
	const char *engine;

	if (!source) {
		fputs("doctor: the system does not say on which CPUs this may run\n", stderr);
		return 2;
	}
	doctor_examine(source, &report);
	engine = host_examine(source, &report);
	doctor_finish(&report,
	    "Firmware has the last word: run doctor.efi on it, which sees more and changes "
	    "nothing.");
	if (json)
		print_json(&report, engine);
	else
		doctor_print(&report, &printer);
	return fflush(stdout) ? 2 : statuses[report_verdict(&report)];
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return examine(false);
	if (argc == 2 && !strcmp(argv[1], "--json"))
		return examine(true);
	if (argc == 2 && !strcmp(argv[1], "--kvm"))
		return only_kvm();
	return usage();
}
