/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What partitions get of the monitor's secrets: random numbers, keys to seal with, reports.
 *
 * A key is HMAC-SHA-256 by a root key over its label and over who asks: id, signer, debug flag, and
 * an SVN that the asker names, which its own is not below. The root key is that of an SVN of the
 * monitor's, which is named too. So an update of either opens what was sealed before, and an older
 * SVN never opens newer data (T56). The loader keeps the root keys and gives the monitor its own.
 *
 * A report is HMAC-SHA-256 by a key of this launch over struct redoubt_report up to its mac: it
 * tells another partition of this machine, and nobody else, who made it.
 */
#pragma once

#include "monitor/abi/bootinfo.h"

/* Moves the loader's secrets here. */
void keys_init(struct bootinfo *info);

/* Scrubs them all; the machine is about to end. */
void keys_leave(void);
