/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Arithmetic on numbers that others chose.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether [start, start + bytes) lies in [0, limit). */
static inline bool range_within(uint64_t start, uint64_t bytes, uint64_t limit)
{
	return bytes <= limit && start <= limit - bytes;
}
