/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What arch asks of the monitor. Implemented in monitor/; the fake machine calls the same
 * functions.
 */
#pragma once

#include "arch/addr.h"
#include "arch/stage2.h"
#include "monitor/abi/bootinfo.h"
#include "monitor/abi/call.h"

/* ---- Log and failure ---- */

/*
 * Formats a line into the log ring and, at or under the configured level, to the consoles.
 * monitor/lib/fmt.h says what it may hold.
 */
void klog(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A broken monitor: writes the record, stops every CPU, resets or halts as configured. Never
 * reachable by what a guest sends.
 */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Stays in every build. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			panic("CHECK failed: %s (%s:%u)", #condition, __FILE__, __LINE__);         \
	} while (0)

/* ---- Launch ---- */

/*
 * Second half of MONITOR_INIT, on the first CPU, in the monitor's own address space: builds log,
 * ownership table, the normal world's tables. `info` is the monitor's own, checked copy and stays
 * where it is. LAUNCH_OK, or LAUNCH_BAD_REGION: the region is too small.
 */
enum launch_status monitor_init(struct bootinfo *info);

/* Whether a boot information block is well formed: the check of the loader's hand-over; fuzzed. */
bool bootinfo_valid(const struct bootinfo *info);

/* The normal world's second-stage tables, and their lock. */
struct stage2 *monitor_normal_stage2(void);
static inline struct spinlock *map_lock(void)
{
	return monitor_normal_stage2()->lock;
}

/*
 * Memory type of a frame, from the guest's MTRRs; by arch, asked when the normal world is mapped.
 * *same_until: the first address behind it where the type may differ; a multiple of 4 KiB. Over all
 * addresses the type changes in at most TYPE_SPLITS regions of 2 MiB (bootinfo.h).
 */
enum s2_type arch_memory_type(gpa_t gpa, uint64_t *same_until);

/*
 * What protects, and what does not: FEATURE_ and DEGRADED_ bits of abi/cpuid.h (I11),
 * arch_features()'s and arch_degraded()'s among them.
 */
uint32_t monitor_features(void);
uint32_t monitor_degraded(void);

/* ---- Exits ---- */

/* A call as its registers stand. The monitor replaces status and all of regs. */
struct call {
	uint64_t rax;		  /* in: id; out: status */
	uint64_t regs[CALL_REGS]; /* RCX, RDX, R8, R9 */
};

/*
 * Carries out a call from the normal world; privilege has been checked by arch. Calls with ids from
 * CALLS_FAST on come the slow way, on which VPs may run (vp.h): what happens to the normal world
 * meanwhile is carried out behind the call.
 */
#define CALLS_FAST 4u
void monitor_call(struct call *call);

enum violation_access { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_FETCH = 4 };
enum violation_verdict { VIOLATION_RETRY, VIOLATION_FAULT, VIOLATION_STORE };

/*
 * A guest access that its tables refuse. RETRY: the tables allow it now. FAULT: inject #GP(0).
 * STORE: to be decoded and handed to monitor_store(); FAULT where it is no store of a MOV's, or the
 * CPU's own.
 */
enum violation_verdict monitor_violation(gpa_t gpa, unsigned access, uint64_t rip);

struct guest_store {
	gpa_t gpa;
	uint64_t value;
	uint64_t bytes; /* 1, 2, 4, 8 */
	uint64_t rip;	/* of its instruction */
};

/*
 * Carries out a store. true: the instruction is finished. false: not yet, the guest is to come back
 * to it once it has taken what is pending, though STI stands before it. Holds no lock; on the slow
 * way only.
 */
bool monitor_store(const struct guest_store *store);

/*
 * From now on writes to pages of a device in the normal world's map are violations; reads go on.
 * To be called before any CPU is launched. false: no table is left.
 */
bool monitor_trap_writes(gpa_t gpa, uint64_t pages);

/*
 * Copies bytes that the normal world can read, once: of its memory, of memory that firmware lists
 * as reserved, or of a device. They lie in one frame. false: they do not, or are not its own.
 */
bool monitor_guest_read(gpa_t from, void *to, size_t bytes);

/* The guest's MTRRs changed effect: retypes the normal world from arch_memory_type(). */
void monitor_retype(void);

/* Audited events. AUDIT(name, value, sentence): abi/audit.h. Coalesced by id and subject. */
void audit(unsigned event, uint64_t subject, uint64_t fact);

/*
 * The machine is about to reset or power off: scrubs secrets. May be called by
 * several CPUs, and again; takes no lock and waits for nobody.
 */
void monitor_leaving(void);

/* ---- Test build ---- */

/*
 * Hooks of the test build: linked from monitor/test/hooks.c there, from monitor/test/none.c in a
 * release.
 */
bool test_call(struct call *call); /* false: not a test call */
bool test_switch(unsigned number); /* TEST_ of test_switch.h; all off in a release */
bool test_build(void);

/* Before an entry after a slow exit. The vendor's test.c breaks what switches say. */
void test_break_entry(void);

/*
 * The running CPU is about to take a lock, or gives it back: the order of arch/lock.h is a CHECK.
 * `which`: the frame, for frame locks.
 */
void test_lock(enum lock_rank rank, uint64_t which, bool taken);
