/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A monitor image that covers nothing, to see what the loader does when a CPU cannot be covered.
 * The configuration's log level chooses what goes wrong:
 *
 *   error  CPU 1 never comes back from MONITOR_CHECK
 *   warn   MONITOR_INIT refuses
 *   info   CPU 1 is launched, CPU 0 then refuses
 *   debug  every operation succeeds, but CPUID shows no monitor
 */
#include <stdbool.h>

#include "monitor/abi/bootinfo.h"
#include "monitor/abi/cpuid.h"

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu);

/* The rest is filled in by tools/build/mkimage.py. */
extern const struct monitor_image monitor_header;
__attribute__((section(".header"), used)) const struct monitor_image monitor_header = {
	.vendor = REDOUBT_VENDOR_VMX,
	.fixed_pages = 16,
	.pages_per_cpu = 1,
};

/* Both the pointer and what it points to are relocated data; a wrong place would show at once. */
static const uint64_t launch_ok = LAUNCH_OK;
static const uint64_t *volatile answer = &launch_ok;

static _Noreturn void hang(void)
{
	for (;;)
		__builtin_ia32_pause();
}

uint64_t monitor_entry(uint64_t op, const struct bootinfo *info, uint64_t cpu)
{
	if (info->log_level == LOG_ERROR && op == MONITOR_CHECK && cpu == 1)
		hang();
	if (info->log_level == LOG_WARN && op == MONITOR_INIT)
		return LAUNCH_BAD_REGION;
	if (info->log_level == LOG_INFO && op == MONITOR_LAUNCH && cpu == 0)
		return LAUNCH_WRONG_STATE;
	return *answer;
}
