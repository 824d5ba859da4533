/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * How much memory the loader reserves for the monitor. Whether it is enough the monitor finds out
 * by itself.
 */
#pragma once

#include "monitor/abi/bootinfo.h"

/*
 * Pages that the region must have for an image and a machine.
 *
 * frames  sum of bootinfo_range.pages
 * top     first address behind the last range
 */
static inline uint64_t monitor_region_pages(const struct monitor_image *image, uint64_t cpus,
    uint64_t frames, uint64_t ranges, uint64_t top)
{
	uint64_t owners = (frames * 4 + 4095) >> 12;

	return (image->load_size >> 12) + image->fixed_pages + cpus * image->pages_per_cpu +
	    owners + monitor_stage2_pages(frames, ranges, top) + MONITOR_PARTITION_TABLES;
}

/* Pages more that it must have for IOMMUs, of which there are bootinfo.iommu_count. */
static inline uint64_t monitor_iommu_pages(uint64_t iommus, uint64_t frames, uint64_t ranges,
    uint64_t top)
{
	if (iommus == 0)
		return 0;
	/* Each unit's registers may want two tables of either map. */
	return iommus * (MONITOR_IOMMU_PAGES + 4) + MONITOR_DEVICE_PAGES +
	    monitor_stage2_pages(frames, ranges, top);
}
