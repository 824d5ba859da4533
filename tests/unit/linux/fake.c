/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The fake kernel; see fake.h. */
#include "tests/unit/linux/fake.h"

#include <assert.h>
#include <string.h>

struct fake_kernel fake_kernel;

int mutex_lock_interruptible(struct mutex *mutex)
{
	if (fake_kernel.lock_interrupted)
		return -1;
	assert(!mutex->held);
	mutex->held = 1;
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
	fake_kernel.rescheduled++;
}

unsigned long msleep_interruptible(unsigned int milliseconds)
{
	if (fake_kernel.naps < sizeof(fake_kernel.nap) / sizeof(fake_kernel.nap[0]))
		fake_kernel.nap[fake_kernel.naps] = milliseconds;
	fake_kernel.slept += milliseconds;
	return ++fake_kernel.naps == fake_kernel.signal_at;
}

void *u64_to_user_ptr(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long count)
{
	if (fake_kernel.bad_buffer)
		return count;
	memcpy(to, from, count);
	return 0;
}
