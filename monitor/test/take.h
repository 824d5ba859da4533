/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Frames taken from the normal world for the monitor, and given back; references: for tests.
 */
#ifndef MONITOR_TEST_TAKE_H
#define MONITOR_TEST_TAKE_H

#include <stdbool.h>

#include "monitor/page_owner.h"

/* protect_part() and protect_return() for the monitor, OK or not; they take the map's lock. */
bool protect_take(spa_t spa, uint64_t pages);
bool protect_give(spa_t spa, uint64_t pages);

/*
 * References of a locked frame. frame_get(): false, it has FRAME_REFS_MAX. frame_put(): it has one.
 */
bool frame_get(struct frame *frame);
void frame_put(struct frame *frame);

#endif
