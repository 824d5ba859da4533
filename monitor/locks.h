/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The order of locks. A CPU that holds one takes only those further down; one of each kind at a
 * time, but frame locks, of which it may take several in ascending order of address.
 *
 *   1. stage2.lock  (protect.c)     second-stage tables, their pool, and what is mapped where
 *   2. memtype.lock (arch/x86/memtype.c) the guest's MTRRs as its CPUs last agreed
 *   3. frame lock   (page_owner.c)  a bit in a descriptor: the frame's state, references, bytes
 *   -  write_lock   (arch/x86/io.c), ioapic_lock (arch/x86/svm/device.c): two writes to a device
 *                   that belong together; holds no other
 *   4. audit lock   (audit.c)       the ring of audited events
 *   5. log lock     (log.c)         the log ring and the consoles
 *
 * cpu_flush_all() may be called with any of them held: a waiter is in root mode and counts as
 * flushed. The exit fast path (CPUID, null call) takes none. The panic path takes none: it runs
 * when every other CPU has stopped, and reads what it finds.
 */
#ifndef MONITOR_LOCKS_H
#define MONITOR_LOCKS_H

#include "arch/lock.h"

#endif
