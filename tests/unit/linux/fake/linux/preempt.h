/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Whether others may run on this CPU; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_PREEMPT_H
#define REDOUBT_FAKE_LINUX_PREEMPT_H

#include "tests/unit/linux/fake.h"

#endif
