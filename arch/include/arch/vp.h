/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Virtual processors of secure partitions.
 *
 * vp_run() runs one on the CPU that calls it, as a subroutine of the exit of that CPU's normal
 * world, and returns when the VP stops. A VP may run on any CPU, on one at a time.
 *
 * A VP has what 64-bit code at CPL 0 needs and nothing else: general registers, x87 and SSE state,
 * control registers, its own second-stage tables. No port, MSR, device, debug register, AVX state
 * or other CPU is within its reach: whatever touches one stops it for good. It is not interrupted:
 * an interrupt, NMI, INIT or SIPI that is for the normal world stops it, stays pending, and it is
 * run again later. Nothing of one world's registers is seen in the other's (T25): general
 * registers, x87, SSE, CR2, KERNEL_GS_BASE are switched.
 *
 * Start state: 32-bit protected mode, flat segments, paging off, EFER.LME, NXE set, CR4.PAE,
 * MCE, OSFXSR, OSXMMEXCPT and, where the CPU has them, SMEP, UMIP set; interrupts off; x87 and SSE
 * as FNINIT and reset leave them; all registers zero but RIP and those of struct vp_start. It turns
 * paging on itself: nobody but the partition builds tables from its memory. CR0.PG, WP, AM, TS, MP
 * and EM are its own; another change to a control register stops it for good.
 */
#ifndef ARCH_VP_H
#define ARCH_VP_H

#include "arch/stage2.h"
#include "arch/upcall.h"

struct vp;

/* Frames of the monitor's own, contiguous and zeroed, that a VP takes. */
size_t vp_pages(void);

struct vp_start {
	const struct stage2 *map;
	unsigned partition; /* from 1: names its translations (VPID, ASID) */
	uint32_t entry;	    /* GPA, below 4 GiB */
	uint32_t ebx;	    /* START_ bits of abi/trustlet.h are added: it has no CPUID to ask */
	uint32_t esi, edi;
};

/* Puts a VP that does not run into its start state. What it held is gone. */
void vp_reset(struct vp *vp, const struct vp_start *start);

enum vp_stop {
	VP_CALLED,	/* it made a call, vp_call(); RIP is behind the instruction */
	VP_INTERRUPTED, /* something of the normal world's is pending */
	VP_EXPIRED,	/* the time given is over */
	VP_FAULTED	/* it did what it may not; never run again before vp_reset() */
};

/*
 * Runs it, until the time stamp counter is at `until` where the CPU can be told (SVM cannot: there
 * the normal world's interrupts are what ends it; the caller reads the clock). On the slow way out
 * of the normal world only (upcall.h); no lock is held. Takes part in cpu_flush_all(): the VP's CPU
 * is kicked and counted like one in its normal world.
 */
enum vp_stop vp_run(struct vp *vp, uint64_t until);

/* For the record: its latest exit. */
struct vp_exit {
	uint32_t reason; /* the vendor's exit reason or code */
	uint64_t rip;	 /* of a call: behind it */
	/* not of a call: GPA of a second-stage violation, else the vendor's qualification */
	uint64_t fact;
};

struct vp_exit vp_last_exit(const struct vp *vp);

/* The registers of its call, and where the answer goes: RAX, RCX, RDX, R8, R9. */
struct call *vp_call(struct vp *vp);

#endif
