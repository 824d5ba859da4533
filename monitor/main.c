/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The start of the monitor's neutral part.
 */
#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/keys.h"
#include "monitor/page_owner.h"
#include "monitor/partition.h"
#include "monitor/protect.h"

static enum launch_status too_small(void)
{
	klog(LOG_ERROR, "the memory reserved for the monitor is too small");
	return LAUNCH_BAD_REGION;
}

enum launch_status monitor_init(struct bootinfo *info)
{
	klog(LOG_INFO, "monitor at %lx, %lu KiB, %u CPUs, %u ranges of memory", info->region_base,
	    info->region_pages * 4, info->cpu_count, info->range_count);
	if (!page_owner_init(info) || !protect_init(info))
		return too_small();
	arch_take_secrets();
	keys_init(info);
	if (!partition_init(info))
		return too_small();
	klog(LOG_INFO, "%lu MiB of memory", page_owner_frames() >> 8);
	return LAUNCH_OK;
}
