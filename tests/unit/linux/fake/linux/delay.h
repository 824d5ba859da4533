/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Sleeping; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_DELAY_H
#define REDOUBT_FAKE_LINUX_DELAY_H

#include "tests/unit/linux/fake.h"

#endif
