/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libtpms's headers ask for it and use size_t of it.
 */
#ifndef VTPM_SYS_TYPES_H
#define VTPM_SYS_TYPES_H

#include <stddef.h>

#endif
