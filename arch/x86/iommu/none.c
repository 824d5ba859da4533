/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * No IOMMU driver: devices see all memory, and the claims say `dma=unprotected`.
 */
#include "arch/iommu.h"

bool dma_block(spa_t spa, uint64_t frames)
{
	return true;
}

void dma_allow(spa_t spa, uint64_t frames)
{
}

void dma_sync(void)
{
}

bool dma_protected(void)
{
	return false;
}
