/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The only door from root mode to memory that is not its own (I13): one frame at a time, in a slot
 * that the running CPU alone maps. monitor/guest_mem.c is the only caller.
 *
 * And the monitor's own memory: handed out at MONITOR_INIT from the region, never given back.
 */
#pragma once

#include <stddef.h>

#include "arch/addr.h"

enum slot_access { SLOT_READ, SLOT_WRITE };

/*
 * Maps a frame into this CPU's slot. The address is valid until slot_unmap(); a second slot_map()
 * before that is a CHECK. The frame is 4 KiB aligned and the caller has checked that it is not the
 * monitor's.
 */
void *slot_map(spa_t frame, enum slot_access access);
void slot_unmap(void);

/*
 * Hands out `pages` zeroed contiguous frames of the region, or NULL when there are no more. Only
 * during MONITOR_INIT. The result is mapped, readable and writable.
 */
void *region_alloc(size_t pages);

/* The same, with whatever stands in them: for what is large and may never be used. */
void *region_reserve(size_t pages);

/*
 * Copies the secrets of the loader's block (entropy, root key) to start_info(), which had none
 * until now: they are in no memory of the monitor's before devices are kept out of it. Once, during
 * MONITOR_INIT.
 */
void arch_take_secrets(void);

/*
 * The system physical address of the monitor's own memory, and back. The frame for the panic record
 * (bootinfo.record_base) is mapped like it, for good.
 */
spa_t region_spa(const void *own);
void *region_ptr(spa_t spa);
