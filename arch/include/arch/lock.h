/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Spinlocks, fair by ticket. A waiter is in root mode and counts as done for other CPUs' flush
 * requests, so a lock may be held across cpu_flush_all().
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The order of locks. A CPU that holds one takes only those further down, one of each rank at a
 * time, but frame locks, of which it may take several in ascending order of address. The test build
 * checks it (monitor/test/lock_order.c).
 *
 * cpu_flush_all() may be called with any of them held: a waiter is in root mode and counts as
 * flushed. The exit fast path (CPUID, null call) takes none. The panic path takes none: it runs
 * when every other CPU has stopped, and reads what it finds.
 */
enum lock_rank {
	LOCK_MAP = 1, /* protect.c: second-stage tables, their pools, what is mapped */
	LOCK_FRAME, /* page_owner.c: a bit in a descriptor: the frame's state, references, bytes */
	LOCK_MEMTYPE, /* arch/x86/mtrr.c: the guest's MTRRs as its CPUs last agreed */
	LOCK_DEVICE,  /* arch/x86/io.c, svm/device.c: two writes to a device that belong together */
	LOCK_KEYS,    /* keys.c: the pool of random numbers */
	LOCK_AUDIT,   /* audit.c: the ring of audited events */
	LOCK_LOG,     /* log.c: the log ring and the consoles */
	LOCK_RANKS
};

struct spinlock {
	enum lock_rank rank;
	_Atomic uint32_t next;
	_Atomic uint32_t serving;
	_Atomic uint32_t holder; /* CPU index + 1 while held; for checks */
};

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* Whether the running CPU holds the lock. */
bool spin_held(const struct spinlock *lock);
