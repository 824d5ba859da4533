/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The normal world's second-stage map.
 *
 * At launch everything up to the top of memory, and at least 4 GiB, is mapped to itself, with the
 * types of the guest's MTRRs. Missing from it:
 *
 *   - frames of the monitor's. The first touch of each 2 MiB region of them is audited; a read
 *     then finds one shared, read-only frame of ones in place of all of them, a write or fetch is a
 *     fault;
 *   - stage2_withheld(), for good;
 *   - what lies above (devices). It is mapped on demand, in the largest pages whose type is
 *     uniform, from a fixed share of the pool; when that is used up all of it is unmapped and
 *     begins anew.
 *
 * So what a guest does costs at most the tables reserved at launch: those that split every 2 MiB of
 * usable memory, and DEMAND_TABLES. A 2 MiB region without usable memory is never split: where
 * MTRRs give it several types it is UC, which is right for every device, if slow.
 *
 * monitor_normal_stage2(), monitor_violation() and monitor_retype() are declared in arch/upcall.h.
 */
#ifndef MONITOR_PROTECT_H
#define MONITOR_PROTECT_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"
#include "monitor/abi/bootinfo.h"

#define DEMAND_TABLES 48u  /* of the spare tables that monitor_stage2_pages() counts */
#define PASS_MAX      512u /* frames that change hands at once */

/* Builds the map; after page_owner_init(). false: the region has too little memory for tables. */
bool protect_init(const struct bootinfo *info);

/*
 * Takes `pages` frames, 1 to PASS_MAX, from the normal world for the monitor: on return no CPU and,
 * behind an IOMMU, no device reaches them, and they are zero. false: one is not the normal world's
 * or is referenced, or there is no table left; nothing has changed then. Takes the stage2 and the
 * frames' locks, flushes.
 */
bool protect_take(spa_t spa, uint64_t pages);

/* Gives frames taken by protect_take() back, zeroed. The same rules. */
bool protect_give(spa_t spa, uint64_t pages);

/* Where the map of all memory ends and demand begins. Multiple of 1 GiB. */
uint64_t protect_identity_end(void);

/* The shared frame of ones. */
spa_t protect_ones(void);

#endif
