/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* As much of the kernel as redoubt.ko's requests and reads use, and what tests see of it. */
#ifndef REDOUBT_TESTS_UNIT_LINUX_FAKE_H
#define REDOUBT_TESTS_UNIT_LINUX_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attribute_group;

struct mutex {
	int held;
};

#define DEFINE_MUTEX(name) struct mutex name = { 0 }
#define READ_ONCE(word)	   (*(const volatile __typeof__(word) *)&(word))
#define MEMREMAP_WB	   1ul

/* What happened, and what is to happen. */
struct fake_kernel {
	unsigned int rescheduled;
	unsigned int slept;   /* milliseconds */
	unsigned int naps;    /* calls that slept */
	unsigned int nap[16]; /* how long each of the first was */
	unsigned int
	    fatal_at; /* a fatal signal is there once this many reschedulings were; 0: never */
	unsigned int signal_at; /* a signal ends this nap; 0: none */
	void (*on_nap)(void);	/* what else happens meanwhile */
	unsigned int held;	/* preempt_disable() without its end */
	unsigned int mapped;	/* mappings there are */
	uint64_t mapped_at;	/* the last one's address and bytes */
	size_t mapped_bytes;
	void *memory; /* what is there; NULL: it cannot be mapped */
	bool lock_interrupted;
	bool bad_buffer;
};
extern struct fake_kernel fake_kernel;

#define current 0
int mutex_lock_interruptible(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
int fatal_signal_pending(int task);
void cond_resched(void);
/* Milliseconds left: not zero if a signal came. */
unsigned long msleep_interruptible(unsigned int milliseconds);
void msleep(unsigned int milliseconds);
/* Nothing that may sleep is to be called in between. */
void preempt_disable(void);
void preempt_enable(void);
void *memremap(uint64_t address, size_t bytes, unsigned long flags);
void memunmap(void *address);
void *u64_to_user_ptr(uint64_t address);
/* Bytes that could not be copied. */
unsigned long copy_to_user(void *to, const void *from, unsigned long count);

#endif
