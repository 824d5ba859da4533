/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Frames taken from the normal world for the monitor, and given back: for tests, which have no
 * partition for them.
 */
#ifndef MONITOR_TEST_TAKE_H
#define MONITOR_TEST_TAKE_H

#include <stdbool.h>

#include "arch/addr.h"

/* protect_part() and protect_return() for the monitor, OK or not; they take the map's lock. */
bool protect_take(spa_t spa, uint64_t pages);
bool protect_give(spa_t spa, uint64_t pages);

#endif
