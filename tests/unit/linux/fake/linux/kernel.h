/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Nothing of it is needed. */
#ifndef REDOUBT_FAKE_LINUX_KERNEL_H
#define REDOUBT_FAKE_LINUX_KERNEL_H

#include "tests/unit/linux/fake/linux/types.h"

#endif
