/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exits by code. CPUID goes the short way; the rest by a const table. A handler either changes the
 * guest's state or injects an event; if it injects none, an event that the exit interrupted is put
 * back.
 */
#include "arch/x86/apic.h"
#include "arch/x86/io.h"
#include "arch/x86/policy.h"
#include "arch/x86/svm/svm.h"

#define CPUID_BYTES	    2u
#define IO_IN		    (1ull << 0)
#define IO_STRING	    (1ull << 2)
#define IO_BYTES(info)	    ((unsigned)((info) >> 4 & 7)) /* one bit each for 1, 2, 4 */
#define IO_PORT(info)	    ((uint16_t)((info) >> 16))
#define MSR_WRITE	    1ull
#define FAULT_WRITE	    (1ull << 1)
#define FAULT_RESERVED	    (1ull << 3)
#define FAULT_FETCH	    (1ull << 4)
#define FAULT_WALK	    (1ull << 33) /* in the guest's own tables */
#define TASK_SELECTOR(info) ((uint32_t)((info)&0xfff8))

typedef void (*exit_handler)(struct vcpu *vcpu);

static void handle_cpuid(struct vcpu *vcpu)
{
	policy_cpuid(vcpu);
	vcpu_skip(vcpu);
}

static void handle_call(struct vcpu *vcpu)
{
	const struct vmcb *v = vmcb();

	if ((v->cpl == 0 && svm_in_64(v)) || test_switch(TEST_CALL_OPEN)) {
		monitor_call(&vcpu->regs.call);
		vcpu_skip(vcpu);
		return;
	}
	/* One subject for all, so that user programs cannot push other records out of the ring. */
	audit(REDOUBT_AUDIT_CALL_REFUSED, UINT64_MAX, v->rip);
	vcpu_inject_ud(vcpu);
}

static void handle_undefined(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_VMX_INSTRUCTION, vmcb()->exit_code, vmcb()->rip);
	vcpu_inject_ud(vcpu);
}

/* Dirty lines are written back instead of dropped: the monitor's may be among them (T14). */
static void handle_invd(struct vcpu *vcpu)
{
	if (test_switch(TEST_INVD_OPEN))
		__asm__ volatile("invd" : : : "memory");
	else
		wbinvd();
	vcpu_skip(vcpu);
}

static void handle_rdmsr(struct vcpu *vcpu, uint32_t msr)
{
	uint64_t value;

	if (!policy_rdmsr(vcpu, msr, &value) &&
	    !(test_switch(TEST_MSR_OPEN) && rdmsr_safe(msr, &value))) {
		audit(REDOUBT_AUDIT_MSR_READ, msr, vmcb()->rip);
		vcpu_inject_gp(vcpu);
		return;
	}
	vcpu->regs.rax = (uint32_t)value;
	vcpu->regs.rdx = value >> 32;
	vcpu_skip(vcpu);
}

static void handle_msr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->regs.rcx;
	uint64_t value = (vcpu->regs.rdx & UINT32_MAX) << 32 | (vcpu->regs.rax & UINT32_MAX);

	if (!(vmcb()->exit_info1 & MSR_WRITE)) {
		handle_rdmsr(vcpu, msr);
		return;
	}
	if (!policy_wrmsr(vcpu, msr, value) &&
	    !(test_switch(TEST_MSR_OPEN) && wrmsr_safe(msr, value))) {
		audit(REDOUBT_AUDIT_MSR_WRITE, msr, vmcb()->rip);
		vcpu_inject_gp(vcpu);
		return;
	}
	if (msr == MSR_APIC_BASE)
		svm_device_note();
	vcpu_skip(vcpu);
}

static void handle_io(struct vcpu *vcpu)
{
	uint64_t info = vmcb()->exit_info1;
	unsigned bytes = IO_BYTES(info);
	uint64_t mask = UINT32_MAX >> (32 - 8 * bytes);
	uint32_t value = (uint32_t)(vcpu->regs.rax & mask);

	/* No string access makes sense at a watched port. */
	if (info & IO_STRING || !io_access(IO_PORT(info), bytes, !(info & IO_IN), &value)) {
		vcpu_inject_gp(vcpu);
		return;
	}
	if (info & IO_IN)
		vcpu->regs.rax = (mask == UINT32_MAX ? 0 : vcpu->regs.rax & ~mask) | (value & mask);
	svm_skip_to(vmcb()->exit_info2);
}

/* Hardware task switches are not carried out; 64-bit kernels have none. */
static void handle_task_switch(struct vcpu *vcpu)
{
	uint32_t selector = TASK_SELECTOR(vmcb()->exit_info1);

	audit(REDOUBT_AUDIT_TASK_SWITCH, 0, selector);
	svm_inject_exception(vcpu, VECTOR_GP, true, selector);
}

static unsigned access_of(uint64_t info)
{
	if (info & FAULT_FETCH)
		return ACCESS_FETCH;
	return info & FAULT_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

static void handle_fault(struct vcpu *vcpu)
{
	uint64_t info = vmcb()->exit_info1;
	uint64_t gpa = vmcb()->exit_info2;
	enum violation_verdict verdict;

	if (info & FAULT_RESERVED)
		panic("reserved bits in the nested tables at %lx", gpa);
	if (svm_is_device(gpa) && access_of(info) == ACCESS_WRITE && !(info & FAULT_WALK)) {
		svm_device_write(vcpu, gpa);
		return;
	}
	verdict = monitor_violation((gpa_t){ gpa }, access_of(info), vmcb()->rip);
	if (verdict == VIOLATION_STORE && !(info & FAULT_WALK))
		svm_store(vcpu, gpa);
	else if (verdict == VIOLATION_RETRY)
		svm_flush(vmcb()); /* of what said no */
	else
		vcpu_inject_gp(vcpu);
}

/*
 * NMI, SMI and INIT were pending, and were taken in root mode when svm_exit() set the global
 * interrupt flag.
 */
static void handle_taken(struct vcpu *vcpu)
{
}

static void handle_unknown(struct vcpu *vcpu)
{
	const struct vmcb *v = vmcb();

	klog(LOG_ERROR, "exit %lx is not known (%lx, %lx, at %lx): CPU %u's guest is stopped",
	    v->exit_code, v->exit_info1, v->exit_info2, v->rip, cpu_index());
	svm_stop_vp();
}

static const exit_handler handlers[EXIT_CODES] = {
	[EXIT_CR4_WRITE] = svm_mov_to_cr,
	[EXIT_DB] = svm_exception,
	[EXIT_AC] = svm_exception,
	[EXIT_MC] = svm_exception,
	[EXIT_INTR... EXIT_INIT] = handle_taken,
	[EXIT_CR0_WRITE] = svm_mov_to_cr,
	[EXIT_RDPMC] = vcpu_inject_gp, /* performance counters are hidden */
	[EXIT_CPUID] = handle_cpuid,
	[EXIT_IRET] = svm_iret,
	[EXIT_INVD] = handle_invd,
	[EXIT_INVLPGA] = handle_undefined,
	[EXIT_IO] = handle_io,
	[EXIT_MSR] = handle_msr,
	[EXIT_TASK_SWITCH] = handle_task_switch,
	[EXIT_SHUTDOWN] = svm_shutdown,
	[EXIT_VMRUN] = handle_undefined,
	[EXIT_VMMCALL] = handle_call,
	[EXIT_VMLOAD... EXIT_SKINIT] = handle_undefined,
	[EXIT_WBINVD] = handle_invd,
	[EXIT_XSETBV] = svm_xsetbv,
	[EXIT_RDPRU] = handle_undefined,
};

/*
 * VMRUN refused the VMCB, or QEMU says so. A control that is wrong is a broken monitor. State that
 * is wrong stops this guest CPU, with everything printed: on QEMU the VMCB's state may be gone by
 * now. If all is in order this is what QEMU gives in place of the #GP of a MOV to CR3 of more
 * address bits than there are.
 */
static void handle_invalid(struct vcpu *vcpu)
{
	/* A flush that was due at this entry has not taken place. */
	svm_flush(vmcb());
	if (svm_refused(vmcb())) {
		svm_stop_vp();
		return;
	}
	audit(REDOUBT_AUDIT_CR_WRITE, 3, vmcb()->rip);
	vcpu_inject_gp(vcpu);
}

static void handle(struct percpu *cpu, const struct vmcb *v)
{
	exit_handler handler = v->exit_code < EXIT_CODES ? handlers[v->exit_code] : NULL;

	if (EXIT_INVALID(v->exit_code))
		handle_invalid(&cpu->vcpu);
	else if (v->exit_code == EXIT_NESTED_FAULT)
		handle_fault(&cpu->vcpu);
	else if (handler == NULL)
		handle_unknown(&cpu->vcpu);
	else
		handler(&cpu->vcpu);
}

/*
 * Last thing before entry. The global interrupt flag stays clear from the look at the start word
 * and the NMIs on, so none of both can be missed.
 */
struct vmcb *svm_ready(void)
{
	struct percpu *cpu = this_cpu();

	for (;;) {
		__asm__ volatile("clgi" : : : "memory");
		if (!svm_restart_due())
			break;
		__asm__ volatile("stgi" : : : "memory");
		svm_restart(&cpu->vcpu);
	}
	svm_collect_nmis();
	svm_offer_nmi();
	sync_enter(cpu->sync);
	return vmcb();
}

struct vmcb *svm_exit(struct vmcb *v)
{
	struct percpu *cpu = this_cpu();

	v->event = 0;
	v->clean = 0;
	__asm__ volatile("vmload" : : "a"(cpu->host_spa) : "memory");
	svm_events_begin(v);
	__asm__ volatile("stgi" : : : "memory");
	handle(cpu, v);
	svm_reinject();
	test_break_entry();
	return svm_ready();
}

/*
 * Only what needs no other state of the CPU's and ends soon: here the global interrupt flag is
 * clear and TR, FS, GS are the guest's. An event cannot be under way on this exit.
 */
struct vmcb *svm_exit_fast(struct vmcb *v)
{
	struct percpu *cpu = this_cpu();
	const struct svm_caps *caps = svm_caps();
	uint64_t next, rare;

	sync_leave(cpu->sync);
	v->tlb_control = TLB_KEEP;
	if (v->exit_code != EXIT_CPUID)
		return NULL;
	next = v->rip + CPUID_BYTES;
	rare = (v->rflags & RFLAGS_TF) | (v->interrupt_state & SHADOW);
	if (caps->features & SVM_NRIPS)
		next = v->next_rip;
	if (__builtin_expect((rare | (v->rip ^ next) >> 32) != 0, 0))
		return NULL;
	policy_cpuid(&cpu->vcpu);
	v->rip = next;
	v->clean = caps->features & SVM_CLEAN ? VMCB_CLEAN_ALL : 0;
	sync_enter(cpu->sync);
	return v;
}
