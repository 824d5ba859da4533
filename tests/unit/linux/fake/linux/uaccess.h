/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The caller's memory; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_UACCESS_H
#define REDOUBT_FAKE_LINUX_UACCESS_H

#include "tests/unit/linux/fake.h"

#endif
