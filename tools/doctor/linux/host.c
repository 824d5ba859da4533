/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Nested virtualization and engines; see host.h.
 */
#include "tools/doctor/linux/host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor/cpu.h"
#include "tools/doctor/linux/source.h"

const char *kvm_word(enum kvm_state state)
{
	static const char *const words[] = {
		[KVM_STATE_ABSENT] = "absent",
		[KVM_STATE_NO_ACCESS] = "no-access",
		[KVM_STATE_BROKEN] = "broken",
		[KVM_STATE_PLAIN] = "plain",
		[KVM_STATE_NESTED] = "nested",
	};

	return words[state];
}

/* A line of a few words and a module's name, which stands where the text has %s. */
static void say_module(struct report *report, enum answer answer, const char *text,
    const char *module)
{
	struct line *line = report_line(report, "nested", answer, "");
	char part[REPORT_TEXT];
	const char *place;

	while ((place = strstr(text, "%s"))) {
		snprintf(part, sizeof(part), "%.*s%s", (int)(place - text), text, module);
		line_add(line, part);
		text = place + 2;
	}
	line_add(line, text);
}

static void check_nested(struct report *report, const char *module)
{
	char path[128], value[16] = "";

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/nested", module);
	if (!read_text(path, value, sizeof(value))) {
		say_module(report, ANSWER_NO,
		    "%s is not loaded. To load it so that guests get it: modprobe %s nested=1; to "
		    "keep "
		    "that: echo 'options %s nested=1' > /etc/modprobe.d/redoubt-nested.conf",
		    module);
		return;
	}
	if (value[0] == 'Y' || value[0] == '1') {
		say_module(report, ANSWER_YES, "on (%s)", module);
		return;
	}
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	if (access(path, F_OK)) {
		say_module(report, ANSWER_NO,
		    "off (%s, part of the kernel). To switch it on: kernel option %s.nested=1",
		    module);
		return;
	}
	say_module(report, ANSWER_NO,
	    "off (%s). To switch it on, with no guest running: modprobe -r %s && modprobe %s "
	    "nested=1; to keep that: echo 'options %s nested=1' > "
	    "/etc/modprobe.d/redoubt-nested.conf",
	    module);
}

static void check_kvm(struct report *report, const struct kvm_report *kvm)
{
	static const char *const texts[] = {
		[KVM_STATE_ABSENT] = "no /dev/kvm",
		[KVM_STATE_NO_ACCESS] = "/dev/kvm is not for this user (group kvm)",
		[KVM_STATE_BROKEN] = "/dev/kvm is there, but does not run an ordinary guest",
		[KVM_STATE_PLAIN] =
		    "/dev/kvm runs guests, but not such that use virtualization themselves",
		[KVM_STATE_NESTED] = "/dev/kvm runs guests that use virtualization themselves",
	};
	struct line *line = report_line(report, "kvm",
	    kvm->state == KVM_STATE_NESTED	    ? ANSWER_YES
		: kvm->state == KVM_STATE_NO_ACCESS ? ANSWER_UNKNOWN
						    : ANSWER_NO,
	    texts[kvm->state]);

	if (kvm->state >= KVM_STATE_BROKEN)
		line_add(line, " (tried)");
	if (kvm->step && kvm->state >= KVM_STATE_BROKEN) {
		line_add(line, ": ");
		line_add(line, kvm->step);
	}
	if (kvm->error && kvm->state != KVM_STATE_NO_ACCESS && kvm->state != KVM_STATE_ABSENT) {
		line_add(line, ": ");
		line_add(line, strerror(kvm->error));
	}
}

static const char *check_engine(struct report *report, const struct kvm_report *kvm)
{
	const char *vendor = kvm->vendor == REDOUBT_VENDOR_VMX ? "VT-x" : "SVM";
	struct line *line = report_line(report, "engine", ANSWER_NOTE, "make run takes ");

	if (kvm->state == KVM_STATE_NESTED) {
		line_add(line, "qemu-kvm, with this CPU's own ");
		line_add(line, vendor);
		return "qemu-kvm";
	}
	line_add(line, "qemu-tcg, which emulates SVM; with VENDOR=vmx bochs, which emulates VT-x");
	return "qemu-tcg";
}

const char *host_examine(const struct source *source, struct report *report)
{
	struct kvm_report kvm;
	struct cpu cpu;

	cpu_read(source, &cpu);
	if (!cpu.present)
		report_line(report, "nested", ANSWER_NO,
		    "there is no virtualization here to pass on; where this is a guest, switch "
		    "nested "
		    "virtualization on in its host and give it the host's CPU model");
	else
		check_nested(report, cpu.vendor == REDOUBT_VENDOR_VMX ? "kvm_intel" : "kvm_amd");
	kvm_try(&kvm);
	check_kvm(report, &kvm);
	return check_engine(report, &kvm);
}
