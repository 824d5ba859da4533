/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The C library's. */
#ifndef REDOUBT_FAKE_LINUX_STRING_H
#define REDOUBT_FAKE_LINUX_STRING_H

#include <string.h>

#endif
