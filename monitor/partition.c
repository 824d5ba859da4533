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
		_Atomic enum partition_state state;
		struct stage2 map;
	} list[PARTITIONS];
} partitions;

static struct spinlock *map_lock(void)
{
	return monitor_normal_stage2()->lock;
}

bool partition_init(void)
{
	void *memory = region_reserve(MONITOR_PARTITION_TABLES);

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

unsigned partition_create(void)
{
	unsigned found = 0;

	spin_lock(map_lock());
	for (unsigned id = 1; id <= PARTITIONS && found == 0; id++)
		if (partition_state(id) == PARTITION_FREE)
			found = id;
	if (found != 0)
		partitions.list[found - 1].state = PARTITION_BUILDING;
	spin_unlock(map_lock());
	return found;
}

void partition_kill(unsigned id)
{
	spin_lock(map_lock());
	if (partition_state(id) == PARTITION_BUILDING)
		partitions.list[id - 1].state = PARTITION_DEAD;
	spin_unlock(map_lock());
}

/* One hold of the lock, so that nobody else buries it meanwhile and takes it anew. */
enum redoubt_status partition_bury(unsigned id)
{
	enum redoubt_status status = REDOUBT_STATE;

	spin_lock(map_lock());
	if (partition_state(id) == PARTITION_DEAD)
		status = share_take_apart(id) ? REDOUBT_OK : REDOUBT_BUSY;
	if (status == REDOUBT_OK)
		partitions.list[id - 1].state = PARTITION_FREE;
	spin_unlock(map_lock());
	return status;
}
