/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * CPUs: which one runs, and what concerns all of them.
 *
 * CPU indices run from 0 to cpu_count() - 1 in the order of the boot information block. Nothing is
 * sized by a fixed count.
 */
#pragma once

#include <stdint.h>

#include "monitor/abi/bootinfo.h"

/* The monitor's own copy of the boot information block; all zero before MONITOR_INIT. */
const struct bootinfo *start_info(void);

/* Index of the running CPU. */
unsigned cpu_index(void);

/* CPUs listed at launch. */
unsigned cpu_count(void);

/* CPUs that run their guest under the monitor by now. */
unsigned cpu_covered(void);

/* Tells the CPU that it spins. */
void cpu_pause(void);

/* Time stamp counter of this CPU; never used for a security decision. */
uint64_t cpu_cycles(void);

/* Writes a line of the caches back to memory: for who does not look into them. */
void cpu_write_back(const void *line);

/* Stops this CPU for good. */
_Noreturn void cpu_stop(void);

/*
 * Stops every other CPU for good: the panic path's. Returns after a bounded time even if one does
 * not answer.
 */
void cpu_stop_others(void);

/*
 * On return no CPU holds a second-stage translation that was in the tables before the call began
 * (design.md, "Between CPUs"). Concurrent callers are served together. The wait is bounded and ends
 * in a CHECK. Locks: the caller holds none that a CPU in root mode may wait for with interrupts of
 * this protocol unanswered; a CPU that waits for a spinlock counts as done, so any may be held. SDM
 * 3C 29.4.3, 26.1; APM 2 15.25.7.
 */
void cpu_flush_all(void);

/*
 * Leaves the machine: resets it. (Power-off is the guest's own register write, which the caller has
 * kept back until now and performs itself.) The monitor's `machine_leaving` upcall has run before.
 */
_Noreturn void machine_reset(void);

/*
 * Keeps the first bytes of a panic record's digest where a firmware that wipes memory leaves them
 * (on x86 eight bytes of the real-time clock's CMOS RAM), so that the next start can say that there
 * was a panic, and whether a record it finds is that one's.
 */
void arch_keep_digest(const uint8_t digest[8]);

/*
 * Features and degradations of this vendor and machine: FEATURE_ and DEGRADED_ bits of abi/cpuid.h.
 */
uint32_t arch_features(void);
uint32_t arch_degraded(void);
