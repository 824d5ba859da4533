/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SVM as the monitor uses it: intercepts, exit codes, and who does what.
 *
 *   caps.c      can this CPU be covered; what it offers
 *   launch.c    the VMCB, permission maps, the firmware as first guest
 *   entry.S     the way out of the guest and back
 *   exit.c      dispatch by exit code
 *   event.c     injection, events that an exit interrupted, NMIs
 *   cr.c        CR0, CR4, EFER, XCR0
 *   msr.c       the vendor's half of policy.h
 *   device.c    writes to the local APIC's page and the I/O APIC's
 *   message.c   which CPUs an interrupt message reaches; what must not be sent
 *   reset.c     INIT, SIPI, triple fault, a VP that is stopped
 *   vcpu.c      the vendor's half of vcpu.h
 *   vp.c        VPs of secure partitions (arch/vp.h)
 *   mitigate.c  side channels of AMD's CPUs (mitigate.h)
 *   dump.c      what to print when VMRUN fails
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
#include "arch/x86/svm/layout.h"
#include "arch/x86/svm/vmcb.h"
#include "arch/x86/trap.h"
#include "monitor/abi/audit.h"

#define MSR_VM_CR	0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u
#define VM_CR_R_INIT	(1ull << 1)
#define VM_CR_LOCK	(1ull << 3)
#define VM_CR_SVMDIS	(1ull << 4)
#define EFER_SVME	(1ull << 12)

#define TLB_KEEP	0u
#define TLB_FLUSH_ALL	1u
#define TLB_FLUSH_GUEST 3u /* of this ASID; where offered */

#define VMCB_CLEAN_ALL 0xfffu /* all groups of fields that were defined when this was written */

#define SHADOW 1ull /* of interrupt_state: behind STI or MOV SS */

/* Exit codes. APM 2 appendix C. */
enum exit_code {
	EXIT_CR4_WRITE = 0x14,
	EXIT_DB = 0x41,
	EXIT_AC = 0x51,
	EXIT_MC = 0x52,
	EXIT_INTR = 0x60,
	EXIT_NMI = 0x61,
	EXIT_SMI = 0x62,
	EXIT_INIT = 0x63,
	EXIT_CR0_WRITE = 0x65,
	EXIT_RDPMC = 0x6f,
	EXIT_CPUID = 0x72,
	EXIT_IRET = 0x74,
	EXIT_INVD = 0x76,
	EXIT_INVLPGA = 0x7a,
	EXIT_IO = 0x7b,
	EXIT_MSR = 0x7c,
	EXIT_TASK_SWITCH = 0x7d,
	EXIT_SHUTDOWN = 0x7f,
	EXIT_VMRUN = 0x80,
	EXIT_VMMCALL = 0x81,
	EXIT_VMLOAD = 0x82,
	EXIT_VMSAVE = 0x83,
	EXIT_STGI = 0x84,
	EXIT_CLGI = 0x85,
	EXIT_SKINIT = 0x86,
	EXIT_WBINVD = 0x89,
	EXIT_XSETBV = 0x8d,
	EXIT_RDPRU = 0x8e,
	EXIT_CODES = 0x90,
	EXIT_NESTED_FAULT = 0x400,
};

/*
 * The bit that makes an instruction or event exit with this code: of `intercepts` for those from
 * 0x60 on, of `intercepts_more` for those from 0x80 on. APM 2 table B-1, appendix C.
 */
#define INTERCEPT(code) (1u << ((code)&31))
#define INTERCEPT_CR0	INTERCEPT(EXIT_CR0_WRITE) /* MOV, LMSW that change more than TS and MP */
#define CR_WRITE_CR4	(1u << 4)

/* VMRUN refused the state. QEMU gives 32 bits of it, and for some faults of the guest's too. */
#define EXIT_INVALID(code) ((uint32_t)(code) == UINT32_MAX)

/* Segment attributes. */
#define ATTRIBUTE_LONG	  0x200u
#define ATTRIBUTE_DEFAULT 0x400u /* 32-bit */
#define ATTR_LDT	  0x82u
#define ATTR_TSS_BUSY	  0x8bu

/* What the first CPU offers; the others must offer the same. */
struct svm_caps {
	uint32_t features; /* CPUID 8000000A EDX */
	uint32_t asids, address_bits;
	uint32_t huge, rdpru; /* not 0: offered */
};

#define SVM_NESTED	  (1u << 0)
#define SVM_NRIPS	  (1u << 3)
#define SVM_CLEAN	  (1u << 5)
#define SVM_FLUSH_ASID	  (1u << 6)
#define SVM_DECODE_ASSIST (1u << 7)

/* caps.c. After MONITOR_CHECK. */
const struct svm_caps *svm_caps(void);

/* This CPU's VMCB. */
static inline struct vmcb *vmcb(void)
{
	return (struct vmcb *)this_cpu()->control_spa;
}

/* Whether its code is of 64 bits. */
static inline bool svm_in_64(const struct vmcb *v)
{
	return v->efer & EFER_LMA && v->cs.attributes & ATTRIBUTE_LONG;
}

/* launch.c */
extern uint8_t *svm_deny_map;		 /* of ports and of MSRs: none passes */
void svm_write_controls(struct vmcb *v); /* those of the normal world */
void svm_flush(struct vmcb *v);		 /* the translations of its ASID, at its next entry */

/* entry.S: the first entry, with the global interrupt flag clear. */
_Noreturn void svm_enter_first(struct vmcb *vmcb);

/* entry.S: runs a partition's VP until it exits, with the global interrupt flag clear. */
void svm_enter_vp(struct guest_regs *regs, struct vmcb *v, uint64_t root);

/*
 * exit.c: called by entry.S for every exit, with the global interrupt flag clear; NULL: not its
 * business.
 */
struct vmcb *svm_exit_fast(struct vmcb *vmcb);
struct vmcb *svm_exit(struct vmcb *vmcb); /* exit.c: called by entry.S then */
struct vmcb *svm_ready(void);		  /* exit.c: when all is done; clears the flag */

/* cr.c */
void svm_mov_to_cr(struct vcpu *vcpu);
void svm_xsetbv(struct vcpu *vcpu);
bool svm_write_efer(uint64_t value);

/* event.c */
void svm_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error);
void svm_inject_step(void);
void svm_events_begin(struct vmcb *vmcb); /* first thing of a slow exit */
void svm_reinject(void);
void svm_exception(struct vcpu *vcpu);
void svm_machine_check(struct vcpu *vcpu); /* one arrived: it is the guest's */
void svm_iret(struct vcpu *vcpu);
void svm_offer_nmi(void);    /* last thing before entry; the global interrupt flag is clear */
void svm_events_reset(void); /* INIT */

/* vcpu.c: vcpu_skip() with the address of the next instruction; the one that exited (decode.h). */
void svm_skip_to(uint64_t next);
struct insn;
bool svm_decode(struct insn *insn);

/* device.c */
bool svm_devices_init(void);
void svm_device_note(void); /* this CPU's logical id, before it is covered */
bool svm_is_device(uint64_t gpa);
void svm_device_write(struct vcpu *vcpu, uint64_t gpa);
void svm_store(struct vcpu *vcpu, uint64_t gpa);       /* monitor_store()'s */
bool svm_write_apic_msr(uint32_t msr, uint64_t value); /* ICR and local vectors of x2APIC mode */

/* reset.c */
void svm_send_start(struct cpu_sync *to, uint32_t command); /* INIT or SIPI */
void svm_send_nmi(struct cpu_sync *to);
void svm_collect_nmis(void); /* those sent to this CPU are pending then */
bool svm_restart_due(void);
void svm_restart(struct vcpu *vcpu); /* INIT, then waits for SIPI in root mode */
void svm_shutdown(struct vcpu *vcpu);
void svm_stop_vp(void); /* because of its exit, which is audited */

/*
 * dump.c: why VMRUN refused a VMCB, by the rules of APM 2 15.5.1. State that is wrong is printed;
 * controls that are end in a panic. false: all is in order.
 */
bool svm_refused(const struct vmcb *v);

_Static_assert(offsetof(struct vmcb, rax) == SVM_VMCB_RAX, "entry.S finds RAX");
_Static_assert(offsetof(struct percpu, mitigations) == SVM_PERCPU_MITIGATIONS, "entry.S finds it");
