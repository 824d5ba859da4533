/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Signals and the scheduler; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_SCHED_SIGNAL_H
#define REDOUBT_FAKE_LINUX_SCHED_SIGNAL_H

#include "tests/unit/linux/fake.h"
#include "tests/unit/linux/fake/linux/minmax.h"

#endif
