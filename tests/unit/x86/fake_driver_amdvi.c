/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * amdvi.c, which has no state of its own.
 */
#include "fake_iommu.h"

#include "arch/x86/iommu/amdvi.c"

void fake_forget_driver(void)
{
}
