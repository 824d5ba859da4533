/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Root mode's own page tables: the image by segment (text RX, rodata R, data RW), the heap RW, each
 * at its own address and shared by all CPUs; and the private area of each CPU. Nothing else is
 * mapped (I13) but the local APIC's registers, and nothing is writable and executable (I2). SDM 3A
 * 4.5.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/layout.h"

#define PTE_NX	    (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/*
 * Builds the tables of all CPUs; sets `cr3` and `slot_entry` of each one's struct percpu. Under
 * firmware's tables, during MONITOR_INIT. false: the region is too small.
 */
bool mmu_init(uint32_t cpu_count);
