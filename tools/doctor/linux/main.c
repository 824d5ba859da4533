/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * doctor on Linux: what this machine offers Redoubt. README.md says what it prints.
 */
#include <stdio.h>
#include <string.h>

#include "tools/doctor/linux/kvm.h"

static const char *const kvm_words[] = {
	[KVM_STATE_ABSENT] = "absent",
	[KVM_STATE_NO_ACCESS] = "no-access",
	[KVM_STATE_BROKEN] = "broken",
	[KVM_STATE_PLAIN] = "plain",
	[KVM_STATE_NESTED] = "nested",
};

/* For programs that choose an engine: one line, and the exit status. */
static int only_kvm(void)
{
	struct kvm_report report;

	kvm_try(&report);
	printf("%s %s\n", kvm_words[report.state],
	    report.vendor == REDOUBT_VENDOR_VMX	      ? "vmx"
		: report.vendor == REDOUBT_VENDOR_SVM ? "svm"
						      : "-");
	if (report.step)
		fprintf(stderr, "doctor: /dev/kvm: %s%s%s\n", report.step,
		    report.error ? ": " : "", report.error ? strerror(report.error) : "");
	return report.state == KVM_STATE_NESTED ? 0 : 1;
}

static int usage(void)
{
	fputs("usage: doctor --kvm\n"
	      "  --kvm   tries /dev/kvm alone; prints absent, no-access, broken, plain or nested,\n"
	      "          and what its guests are offered: vmx, svm or -; exit status 0 if nested\n",
	    stderr);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--kvm"))
		return only_kvm();
	return usage();
}
