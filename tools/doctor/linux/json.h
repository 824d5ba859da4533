/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The report for programs.
 */
#ifndef TOOLS_DOCTOR_LINUX_JSON_H
#define TOOLS_DOCTOR_LINUX_JSON_H

#include "tools/doctor/report.h"

/* {"verdict", "reason", "engine", "claims": [], "lines": [{"id", "answer", "text"}]} on stdout. */
void print_json(const struct report *report, const char *engine);

#endif
