/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Exits by reason. CPUID and calls go the short way; the rest by a const table. A handler either
 * changes the guest's state or injects an event; if it injects none, an event that the exit
 * interrupted is put back.
 */
#include "arch/x86/decode.h"
#include "arch/x86/io.h"
#include "arch/x86/policy.h"
#include "arch/x86/vmx/skip.h"

#define IO_BYTES(q)	 (((q)&7) + 1)
#define IO_IN		 (1ull << 3)
#define IO_STRING	 (1ull << 4)
#define IO_PORT(q)	 ((uint16_t)((q) >> 16))
#define ACCESS_BY_INSN	 (3ull << 7) /* not the CPU's own to the guest's tables */
#define TASK_SELECTOR(q) ((uint32_t)((q)&0xfff8))

typedef void (*exit_handler)(struct vcpu *vcpu);

/* Frequent calls have gone the short way. */
static void handle_call(struct vcpu *vcpu)
{
	if (vmx_is_kernel64() || test_switch(TEST_CALL_OPEN)) {
		monitor_call(&vcpu->regs.call);
		vcpu_skip(vcpu);
		return;
	}
	/* One subject for all, so that user programs cannot push other records out of the ring. */
	audit(REDOUBT_AUDIT_CALL_REFUSED, UINT64_MAX, vmread(VMCS_GUEST_RIP));
	vcpu_inject_ud(vcpu);
}

static void handle_undefined(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_VMX_INSTRUCTION, vmread(VMCS_EXIT_REASON), vmread(VMCS_GUEST_RIP));
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

static void handle_rdmsr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->regs.rcx;
	uint64_t value;

	if (!policy_rdmsr(vcpu, msr, &value) &&
	    !(test_switch(TEST_MSR_OPEN) && rdmsr_safe(msr, &value))) {
		audit(REDOUBT_AUDIT_MSR_READ, msr, vmread(VMCS_GUEST_RIP));
		vcpu_inject_gp(vcpu);
		return;
	}
	vcpu->regs.rax = (uint32_t)value;
	vcpu->regs.rdx = value >> 32;
	vcpu_skip(vcpu);
}

static void handle_wrmsr(struct vcpu *vcpu)
{
	uint32_t msr = (uint32_t)vcpu->regs.rcx;
	uint64_t value = (vcpu->regs.rdx & UINT32_MAX) << 32 | (vcpu->regs.rax & UINT32_MAX);

	if (!policy_wrmsr(vcpu, msr, value) &&
	    !(test_switch(TEST_MSR_OPEN) && wrmsr_safe(msr, value))) {
		audit(REDOUBT_AUDIT_MSR_WRITE, msr, vmread(VMCS_GUEST_RIP));
		vcpu_inject_gp(vcpu);
		return;
	}
	vcpu_skip(vcpu);
}

static void handle_io(struct vcpu *vcpu)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);
	uint64_t mask = UINT32_MAX >> (32 - 8 * IO_BYTES(q));
	uint32_t value = (uint32_t)(vcpu->regs.rax & mask);

	/* No string access makes sense at a watched port. */
	if (q & IO_STRING || !io_access(IO_PORT(q), IO_BYTES(q), !(q & IO_IN), &value)) {
		vcpu_inject_gp(vcpu);
		return;
	}
	if (q & IO_IN)
		vcpu->regs.rax = (mask == UINT32_MAX ? 0 : vcpu->regs.rax & ~mask) | (value & mask);
	vcpu_skip(vcpu);
}

/* Hardware task switches are not carried out; 64-bit kernels have none. */
static void handle_task_switch(struct vcpu *vcpu)
{
	uint32_t selector = TASK_SELECTOR(vmread(VMCS_EXIT_QUALIFICATION));

	audit(REDOUBT_AUDIT_TASK_SWITCH, 0, selector);
	vmx_inject_exception(vcpu, VECTOR_GP, true, selector);
}

static void handle_store(struct vcpu *vcpu, gpa_t gpa)
{
	uint64_t rights = vmread(VMCS_GUEST_CS_RIGHTS);
	bool is_64 = rights & RIGHTS_L && vmread(VMCS_GUEST_EFER) & EFER_LMA;
	const struct code_state code = { vmread(VMCS_GUEST_CR0), vmread(VMCS_GUEST_CR3),
		vmread(VMCS_GUEST_CR4), vmread(VMCS_GUEST_EFER), vmread(VMCS_GUEST_CS_BASE),
		vmread(VMCS_GUEST_RIP),
		is_64			? DECODE_64
		    : rights & RIGHTS_D ? DECODE_32
					: DECODE_16 };
	struct insn insn;

	vcpu->regs.rsp = vmread(VMCS_GUEST_RSP);
	if (!fetch_insn(&code, &insn) || insn.op != INSN_MOV)
		vcpu_inject_gp(vcpu);
	else if (monitor_store(&(struct guest_store){ gpa, decode_source(&insn, &vcpu->regs),
		     insn.width, code.rip }))
		vmx_skip_by(vcpu, insn.length);
	else
		/* It comes back to it behind what is pending, not to be held off until then. */
		vmx_unblock(BLOCKING_STI | BLOCKING_MOV_SS);
}

static void handle_ept_violation(struct vcpu *vcpu)
{
	uint64_t q = vmread(VMCS_EXIT_QUALIFICATION);
	gpa_t gpa = { vmread(VMCS_GUEST_PHYSICAL) };
	enum violation_verdict verdict;

	vmx_iret_unblocked(q);
	verdict = monitor_violation(gpa, q & (ACCESS_READ | ACCESS_WRITE | ACCESS_FETCH),
	    vmread(VMCS_GUEST_RIP));
	/* What an event's delivery writes is no store of the instruction that it came before. */
	if (verdict == VIOLATION_STORE && (q & ACCESS_BY_INSN) == ACCESS_BY_INSN &&
	    !(this_cpu()->interrupted_event & EVENT_VALID))
		handle_store(vcpu, gpa);
	else if (verdict != VIOLATION_RETRY)
		vcpu_inject_gp(vcpu);
}

static void handle_misconfiguration(struct vcpu *vcpu)
{
	panic("EPT misconfiguration at %lx", vmread(VMCS_GUEST_PHYSICAL));
}

static void handle_unknown(struct vcpu *vcpu)
{
	uint64_t reason = vmread(VMCS_EXIT_REASON);

	klog(LOG_ERROR,
	    "exit %lu is not known (qualification %lx, at %lx): CPU %u's guest is stopped", reason,
	    vmread(VMCS_EXIT_QUALIFICATION), vmread(VMCS_GUEST_RIP), cpu_index());
	audit(REDOUBT_AUDIT_UNKNOWN_EXIT, reason, vmread(VMCS_GUEST_RIP));
	vmx_stop_vp(vcpu);
}

static const exit_handler handlers[EXIT_REASONS] = {
	[EXIT_EXCEPTION] = vmx_exception,
	[EXIT_TRIPLE_FAULT] = vmx_triple_fault,
	[EXIT_INIT] = vmx_init_signal,
	[EXIT_SIPI] = vmx_sipi,
	[EXIT_NMI_WINDOW] = vmx_nmi_window,
	[EXIT_TASK_SWITCH] = handle_task_switch,
	[EXIT_GETSEC] = handle_undefined,
	[EXIT_INVD] = handle_invd,
	[EXIT_RDPMC] = vcpu_inject_gp, /* performance counters are hidden */
	[EXIT_VMCALL] = handle_call,
	[EXIT_VMCLEAR... EXIT_VMXON] = handle_undefined,
	[EXIT_CR_ACCESS] = vmx_cr_access,
	[EXIT_IO] = handle_io,
	[EXIT_RDMSR] = handle_rdmsr,
	[EXIT_WRMSR] = handle_wrmsr,
	[EXIT_MACHINE_CHECK_ENTRY] = vmx_machine_check,
	[EXIT_EPT_VIOLATION] = handle_ept_violation,
	[EXIT_EPT_MISCONFIGURATION] = handle_misconfiguration,
	[EXIT_INVEPT] = handle_undefined,
	[EXIT_INVVPID] = handle_undefined,
	[EXIT_XSETBV] = vmx_xsetbv,
	[EXIT_ENCLS] = handle_undefined,
	[EXIT_PCONFIG] = handle_undefined,
	[EXIT_LOADIWKEY] = handle_undefined,
	[EXIT_ENCLV] = handle_undefined,
	[EXIT_SEAMCALL... EXIT_TDCALL] = handle_undefined,
	[EXIT_RDMSR_IMMEDIATE... EXIT_WRMSRNS_IMMEDIATE] = handle_undefined,
};

/*
 * VM entry refused the guest's state. What a guest can bring about is an RIP that is not canonical,
 * saved by an exit that hit just behind the last instruction of the lower half: it gets the #GP of
 * that fetch, or first an interrupt whose delivery the exit hit, since the APIC takes that for
 * delivered. Anything else stops this guest CPU, with everything printed.
 */
static void entry_failed(struct vcpu *vcpu, uint32_t reason)
{
	uint64_t rip = vmread(VMCS_GUEST_RIP);
	uint64_t canonical = vmx_canonical(rip);
	bool interrupt = vmx_entry_undone();

	if ((reason & 0xffff) == EXIT_MACHINE_CHECK_ENTRY) {
		vmx_machine_check(vcpu);
		return;
	}
	if (rip != canonical) {
		vmwrite(VMCS_GUEST_RIP, canonical);
		if (!interrupt)
			vcpu_inject_gp(vcpu);
		return;
	}
	vmx_report_entry_failure(reason);
	audit(REDOUBT_AUDIT_UNKNOWN_EXIT, reason, rip);
	vmx_stop_vp(vcpu);
}

/* The guest is about to run again, unless it waits for SIPI: then its next entry is another one. */
static void enter(struct percpu *cpu)
{
	if (vmread(VMCS_GUEST_ACTIVITY) == ACTIVITY_WAIT_SIPI)
		sync_catch_up(cpu->sync);
	else
		sync_enter(cpu->sync);
}

void vmx_exit(void)
{
	struct percpu *cpu = this_cpu();
	uint32_t reason = (uint32_t)vmread(VMCS_EXIT_REASON);
	exit_handler handler = (reason & 0xffff) < EXIT_REASONS ? handlers[reason & 0xffff] : NULL;

	cpu->event_injected = false;
	/* After a failed entry the field still tells of the exit before. */
	if (!(reason & EXIT_ENTRY_FAILED))
		cpu->interrupted_event = (uint32_t)vmread(VMCS_VECTORING_EVENT);
	if (reason & EXIT_ENTRY_FAILED)
		entry_failed(&cpu->vcpu, reason);
	else if (handler == NULL)
		handle_unknown(&cpu->vcpu);
	else
		handler(&cpu->vcpu);
	/* One that came while a call ran a VP. */
	if (atomic_exchange(&cpu->init_arrived, 0))
		vmx_init_signal(&cpu->vcpu);
	vmx_reinject(&cpu->vcpu);
	/* A fast exit, which interrupts none, must not find it. */
	cpu->interrupted_event = 0;
	vmx_settle_single_step();
	test_break_entry();
	enter(cpu);
}

/* Events cannot be under way on these exits, so there is none to put back. */
bool vmx_exit_fast(void)
{
	struct percpu *cpu = this_cpu();
	uint32_t reason = (uint32_t)vmread(VMCS_EXIT_REASON);

	sync_leave(cpu->sync);
	if (__builtin_expect(reason == EXIT_VMCALL && cpu->vcpu.regs.rax < CALLS_FAST &&
		    vmx_is_kernel64(),
		1))
		monitor_call(&cpu->vcpu.regs.call);
	else if (__builtin_expect(reason == EXIT_CPUID, 1))
		policy_cpuid(&cpu->vcpu);
	else
		return false;
	vmx_skip(&cpu->vcpu);
	sync_enter(cpu->sync);
	return true;
}
