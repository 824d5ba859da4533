/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The normal world's second-stage map.
 *
 * At launch everything up to the top of memory, and at least 4 GiB, is mapped to itself, with the
 * types of the guest's MTRRs. Missing from it:
 *
 *   - frames that are hidden: the monitor's, the partitions', lent ones. The first touch of each
 *     2 MiB region of them is audited; a read then finds one shared, read-only frame of ones in
 *     place of all of them, a write or fetch is a fault;
 *   - registers of IOMMUs, for good: reads find the frame of ones, a write or fetch is a fault;
 *   - stage2_withheld(), for good;
 *   - the vTPM's window (tpm.h), where there is one: there stand the partition's frames, to be
 *     read, the last to be written, too;
 *   - what lies above (devices). It is mapped on demand, in the largest pages whose type is
 *     uniform, from a fixed share of the pool; when that is used up all of it is unmapped and
 *     begins anew.
 *
 * So what a guest does costs at most the tables reserved at launch: those that split every 2 MiB of
 * usable memory, TYPE_SPLITS more where MTRRs give a region several types, and DEMAND_TABLES.
 *
 * monitor_normal_stage2(), monitor_violation() and monitor_retype() are declared in arch/upcall.h.
 */
#pragma once

#include "arch/addr.h"
#include "arch/stage2.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"
#include "monitor/page_owner.h"

#define PASS_MAX 512u /* frames that change hands at once */

/* Builds the map; after page_owner_init(). false: the region has too little memory for tables. */
bool protect_init(const struct bootinfo *info);

/*
 * Hands 1 to PASS_MAX frames of the normal world's to `to`. On return, unless they are shared, no
 * CPU and, behind an IOMMU, no device of the normal world's reaches them. OK; RANGE: one is not the
 * normal world's alone, or they are not as frames_lock() wants them; NO_RESOURCE:
 * no table is left, or devices cannot be kept out. On all but OK nothing has changed. Whoever gets
 * them maps them afterwards. The map's lock is held; takes the frames', flushes.
 */
enum redoubt_status protect_part(const struct frame_set *set, struct holding to);

/*
 * Takes them back from who holds them and reaches them by `from` (NULL: by no map), at `at`: on
 * return it does not any more, on no CPU, and the normal world does. The same rules.
 */
enum redoubt_status protect_return(const struct frame_set *set, struct holding holder,
    struct stage2 *from, gpa_t at);

/*
 * In the normal world's map: shows frames that are not its own at pages where it has no memory. In
 * a partition's: a device's registers at pages where nothing is. To be called before any CPU is
 * launched. false: no table is left.
 */
bool protect_show(struct stage2 *map, gpa_t gpa, spa_t spa, uint64_t pages, unsigned prot);

/* The shared frame of ones. */
spa_t protect_ones(void);
