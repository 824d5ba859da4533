/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Ticket locks. A waiter is in root mode and so counts as done for every flush (sync.h).
 */
#include "arch/lock.h"

#include "arch/cpu.h"
#include "arch/upcall.h"

void spin_lock(struct spinlock *lock)
{
	uint32_t ticket;

	CHECK(!spin_held(lock));
	test_lock(lock->rank, 0, true);
	ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
		cpu_pause();
	atomic_store_explicit(&lock->holder, cpu_index() + 1, memory_order_relaxed);
}

void spin_unlock(struct spinlock *lock)
{
	CHECK(spin_held(lock));
	test_lock(lock->rank, 0, false);
	atomic_store_explicit(&lock->holder, 0, memory_order_relaxed);
	atomic_store_explicit(&lock->serving,
	    atomic_load_explicit(&lock->serving, memory_order_relaxed) + 1, memory_order_release);
}

bool spin_held(const struct spinlock *lock)
{
	return atomic_load_explicit(&lock->holder, memory_order_relaxed) == cpu_index() + 1;
}
