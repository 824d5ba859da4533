/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Secure partitions: their second-stage maps and what state each is in.
 */
#ifndef MONITOR_PARTITION_H
#define MONITOR_PARTITION_H

#include <stdbool.h>

#include "arch/stage2.h"

/* Ids run from 1. */
#define PARTITIONS 16u

/* FREE -> BUILDING -> DEAD -> FREE. */
enum partition_state {
	PARTITION_FREE,
	PARTITION_BUILDING, /* is given memory, does not run yet */
	PARTITION_DEAD	    /* runs no more; its memory goes back */
};

/* Makes the maps; after protect_init(). false: the region is too small. */
bool partition_init(void);

/* Takes a free one. 0: there is none. */
unsigned partition_create(void);

/* Ends it: it is DEAD then. Its memory is given back by partition_bury(). */
void partition_kill(unsigned id);

/* Gives back one grant of a dead one; true when there was none left: it is FREE again. */
bool partition_bury(unsigned id);

/*
 * PARTITION_FREE for ids that do not exist. May change at once unless the map's lock is held.
 */
enum partition_state partition_state(unsigned id);

/* The map of one that exists. */
struct stage2 *partition_map(unsigned id);

#endif
