/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The calls that say what runs here: version, features. They have no arguments and nothing to
 * decode.
 */
#include "arch/cpu.h"
#include "monitor/call.h"
#include "monitor/lib/string.h"
#include "monitor/monitor.h"

uint64_t call_version(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = REDOUBT_ABI_VERSION;
	memcpy(&rets[1], monitor_info()->monitor_digest, sizeof(rets[1]));
	return REDOUBT_OK;
}

uint64_t call_features(const uint64_t args[CALL_REGS], uint64_t rets[CALL_REGS])
{
	rets[0] = arch_features();
	rets[1] = arch_degraded();
	rets[2] = cpu_covered();
	return REDOUBT_OK;
}
