/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What only a running Linux can tell: nested virtualization, /dev/kvm, and which engine `make run`
 * takes.
 */
#ifndef TOOLS_DOCTOR_LINUX_HOST_H
#define TOOLS_DOCTOR_LINUX_HOST_H

#include "tools/doctor/facts.h"
#include "tools/doctor/linux/kvm.h"
#include "tools/doctor/report.h"

/* Adds the lines; returns the engine's name as tests/emu has it. */
const char *host_examine(const struct source *source, struct report *report);

/* absent, no-access, broken, plain, nested */
const char *kvm_word(enum kvm_state state);

#endif
