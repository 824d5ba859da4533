/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The fake kernel; see fake.h. */
#include "tests/unit/linux/fake.h"

#include <assert.h>
#include <string.h>

struct fake_kernel fake_kernel;

void mutex_lock(struct mutex *mutex)
{
	assert(!mutex->held && !fake_kernel.held);
	mutex->held = 1;
}

int mutex_lock_interruptible(struct mutex *mutex)
{
	if (fake_kernel.lock_interrupted)
		return -1;
	mutex_lock(mutex);
	return 0;
}

void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->held);
	mutex->held = 0;
}

int fatal_signal_pending(int task)
{
	return fake_kernel.fatal_at && fake_kernel.rescheduled >= fake_kernel.fatal_at;
}

void cond_resched(void)
{
	assert(!fake_kernel.held);
	fake_kernel.rescheduled++;
}

void msleep(unsigned int milliseconds)
{
	assert(!fake_kernel.held);
	if (fake_kernel.naps < sizeof(fake_kernel.nap) / sizeof(fake_kernel.nap[0]))
		fake_kernel.nap[fake_kernel.naps] = milliseconds;
	fake_kernel.slept += milliseconds;
	fake_kernel.naps++;
	if (fake_kernel.on_nap)
		fake_kernel.on_nap();
}

unsigned long msleep_interruptible(unsigned int milliseconds)
{
	msleep(milliseconds);
	return fake_kernel.naps == fake_kernel.signal_at;
}

void preempt_disable(void)
{
	fake_kernel.held++;
}

void preempt_enable(void)
{
	assert(fake_kernel.held);
	fake_kernel.held--;
}

void *memremap(uint64_t address, size_t bytes, unsigned long flags)
{
	assert(flags == MEMREMAP_WB && !fake_kernel.held);
	if (!fake_kernel.memory)
		return NULL;
	fake_kernel.mapped++;
	fake_kernel.mapped_at = address;
	fake_kernel.mapped_bytes = bytes;
	return fake_kernel.memory;
}

void memunmap(void *address)
{
	assert(fake_kernel.mapped && address == fake_kernel.memory);
	fake_kernel.mapped--;
}

void *u64_to_user_ptr(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long count)
{
	assert(!fake_kernel.held);
	if (fake_kernel.bad_buffer)
		return count;
	memcpy(to, from, count);
	return 0;
}
