/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Checks the order in which each CPU takes locks (arch/lock.h).
 */
#include "arch/cpu.h"
#include "arch/upcall.h"

/* What one CPU holds; only it changes it. */
static struct {
	uint32_t count[LOCK_RANKS];
	uint64_t frame; /* the last frame that it locked */
} held[BOOTINFO_MAX_CPUS];

static void taken_now(enum lock_rank rank, uint64_t which)
{
	unsigned cpu = cpu_index();

	CHECK(rank != 0 && rank < LOCK_RANKS);
	for (unsigned above = rank + 1; above < LOCK_RANKS; above++)
		CHECK(held[cpu].count[above] == 0);
	CHECK(held[cpu].count[rank] == 0 || (rank == LOCK_FRAME && which > held[cpu].frame));
	held[cpu].count[rank]++;
	if (rank == LOCK_FRAME)
		held[cpu].frame = which;
}

void test_lock(enum lock_rank rank, uint64_t which, bool taken)
{
	unsigned cpu = cpu_index();

	if (taken) {
		taken_now(rank, which);
		return;
	}
	CHECK(held[cpu].count[rank] > 0);
	held[cpu].count[rank]--;
}
