/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent */
/* What monitor/abi asks of the C library, from the kernel. */
#ifndef REDOUBT_DRIVER_STDINT_H
#define REDOUBT_DRIVER_STDINT_H

#include <linux/types.h>

#endif
