/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * One check: what it is given, and when it is made. The table of them is in doctor.c.
 */
#ifndef TOOLS_DOCTOR_CHECK_H
#define TOOLS_DOCTOR_CHECK_H

#include "tools/doctor/cpu.h"
#include "tools/doctor/report.h"

struct exam {
	const struct source *source;
	struct report *report;
	struct cpu cpu; /* the first one */
};

enum when { ALWAYS, WITH_VIRTUALIZATION, WITH_VMX, WITH_SVM };

struct check {
	const char *id; /* of its line */
	enum when when;
	void (*run)(const struct exam *exam, const char *id);
};

/* A line that says that something could not be read, and why. */
struct line *say_hidden(const struct exam *exam, const char *id, const char *what);

/* The same for what decides whether the machine can be covered. */
void say_doubt(const struct exam *exam, const char *id, const char *what);

/* check_cpu.c */
void check_machine(const struct exam *exam, const char *id);
void check_hypervisor(const struct exam *exam, const char *id);
void check_virtualization(const struct exam *exam, const char *id);
void check_lock(const struct exam *exam, const char *id);
void check_stage2(const struct exam *exam, const char *id);
void check_real_mode(const struct exam *exam, const char *id);
void check_controls(const struct exam *exam, const char *id);
void check_tags(const struct exam *exam, const char *id);
void check_mbec(const struct exam *exam, const char *id);
void check_instructions(const struct exam *exam, const char *id);
void check_assists(const struct exam *exam, const char *id);
void check_init(const struct exam *exam, const char *id);
void check_siblings(const struct exam *exam, const char *id);
void check_flaws(const struct exam *exam, const char *id);
void check_same(const struct exam *exam, const char *id);

/* check_platform.c */
void check_firmware(const struct exam *exam, const char *id);
void check_firmware_state(const struct exam *exam, const char *id);
void check_secure_boot(const struct exam *exam, const char *id);
void check_processors(const struct exam *exam, const char *id);
void check_madt(const struct exam *exam, const char *id);
void check_iommu(const struct exam *exam, const char *id);
void check_remapping(const struct exam *exam, const char *id);
void check_tpm(const struct exam *exam, const char *id);
void check_sleep(const struct exam *exam, const char *id);

#endif
