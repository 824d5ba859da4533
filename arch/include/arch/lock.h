/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Spinlocks, fair by ticket. A waiter answers other CPUs' flush requests (cpu_answer()), so a lock
 * may be held across cpu_flush_all().
 */
#ifndef ARCH_LOCK_H
#define ARCH_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spinlock {
	_Atomic uint32_t next;
	_Atomic uint32_t serving;
	_Atomic uint32_t holder; /* CPU index + 1 while held; for checks */
};

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

/* Whether the running CPU holds the lock. */
bool spin_held(const struct spinlock *lock);

#endif
