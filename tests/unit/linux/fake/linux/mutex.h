/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A lock that a signal can keep one from; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_MUTEX_H
#define REDOUBT_FAKE_LINUX_MUTEX_H

#include "tests/unit/linux/fake.h"

#endif
