/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The record of a panic: one frame that keeps its place from start to start, so that a record left
 * there before a reset can be shown after it.
 */
#ifndef BOOT_RECORD_H
#define BOOT_RECORD_H

#include "boot/efi.h"
#include "monitor/abi/bootinfo.h"

/*
 * Shows and clears every valid record of a previous run, in all frames that may hold one and are
 * usable memory; says so where CMOS RAM tells of a panic whose record is lost.
 */
void record_show(void);

/* Reserves the frame for this run's record. 0: none of the places is free. */
UINT64 record_reserve(void);

#endif
