/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtd.c, whose state a test must be able to begin anew.
 */
#include "fake_iommu.h"

#include "arch/x86/iommu/vtd.c"

void fake_forget_driver(void)
{
	widths = WIDTH_39 | WIDTH_48;
}
