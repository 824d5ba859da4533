/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a CPU in root mode has for itself, mapped at one fixed address in its own tables and nowhere
 * else: data, stacks with guard pages between them, the slot for guest frames, the local APIC.
 *
 * The address is within reach of a sign-extended 32-bit displacement, so that entry.S and C get at
 * it without a base register.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/layout.h"
#include "arch/x86/start.h"
#include "arch/x86/sync.h"
#include "arch/x86/vcpu.h"

#define PERCPU_VA(page)	 ((void *)(PERCPU_BASE + FRAME_SIZE * (uint64_t)(page)))
#define PERCPU_STACK_TOP (PERCPU_BASE + (PERCPU_STACK + PERCPU_STACK_PAGES) * (uint64_t)FRAME_SIZE)

/* Task state segment. SDM 3A 8.7. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));

/*
 * SVM: what the control block does not know of events (svm/event.c).
 */
struct svm_events {
	bool nmi_blocked;   /* the guest's NMI handler has not come to its IRET */
	bool iret_waits;    /* the IRET at iret_rip is about to end it */
	bool stepping;	    /* RFLAGS.TF is the monitor's, for one instruction at step_rip */
	bool step_was_iret; /* an IRET was due when the exit being handled came */
	uint64_t iret_rip, step_rip;
	uint64_t step_flag, step_dr6; /* TF and DR6 as the guest had them */
};

struct percpu {
	struct vcpu vcpu;	      /* first: entry.S saves the guest's registers here */
	struct cpu_sync *sync;	      /* what other CPUs may see of this one */
	uint64_t *slot_entry;	      /* page-table entry of the slot */
	uint64_t cr3;		      /* this CPU's root-mode tables */
	uint64_t vmxon_spa;	      /* frame given to VMXON, or to VM_HSAVE_PA */
	uint64_t control_spa;	      /* VMCS or VMCB frame */
	uint64_t host_spa;	      /* SVM: frame of what VMLOAD gives back to root mode */
	uint32_t processor_controls;  /* VT-x: primary controls without the NMI window */
	uint32_t mitigations;	      /* MITIGATE_ of mitigate.h; entry.S reads it */
	_Atomic uint32_t nmi_pending; /* NMIs the guest is owed: 0 to 2 */
	bool vmcs_loaded;	      /* control fields may be written */
	bool event_injected;	      /* this exit's handler has written an event to inject */
	/* event whose delivery this exit interrupted, as the VMCS tells it */
	uint32_t interrupted_event;
#define EVENT_VALID (1u << 31)	       /* of it; otherwise there was none */
	uint32_t interrupted_error;    /* SVM: its error code */
	_Atomic uint32_t init_arrived; /* an INIT came as #SX (SVM), or while a VP ran (VT-x) */
	struct svm_events events;
	struct firmware_state firmware; /* as MONITOR_LAUNCH found this CPU */
	uint64_t gdt[6];
	struct tss tss;
};

_Static_assert(sizeof(struct percpu) <= (uint64_t)PERCPU_DATA_PAGES * FRAME_SIZE, "fits its pages");
_Static_assert(offsetof(struct percpu, vcpu) == 0 && offsetof(struct vcpu, regs) == 0,
    "entry.S saves registers at the start");

/* The running CPU's own. Only under the monitor's tables. */
static inline struct percpu *this_cpu(void)
{
	return PERCPU_VA(PERCPU_DATA);
}
