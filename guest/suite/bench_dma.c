/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What an IOMMU takes part in: memory that changes hands, and a disk at work. The lines are for
 * tests/bench/dma.py, which counts the exits between them.
 */
#include "guest/lib/memory.h"
#include "guest/lib/text.h"
#include "guest/suite/bench.h"
#include "guest/suite/device.h"
#include "guest/suite/suite.h"

#define TRANSFERS 512u /* of a page of ours to the disk and back */
#define MARK	  0xd3a00000d3a0d3a0ull

/* No interrupt tells of an end: the driver looks at the disk's registers. */
static uint64_t copy(const struct device *disk, uint64_t *page, uint64_t count)
{
	uint64_t words[DEVICE_BYTES / 8], good = 0;

	for (uint64_t i = 0; i < count; i++) {
		*page = MARK + i;
		disk->read((uint64_t)page, words);
		good += words[0] == MARK + i;
	}
	return good;
}

void suite_bench_dma(void)
{
	const struct device *disk = &device_ahci;
	uint64_t *page = pages_alloc(1), good;

	bench_donation(BENCH_LIST, "donate_2m", "reclaim_2m");
	bench_donation(1, "donate_4k", "reclaim_4k");
	disk->start();
	tap_note("bench idle");
	tap_note("bench copy");
	good = copy(disk, page, TRANSFERS);
	tap_note("bench over");
	tap(good == TRANSFERS, "bench: the disk has copied %lu of %u times", good, TRANSFERS);
}
