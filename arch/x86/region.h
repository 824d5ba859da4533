/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The region: the one block of memory that is the monitor's. The image lies at its start, the
 * private areas of the CPUs behind it (never mapped at their own addresses), then what
 * region_alloc() hands out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/addr.h"

/* Takes the region over. Under firmware's tables. false: it is too small. */
bool region_init(void);

/*
 * The frames of a CPU's private area begin with its data. Root mode maps them elsewhere. Behind
 * those of the last CPU begins what is mapped at its own address.
 */
struct percpu *region_percpu(uint32_t cpu);

/*
 * As slot_map() of arch/frame.h, for the registers of a device: uncached, read and written. Ended
 * by slot_unmap().
 */
volatile uint8_t *slot_map_device(spa_t frame);
