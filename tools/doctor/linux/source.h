/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Facts as a Linux system shows them: CPUID itself, /dev/cpu/N/msr, and files below /sys.
 */
#ifndef TOOLS_DOCTOR_LINUX_SOURCE_H
#define TOOLS_DOCTOR_LINUX_SOURCE_H

#include "tools/doctor/facts.h"

/* The one source. The process runs on one CPU from now on. NULL: the system does not say which. */
const struct source *linux_source(void);

/* A short file without its final newline; false: it cannot be read. */
bool read_text(const char *path, char *text, size_t size);

#endif
