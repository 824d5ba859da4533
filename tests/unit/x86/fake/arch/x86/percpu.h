/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * In front of the real one: the running CPU is the one that the test says.
 */
#ifndef TESTS_UNIT_X86_FAKE_PERCPU_H
#define TESTS_UNIT_X86_FAKE_PERCPU_H

#define this_cpu real_this_cpu
/* By its path: the name alone is this file. */
#include "../../../../../../arch/x86/percpu.h"
#undef this_cpu

struct percpu *this_cpu(void);

#endif
