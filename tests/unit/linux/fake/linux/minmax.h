/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Of two values of one type. */
#ifndef REDOUBT_FAKE_LINUX_MINMAX_H
#define REDOUBT_FAKE_LINUX_MINMAX_H

#define min(a, b) ((a) < (b) ? (a) : (b))

#endif
