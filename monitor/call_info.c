/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls that say what runs here: version, features. They have no arguments and nothing to
 * decode.
 */
#include "arch/cpu.h"
#include "arch/iommu.h"
#include "arch/upcall.h"
#include "monitor/abi/cpuid.h"
#include "monitor/call.h"
#include "monitor/monitor.h"

uint64_t call_version(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = REDOUBT_ABI_VERSION;
	__builtin_memcpy(&rets[1], monitor_info()->monitor_digest, sizeof(rets[1]));
	return REDOUBT_OK;
}

uint32_t monitor_features(void)
{
	return arch_features();
}

/* Kernel code is not locked and keys have no root yet, whatever the machine. */
uint32_t monitor_degraded(void)
{
	uint32_t degraded = arch_degraded() | REDOUBT_DEGRADED_UNLOCKED | REDOUBT_DEGRADED_UNROOTED;

	if (!dma_protected())
		degraded |= REDOUBT_DEGRADED_DMA;
	if (monitor_info()->attempts != 0)
		degraded |= REDOUBT_DEGRADED_RETRIES;
	if (test_build())
		degraded |= REDOUBT_DEGRADED_TEST;
	return degraded;
}

uint64_t call_features(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = monitor_features();
	rets[1] = monitor_degraded();
	rets[2] = cpu_covered();
	return REDOUBT_OK;
}
