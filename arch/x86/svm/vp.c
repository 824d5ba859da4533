/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VPs of secure partitions (arch/vp.h), run from a slow exit of the normal world: what VMLOAD and
 * VMSAVE switch of it lies in its VMCB then and its general registers in struct percpu, so that
 * only x87 and SSE are left to be put aside.
 *
 * No translation outlasts an entry: each drops those of its ASID, and takes the whole VMCB, nothing
 * that this CPU remembers of it. So a VP may come from another CPU, partitions may share an ASID
 * where there are few, and cpu_flush_all() has to reach the VP that runs and no other.
 *
 * A MOV to CR4, and one to CR0 that changes more than TS and MP, exits. The CPU carries it out in
 * a single step without these intercepts, and what came of it is looked at before the next
 * instruction.
 */
#include "arch/vp.h"

#include "arch/x86/mitigate.h"
#include "arch/x86/nmi.h"
#include "arch/x86/svm/svm.h"
#include "arch/x86/vp_start.h"

/* What exits beside what does in the normal world. APM 2 table B-1. */
#define VP_INTERCEPTS	  (1u << 0 | 1u << 24 | 1u << 30) /* INTR, HLT, FERR_FREEZE */
#define VP_INT_N	  (1u << 21)			  /* while an instruction is stepped */
#define VP_MORE		  (1u << 7 | 1u << 10 | 3u << 11) /* RDTSCP, MONITOR, MWAIT */
#define VP_LAST		  (1u << 2)			  /* INVPCID */
#define VP_CR8		  (1u << 8)			  /* of cr_reads and cr_writes */
#define INTERRUPT_MASKING (1ull << 24) /* of interrupt_control: root mode's IF counts */
#define ASID_PARTITION	  2u	       /* the first */
#define VMMCALL_BYTES	  3u

#define CR0_START (CR0_PE | CR0_ET | CR0_NE)
#define CR0_OWN	  (CR0_PG | CR0_WP | CR0_AM | CR0_TS | CR0_MP | CR0_EM)
#define CR4_START (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXC)
#define CR4_ROOTS (CR4_SMEP | CR4_UMIP) /* set where the CPU has them */
#define PAT_BACK  0x0606060600060606ull /* write-back; with PWT and PCD uncached */

#define GO_ON (VP_FAULTED + 1u)

/* The image of FXSAVE. */
struct fpu {
	uint32_t words[128]; /* 0: the control word, 6: MXCSR */
};

struct vp {
	struct vmcb vmcb;
	struct fpu fpu, normal_fpu;
	struct guest_regs regs;
	uint64_t cr4;		    /* as it has to stay */
	uint32_t exceptions;	    /* that exit when no instruction is stepped */
	uint64_t writes, writes_at; /* exit and RIP of the latest write to a control register */
} __attribute__((aligned(FRAME_SIZE)));

size_t vp_pages(void)
{
	return sizeof(struct vp) / FRAME_SIZE;
}

struct call *vp_call(struct vp *vp)
{
	return &vp->regs.call;
}

static void write_controls(struct vmcb *v, unsigned partition)
{
	svm_write_controls(v);
	v->cr_reads = VP_CR8;
	v->cr_writes |= VP_CR8;
	v->dr_reads = v->dr_writes = UINT16_MAX;
	v->intercepts |= VP_INTERCEPTS;
	v->intercepts_more |= VP_MORE;
	v->intercepts_last = VP_LAST;
	v->interrupt_control = INTERRUPT_MASKING;
	v->io_map = v->msr_map = (uint64_t)svm_deny_map;
	v->asid = ASID_PARTITION + (partition - 1) % (svm_caps()->asids - ASID_PARTITION);
}

void vp_reset(struct vp *vp, const struct vp_start *start)
{
	struct vmcb *v = &vp->vmcb;

	__builtin_memset(vp, 0, sizeof(*vp));
	write_controls(v, start->partition);
	vp->exceptions = v->exceptions;
	v->nested_cr3 = (uint64_t)start->map->root;
	/* Flat, 32-bit: data and code. */
	v->es = (struct vmcb_segment){ 0, 0xc93, UINT32_MAX, 0 };
	v->ss = v->ds = v->fs = v->gs = v->es;
	v->cs = (struct vmcb_segment){ 0, 0xc9b, UINT32_MAX, 0 };
	v->efer = EFER_SVME | EFER_LME | EFER_NXE;
	v->cr0 = CR0_START;
	v->cr4 = vp->cr4 = CR4_START | (read_cr4() & CR4_ROOTS);
	v->dr6 = DR6_FIXED;
	v->dr7 = DR7_FIXED;
	v->pat = PAT_BACK;
	v->rflags = RFLAGS_FIXED;
	v->rip = start->entry;
	vp->fpu.words[0] = 0x37f;
	vp->fpu.words[6] = 0x1f80;
	vp->regs.rbx = start->ebx | START_VMMCALL | cpuid_start();
	vp->regs.rsi = start->esi;
	vp->regs.rdi = start->edi;
}

/* ---- What its exits mean: an enum vp_stop, or GO_ON ---- */

static unsigned call(struct vmcb *v)
{
	if (v->cpl != 0)
		return VP_FAULTED;
	v->rip = svm_caps()->features & SVM_NRIPS ? v->next_rip : v->rip + VMMCALL_BYTES;
	v->interrupt_state &= ~SHADOW;
	return VP_CALLED;
}

static unsigned begin_step(struct vp *vp)
{
	struct vmcb *v = &vp->vmcb;

	vp->writes = v->exit_code;
	vp->writes_at = v->rip;
	v->rflags |= RFLAGS_TF;
	v->cr_writes &= ~CR_WRITE_CR4;
	v->intercepts &= ~INTERCEPT_CR0;
	/* Should the instruction fault, or be another by now, no handler runs unwatched. */
	v->intercepts |= VP_INT_N;
	v->exceptions = UINT32_MAX;
	return GO_ON;
}

/* false: it must not have written that. An exit before the write comes to this, too. */
static bool end_step(struct vp *vp)
{
	struct vmcb *v = &vp->vmcb;

	v->rflags &= ~RFLAGS_TF;
	v->cr_writes |= CR_WRITE_CR4;
	v->intercepts |= INTERCEPT_CR0;
	v->intercepts &= ~VP_INT_N;
	v->exceptions = vp->exceptions;
	if ((v->cr0 & ~CR0_OWN) == CR0_START && v->cr4 == vp->cr4)
		return true;
	v->exit_code = vp->writes;
	v->rip = vp->writes_at;
	return false;
}

static unsigned judge(struct vp *vp)
{
	struct vmcb *v = &vp->vmcb;
	bool stepped = !(v->intercepts & INTERCEPT_CR0);

	if (v->exit_code == EXIT_MC) {
		svm_machine_check(&this_cpu()->vcpu);
		return VP_FAULTED;
	}
	if (stepped && !end_step(vp))
		return VP_FAULTED;
	if (EXIT_INVALID(v->exit_code))
		svm_refused(v);
	switch (v->exit_code) {
	case EXIT_INTR:
		return VP_INTERRUPTED;
	case EXIT_NMI:
	case EXIT_SMI:
	case EXIT_INIT:
		return GO_ON; /* taken in root mode by now; enter() looks what there is */
	case EXIT_VMMCALL:
		return call(v);
	case EXIT_DB:
		return stepped ? GO_ON : VP_FAULTED;
	case EXIT_CR0_WRITE:
	case EXIT_CR4_WRITE:
		return begin_step(vp);
	default:
		return VP_FAULTED;
	}
}

/* ---- Running ---- */

/*
 * FNINIT: where the CPU leaves the pointers of the last x87 instruction out of both images, they
 * are not the other world's either.
 */
static void switch_fpu(struct fpu *save, const struct fpu *load)
{
	__asm__ volatile("fxsave64 %0; fninit" : "=m"(*save));
	__asm__ volatile("fxrstor64 %0" : : "m"(*load));
}

/*
 * false: something of the normal world's is pending. The global interrupt flag is clear from the
 * look on, so what comes later makes the VP exit at once.
 */
static bool enter(struct percpu *cpu, struct vp *vp)
{
	bool clear;

	__asm__ volatile("clgi" : : : "memory");
	svm_collect_nmis();
	clear = !svm_restart_due() && !nmi_owed(cpu);
	if (clear) {
		vp->vmcb.rax = vp->regs.rax;
		mitigate_enter();
		sync_enter(cpu->sync);
		svm_flush(&vp->vmcb);
		svm_enter_vp(&vp->regs, &vp->vmcb, cpu->host_spa);
		sync_leave(cpu->sync);
		vp->regs.rax = vp->vmcb.rax;
	}
	__asm__ volatile("stgi" : : : "memory");
	return clear;
}

enum vp_stop vp_run(struct vp *vp, uint64_t until)
{
	struct percpu *cpu = this_cpu();
	unsigned stop;

	mitigate_switch();
	switch_fpu(&vp->normal_fpu, &vp->fpu);
	do
		stop = enter(cpu, vp) ? judge(vp) : VP_INTERRUPTED;
	while (stop == GO_ON);
	switch_fpu(&vp->fpu, &vp->normal_fpu);
	mitigate_switch();
	return (enum vp_stop)stop;
}

struct vp_exit vp_last_exit(const struct vp *vp)
{
	const struct vmcb *v = &vp->vmcb;

	return (struct vp_exit){ (uint32_t)v->exit_code, v->rip,
		v->exit_code == EXIT_NESTED_FAULT ? v->exit_info2 : v->exit_info1 };
}
