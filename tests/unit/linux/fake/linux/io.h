/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Mappings; see fake.h. */
#ifndef REDOUBT_FAKE_LINUX_IO_H
#define REDOUBT_FAKE_LINUX_IO_H

#include "tests/unit/linux/fake.h"

#endif
