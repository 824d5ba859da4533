/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What all of it includes. */
#ifndef REDOUBT_FAKE_LINUX_KERNEL_H
#define REDOUBT_FAKE_LINUX_KERNEL_H

#include "tests/unit/linux/fake/linux/minmax.h"
#include "tests/unit/linux/fake/linux/types.h"

#endif
