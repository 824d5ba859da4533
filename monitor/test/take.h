/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Frames taken from the normal world, and given back: for tests.
 */
#pragma once

#include <stdbool.h>

#include "monitor/page_owner.h"

/* How they are held meanwhile: as if by a partition of a number that none has. */
#define FRAMES_TAKEN ((struct holding){ FRAME_PARTITION, 0xff })

/* protect_part() and protect_return() for 1 to PASS_MAX, OK or not; they take the map's lock. */
bool protect_take(spa_t spa, uint64_t pages);
bool protect_give(spa_t spa, uint64_t pages);
