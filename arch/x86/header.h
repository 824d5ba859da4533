/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The image header, completed by tools/build/mkimage.py.
 */
#pragma once

#include "monitor/abi/bootinfo.h"

extern const struct monitor_image monitor_header;

/*
 * Frames beside image, private areas, tables for every frame of memory: log, root page tables,
 * bitmaps, audit ring, VPs of partitions.
 */
#define REGION_FIXED_PAGES 192u

/*
 * Frames for each CPU: the private area, VMXON and VMCS frames, root page tables, share of the
 * arrays.
 */
#define REGION_PAGES_PER_CPU 22u
