/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * dma.c, whose state a test must be able to begin anew. Writes to registers pass through
 * fake_iommu.c, which is told of them before they are seen.
 */
#include "fake_iommu.h"

#define iommu_write fake_write_through
#include "arch/x86/iommu/dma.c"
#undef iommu_write

void fake_forget_drivers(void)
{
	memset(&dma, 0, sizeof(dma));
	fake_forget_driver();
}
