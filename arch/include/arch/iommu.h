/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Devices' view of memory. Without an IOMMU driver both are no-ops and the claims say
 * `dma=unprotected`.
 */
#pragma once

#include <stdbool.h>

#include "arch/addr.h"

/*
 * Prepare: `frames` frames from `spa` leave devices' view. false: a table could not be had; nothing
 * changed.
 */
bool dma_block(spa_t spa, uint64_t frames);

/* `frames` frames from `spa` come back into devices' view; cannot fail. */
void dma_allow(spa_t spa, uint64_t frames);

/* Commit: on return no device can reach what dma_block() took away. */
void dma_sync(void);

/* Whether a driver stands behind the two. */
bool dma_protected(void);
