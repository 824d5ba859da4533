/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What must hold when the driver is compiled. */
#ifndef REDOUBT_FAKE_LINUX_BUILD_BUG_H
#define REDOUBT_FAKE_LINUX_BUILD_BUG_H

#define static_assert(condition) _Static_assert(condition, #condition)

#endif
