/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between CPUs: no CPU may keep a second-stage translation that another has taken away.
 *
 * One generation counter for the machine. To take something away a CPU changes the tables, raises
 * the generation, and waits until every other CPU is either not in its guest or has seen the new
 * generation:
 *
 *   initiator: change tables; generation++; fence;
 *              for each CPU with in_guest and seen < generation: kick
 *   target:    in_guest = 1; fence; if seen != generation: invalidate, seen = generation;
 *              enter the guest
 *
 * The two fences make it impossible that both miss each other. A CPU in root mode, halted there, or
 * waiting for SIPI has in_guest = 0 and counts as done: it looks at the generation before it
 * enters. So initiators, which are in root mode, never wait for each other, whatever locks they
 * hold. Requests are batched: a CPU that sees generation n + 3 has served three of them.
 *
 * The kick is an NMI. `kicked` tells it apart from the guest's own NMIs: the initiator sets it
 * before it sends, at most one kick is under way to a CPU, the NMI that finds it set is the kick.
 * (If an NMI of the guest's arrives while a kick waits the hardware merges the two; README.md,
 * caveats.) The NMI handler of root mode invalidates too, so a kick between the check and VM entry
 * is not lost.
 *
 * The wait is bounded by SYNC_LIMIT; then a kick goes to all CPUs by broadcast (a guest may have
 * changed an xAPIC id), and after SYNC_LAST_LIMIT it is a CHECK.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SYNC_LIMIT (1ull << 32) /* TSC cycles until the broadcast */
/* TSC cycles behind it: longer than any device holds up a CPU */
#define SYNC_LAST_LIMIT (1ull << 39)
#define SYNC_POLLS	1000000u

/* What other CPUs see of one and tell it; a cache line each. */
struct cpu_sync {
	_Atomic uint32_t in_guest; /* runs its guest, or is about to */
	_Atomic uint32_t kicked;   /* a kick is on its way */
	_Atomic uint64_t seen;	   /* generation this CPU's translations are not older than */
	_Atomic uint32_t covered;  /* launched */
	_Atomic uint32_t stop;	   /* told to stop for good (panic) */
	uint32_t apic_id;
	_Atomic uint32_t start;	   /* SVM: START_ of svm/message.h */
	_Atomic uint32_t nmis;	   /* SVM: sent to it and not collected */
	_Atomic uint32_t ldr, dfr; /* SVM: how messages name it; written by itself */
} __attribute__((aligned(64)));

extern _Atomic uint64_t sync_generation;

/* Makes the array for all CPUs. During MONITOR_INIT. */
bool sync_init(void);
struct cpu_sync *sync_of(unsigned cpu);

/* Drops this CPU's translations and notes the generation. Vendor: INVEPT or a new ASID. */
void sync_catch_up(struct cpu_sync *self);
void vendor_flush_local(void);

/* The last thing before a guest is entered. */
static inline void sync_enter(struct cpu_sync *self)
{
	atomic_exchange_explicit(&self->in_guest, 1, memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&self->seen, memory_order_relaxed) !=
		    atomic_load_explicit(&sync_generation, memory_order_relaxed),
		0))
		sync_catch_up(self);
}

/* The first thing after a guest was left. */
static inline void sync_leave(struct cpu_sync *self)
{
	atomic_store_explicit(&self->in_guest, 0, memory_order_release);
}

/* Sends a kick, unless one is on its way already. */
void sync_kick(struct cpu_sync *cpu);

/* An NMI reached this CPU, in root mode or as an exit. true: it is the guest's. */
bool sync_nmi(struct cpu_sync *self);
