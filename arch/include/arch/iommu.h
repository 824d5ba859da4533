/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Devices' view of memory: one table for all of them, which leads every address of the normal
 * world's to itself and the others nowhere. Without a driver all of this is a no-op and the claims
 * say `dma=unprotected`.
 *
 * What takes frames wants the lock of the normal world's map held, which guards the table;
 * dma_init() and dma_end() come before anybody else could want it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "arch/addr.h"
#include "arch/stage2.h"

/*
 * During MONITOR_INIT: takes over the units that the loader found. From here on devices reach
 * addresses below `top`, a multiple of 4 KiB, but neither the monitor's region nor its record nor
 * the units' registers; a unit that was on goes by firmware's table until then. `pages`: of tables
 * that map all of it, split to the last frame. false: the region is too small. Where a unit cannot
 * be used dma_protected() is false, none is used, and the log says why.
 */
bool dma_init(uint64_t top, size_t pages);

/* The launch is given up: the units are off; false: one does not obey. */
bool dma_end(void);

/*
 * Prepare: `frames` frames from `spa` leave devices' view. false: a table could not be had; nothing
 * changed.
 */
bool dma_block(spa_t spa, uint64_t frames);

/* `frames` frames from `spa` come back into devices' view; cannot fail. dma_sync() follows. */
void dma_allow(spa_t spa, uint64_t frames);

/* Commit: on return no device can reach what dma_block() took away. Bounded; ends in a CHECK. */
void dma_sync(void);

/* Audits what devices were refused since the last time. Takes that lock. */
void dma_report(void);

/* The table; NULL: devices reach everything. */
const struct stage2 *dma_map(void);

/* Whether every device that firmware's tables know of is kept to the table. */
bool dma_protected(void);

/* Whether those tables leave devices to no unit. */
bool dma_listed(void);
