/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VT-x as the monitor uses it: controls, exit reasons, and who does what.
 *
 *   caps.c    can this CPU be covered; the controls it will run with
 *   launch.c  VMXON, the VMCS, the firmware as first guest
 *   entry.S   the way out of the guest and back
 *   exit.c    dispatch by reason
 *   event.c   injection, events that an exit interrupted, NMIs
 *   cr.c      control registers and XCR0
 *   memtype.c second-stage types from the guest's MTRRs (mtrr.h)
 *   msr.c     the vendor's half of policy.h
 *   reset.c   INIT, SIPI, triple fault, a VP that is stopped
 *   vcpu.c    the vendor's half of vcpu.h
 *   vp.c      VPs of partitions
 *   dump.c    what to print when VM entry fails
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What nearly every file of the vendor needs. */
#include "arch/cpu.h"
#include "arch/test_switch.h"
#include "arch/upcall.h"
#include "arch/x86/asm.h"
#include "arch/x86/bits.h"
#include "arch/x86/percpu.h"
#include "arch/x86/trap.h"
#include "arch/x86/vmx/vmcs.h"
#include "monitor/abi/audit.h"

#define MSR_FEATURE_CONTROL    0x3au
#define FEATURE_CONTROL_LOCKED (1ull << 0)
#define FEATURE_CONTROL_VMX    (1ull << 2)

#define MSR_VMX_BASIC 0x480u
#define MSR_VMX_MISC  0x485u

#define VPID_NORMAL 1u /* partitions: behind it */
#define TSS_BUSY    0x8bu
#define PAT_RESET   0x0007040600070406ull

/* Exit and entry events. SDM 3C 25.8.3, 25.9.2. */
#define EVENT_VECTOR(info) ((info)&0xff)

/* Pin-based controls. SDM 3C 25.6.1. */
#define PIN_INTERRUPT_EXITING (1u << 0)
#define PIN_NMI_EXITING	      (1u << 3)
#define PIN_VIRTUAL_NMIS      (1u << 5)
#define PIN_PREEMPTION_TIMER  (1u << 6)

/* Primary processor-based controls. SDM 3C 25.6.2. */
#define CPU_TSC_OFFSETTING    (1u << 3)
#define CPU_HLT_EXITING	      (1u << 7)
#define CPU_MWAIT_EXITING     (1u << 10)
#define CPU_RDPMC_EXITING     (1u << 11)
#define CPU_CR3_LOAD_EXITING  (1u << 15)
#define CPU_CR3_STORE_EXITING (1u << 16)
#define CPU_CR8_LOAD_EXITING  (1u << 19)
#define CPU_CR8_STORE_EXITING (1u << 20)
#define CPU_NMI_WINDOW	      (1u << 22)
#define CPU_DR_EXITING	      (1u << 23)
#define CPU_IO_EXITING	      (1u << 24)
#define CPU_IO_BITMAPS	      (1u << 25)
#define CPU_MSR_BITMAPS	      (1u << 28)
#define CPU_MONITOR_EXITING   (1u << 29)
#define CPU_SECONDARY	      (1u << 31)

/* Secondary controls. */
#define CPU2_EPT	    (1u << 1)
#define CPU2_RDTSCP	    (1u << 3)
#define CPU2_VPID	    (1u << 5)
#define CPU2_WBINVD_EXITING (1u << 6)
#define CPU2_UNRESTRICTED   (1u << 7)
#define CPU2_INVPCID	    (1u << 12)
#define CPU2_ENCLS_EXITING  (1u << 15)
#define CPU2_XSAVES	    (1u << 20)
#define CPU2_MBEC	    (1u << 22)

/* Exit and entry controls. SDM 3C 25.7, 25.8. */
#define EXIT_SAVE_DEBUG	   (1u << 2)
#define EXIT_HOST_64	   (1u << 9)
#define EXIT_ACK_INTERRUPT (1u << 15)
#define EXIT_SAVE_PAT	   (1u << 18)
#define EXIT_LOAD_PAT	   (1u << 19)
#define EXIT_SAVE_EFER	   (1u << 20)
#define EXIT_LOAD_EFER	   (1u << 21)
#define ENTRY_LOAD_DEBUG   (1u << 2)
#define ENTRY_IA32E	   (1u << 9)
#define ENTRY_LOAD_PAT	   (1u << 14)
#define ENTRY_LOAD_EFER	   (1u << 15)

/* Exit reasons. SDM 3D C. */
enum exit_reason {
	EXIT_EXCEPTION = 0,
	EXIT_INTERRUPT = 1,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT = 3,
	EXIT_SIPI = 4,
	EXIT_NMI_WINDOW = 8,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = 10,
	EXIT_GETSEC = 11,
	EXIT_INVD = 13,
	EXIT_RDPMC = 15,
	EXIT_VMCALL = 18,
	EXIT_VMCLEAR = 19, /* then VMLAUNCH, VMPTRLD, VMPTRST, VMREAD, VMRESUME, VMWRITE, VMXOFF */
	EXIT_VMXON = 27,
	EXIT_CR_ACCESS = 28,
	EXIT_IO = 30,
	EXIT_RDMSR = 31,
	EXIT_WRMSR = 32,
	EXIT_MACHINE_CHECK_ENTRY = 41,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIGURATION = 49,
	EXIT_INVEPT = 50,
	EXIT_PREEMPTION_TIMER = 52,
	EXIT_INVVPID = 53,
	EXIT_XSETBV = 55,
	EXIT_ENCLS = 60,
	EXIT_PCONFIG = 65,
	EXIT_LOADIWKEY = 69,
	EXIT_ENCLV = 70,
	EXIT_SEAMCALL = 76, /* these two exit whatever the privilege level */
	EXIT_TDCALL = 77,
	EXIT_RDMSR_IMMEDIATE = 84,
	EXIT_WRMSRNS_IMMEDIATE = 85,
	EXIT_REASONS = 86,
};
#define EXIT_ENTRY_FAILED (1u << 31)

/* Activity states and interruptibility. SDM 3C 25.4.2. */
#define PENDING_BS	   (1ull << 14)
#define DEBUGCTL_LBR	   (1ull << 0)
#define DEBUGCTL_BTF	   (1ull << 1)
#define ACTIVITY_ACTIVE	   0u
#define ACTIVITY_HLT	   1u
#define ACTIVITY_WAIT_SIPI 3u
#define BLOCKING_STI	   (1u << 0)
#define BLOCKING_MOV_SS	   (1u << 1)
#define BLOCKING_NMI	   (1u << 3)

/* Segment access rights. SDM 3C 25.4.1. */
#define RIGHTS_L	   (1u << 13)
#define RIGHTS_D	   (1u << 14)
#define RIGHTS_UNUSABLE	   (1u << 16)
#define RIGHTS_DPL(rights) ((rights) >> 5 & 3)

/* The address with its upper bits as they must be. */
static inline uint64_t vmx_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16);
}

/* Controls after the capability MSRs have had their say; the same on every CPU. */
struct vmx_controls {
	union {
		struct {
			uint32_t pin, primary, secondary, exit, entry;
		};
		uint32_t in_order[5];
	};
};

/* caps.c. After MONITOR_CHECK. Of the normal world when it is launched, of a VP that starts. */
enum vmx_world { WORLD_NORMAL, WORLD_VP, VMX_WORLDS };
const struct vmx_controls *vmx_controls(enum vmx_world world);

/* launch.c */
uint64_t vmx_msr_bitmap(bool exact_tsc);
/* Of the current VMCS: controls and second-stage tables; what exits load; a segment register. */
void vmx_write_controls(const struct vmx_controls *c, const struct stage2 *map, uint16_t vpid);
void vmx_write_host(const struct percpu *cpu);
void vmx_write_segment(unsigned index, uint16_t selector, uint32_t rights, uint32_t limit,
    uint64_t base);
/* Makes the frame a VMCS that is on no CPU. */
void vmx_make_vmcs(uint64_t spa);
void vmx_exit_entry(void); /* entry.S: where exits arrive */
void vmx_exit_entry_mitigated(void);
/* entry.S: VMLAUNCH; comes back only if it failed: 1 invalid, 2 with error number */
uint32_t vmx_enter_first(void);
/*
 * entry.S: enters the VP of the current VMCS, whose HOST_RSP is `regs`, with these registers, and
 * comes back at its exit; 0: without filling the return stack. regs->rsp is its own.
 */
void vmx_vp_enter(struct guest_regs *regs, uint32_t fill_returns);
void vmx_vp_exit_entry(void); /* entry.S: where its exits arrive */
bool vmx_exit_fast(void); /* exit.c: called by entry.S for every exit; false: not its business */
void vmx_exit(void);	  /* exit.c: called by entry.S then */
_Noreturn void vmx_resume_failed(void);

/* cr.c */
void vmx_cr_setup(uint64_t cr0, uint64_t cr4);
void vmx_cr_access(struct vcpu *vcpu);
void vmx_xsetbv(struct vcpu *vcpu);

/* event.c */
void vmx_unblock(uint32_t mask); /* BLOCKING_ bits of this CPU's guest */
void vmx_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error);
/* an event whose delivery the exit interrupted, if nothing else was injected */
void vmx_reinject(struct vcpu *vcpu);
void vmx_exception(struct vcpu *vcpu);
/* An exit for an exception: true if it was an NMI, which is answered or owed. */
bool vmx_nmi_exit(uint32_t event);
void vmx_machine_check(struct vcpu *vcpu);
void vmx_nmi_owed(void); /* NMIs that came before there was a VMCS */
void vmx_nmi_window(struct vcpu *vcpu);
/*
 * VM entry failed: an NMI that was to be injected is owed again; an interrupt counts as interrupted
 * again (true), so that vmx_reinject() puts it back.
 */
bool vmx_entry_undone(void);
void vmx_settle_single_step(void); /* before each entry after a slow exit */
void vmx_iret_unblocked(uint64_t qualification);

/* msr.c: the guest's clock jumps; an armed deadline stays where it is in the guest's time. */
void vmx_move_deadline(uint64_t jump);

/* reset.c */
void vmx_init_signal(struct vcpu *vcpu);
void vmx_sipi(struct vcpu *vcpu);
void vmx_triple_fault(struct vcpu *vcpu);
void vmx_stop_vp(struct vcpu *vcpu);

/*
 * dump.c: prints the current VMCS, decoded, and the first rule of SDM 3C 27.2-27.3 that it breaks.
 */
void vmx_report_entry_failure(uint32_t reason);
