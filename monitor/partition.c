/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions (partition.h).
 */
#include "monitor/partition.h"

#include "arch/frame.h"
#include "arch/upcall.h"
#include "monitor/share.h"

/* The map's lock guards all of it. */
static struct {
	struct stage2_pool pool;
	struct {
		enum partition_state state;
		struct stage2 map;
	} list[PARTITIONS];
} partitions;

static struct spinlock *map_lock(void)
{
	return monitor_normal_stage2()->lock;
}

bool partition_init(void)
{
	void *memory = region_alloc(MONITOR_PARTITION_TABLES);

	if (!memory)
		return false;
	stage2_pool_init(&partitions.pool, memory, MONITOR_PARTITION_TABLES);
	for (unsigned i = 0; i < PARTITIONS; i++) {
		partitions.list[i].state = PARTITION_FREE;
		CHECK(stage2_init(&partitions.list[i].map, &partitions.pool, map_lock()));
	}
	return true;
}

enum partition_state partition_state(unsigned id)
{
	return id != 0 && id <= PARTITIONS ? partitions.list[id - 1].state : PARTITION_FREE;
}

struct stage2 *partition_map(unsigned id)
{
	CHECK(id != 0 && id <= PARTITIONS);
	return &partitions.list[id - 1].map;
}

/* Changes the state of the first one, of `id` if it is not 0, that is in the state expected. */
static unsigned change(unsigned id, enum partition_state from, enum partition_state to)
{
	unsigned found = 0;

	spin_lock(map_lock());
	for (unsigned i = 1; i <= PARTITIONS && found == 0; i++)
		if ((id == 0 || id == i) && partition_state(i) == from)
			found = i;
	if (found != 0)
		partitions.list[found - 1].state = to;
	spin_unlock(map_lock());
	return found;
}

unsigned partition_create(void)
{
	return change(0, PARTITION_FREE, PARTITION_BUILDING);
}

void partition_kill(unsigned id)
{
	change(id, PARTITION_BUILDING, PARTITION_DEAD);
}

bool partition_bury(unsigned id)
{
	if (partition_state(id) != PARTITION_DEAD || share_take_apart(id))
		return false;
	return change(id, PARTITION_DEAD, PARTITION_FREE) != 0;
}
