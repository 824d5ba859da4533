/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Addresses of different worlds are different types, so that the compiler tells them apart.
 */
#pragma once

#include <stdint.h>

#define FRAME_SHIFT 12u
#define FRAME_SIZE  4096u
#define LARGE_SHIFT 21u
#define LARGE_SIZE  (1ull << LARGE_SHIFT)
#define HUGE_SHIFT  30u
#define HUGE_SIZE   (1ull << HUGE_SHIFT)

/* A system physical address. */
typedef struct {
	uint64_t v;
} spa_t;

/* A guest physical address: what a second-stage table translates. */
typedef struct {
	uint64_t v;
} gpa_t;
