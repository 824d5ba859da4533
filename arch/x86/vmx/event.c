/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Events: exceptions the monitor injects, those that an exit caught on their way to the guest, and
 * NMIs.
 *
 * An NMI of the guest's that hits root mode, at whatever instruction, is remembered in nmi_pending,
 * and the NMI-window control makes the CPU exit as soon as the guest can take it. Root mode's NMI
 * handler may set both at any instruction, so the window's handler clears the control first and
 * looks at nmi_pending (nmi.h) afterwards. SDM 3C 26.5, 27.6.
 */
#include "arch/x86/nmi.h"
#include "arch/x86/vmx/vmx.h"

#define EVENT_ERROR		  (1u << 11)
#define EVENT_NMI_UNBLOCKED	  (1u << 12) /* at exit: an IRET had ended NMI blocking */
#define EVENT_TYPE(info)	  ((info) >> 8 & 7)
#define TYPE_INTERRUPT		  0u
#define TYPE_NMI		  2u
#define TYPE_EXCEPTION		  3u
#define TYPE_SOFT_INTERRUPT	  4u
#define TYPE_PRIVILEGED_EXCEPTION 5u
#define EVENT_OF(type, vector)	  (EVENT_VALID | (type) << 8 | (vector))

#define VECTOR_DE	       0u
#define VECTOR_DF	       8u
#define VECTOR_TS	       10u
#define VECTOR_PF	       14u
#define QUALIFICATION_IRET_NMI (1ull << 12)
#define DR6_CAUSES	       (0xfull | 3ull << 13) /* B0 to B3, BD, BS */
#define DR6_BUS_LOCK	       (1ull << 11)	     /* clear: the cause; so RTM */
#define DR6_RTM		       (1ull << 16)
#define DR6_CLEARED	       0xfull
#define DR7_GD		       (1ull << 13)

/* Classes for the double-fault rule of SDM 3A 6.15, table 6-5. */
static bool contributory(unsigned vector)
{
	return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

static bool doubles(unsigned first, unsigned second)
{
	if (first == VECTOR_PF)
		return second == VECTOR_PF || contributory(second);
	return contributory(first) && contributory(second);
}

static void write_event(uint32_t event, uint32_t error)
{
	vmwrite(VMCS_ENTRY_EVENT, event);
	if (event & EVENT_ERROR)
		vmwrite(VMCS_ENTRY_EVENT_ERROR, error);
	this_cpu()->event_injected = true;
}

/* The exception whose delivery the exit interrupted, or a vector that cannot be. */
static unsigned interrupted_exception(void)
{
	uint32_t info = this_cpu()->interrupted_event;

	if (!(info & EVENT_VALID) || EVENT_TYPE(info) != TYPE_EXCEPTION)
		return UINT32_MAX;
	return EVENT_VECTOR(info);
}

void vmx_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
	unsigned first = interrupted_exception();
	bool protected_mode = vmread(VMCS_GUEST_CR0) & CR0_PE;

	/* Real mode has no error codes. */
	if (first == VECTOR_DF) {
		vmx_triple_fault(vcpu);
		return;
	}
	if (doubles(first, vector)) {
		vector = VECTOR_DF;
		has_error = true;
		error = 0;
	}
	write_event(EVENT_OF(TYPE_EXCEPTION, vector) |
		(has_error && protected_mode ? EVENT_ERROR : 0),
	    error);
}

void vcpu_inject_gp(struct vcpu *vcpu)
{
	vmx_inject_exception(vcpu, VECTOR_GP, true, 0);
}

void vcpu_inject_ud(struct vcpu *vcpu)
{
	vmx_inject_exception(vcpu, VECTOR_UD, false, 0);
}

static bool blocked(uint32_t mask)
{
	return vmread(VMCS_GUEST_INTERRUPTIBILITY) & mask;
}

void vmx_unblock(uint32_t mask)
{
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)mask);
}

/* One that an instruction raises goes on behind it. */
static void raise_again(uint32_t info, uint32_t error)
{
	if (EVENT_TYPE(info) >= TYPE_SOFT_INTERRUPT)
		vmwrite(VMCS_ENTRY_INSTRUCTION_LENGTH, vmread(VMCS_EXIT_INSTRUCTION_LENGTH));
	write_event(info & ~EVENT_NMI_UNBLOCKED, error);
}

void vmx_reinject(struct vcpu *vcpu)
{
	uint32_t info = this_cpu()->interrupted_event;

	if (!(info & EVENT_VALID) || this_cpu()->event_injected)
		return;
	if (EVENT_TYPE(info) == TYPE_NMI)
		vmx_unblock(BLOCKING_NMI);
	raise_again(info, (uint32_t)vmread(VMCS_VECTORING_ERROR));
}

/*
 * The exit hit an IRET that had already ended NMI blocking: it will run again, so blocking goes on.
 */
void vmx_iret_unblocked(uint64_t qualification)
{
	if (qualification & QUALIFICATION_IRET_NMI &&
	    !(this_cpu()->interrupted_event & EVENT_VALID))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
		    vmread(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
}

static void open_nmi_window(struct percpu *cpu)
{
	vmwrite(VMCS_PRIMARY_CONTROLS, cpu->processor_controls | CPU_NMI_WINDOW);
}

void vendor_nmi_pending(void)
{
	struct percpu *cpu = this_cpu();

	if (test_switch(TEST_NO_NMI_GUARD))
		return;
	nmi_owe(cpu);
	if (cpu->vmcs_loaded)
		open_nmi_window(cpu);
}

void vmx_nmi_owed(void)
{
	if (nmi_owed(this_cpu()))
		open_nmi_window(this_cpu());
}

bool vmx_entry_undone(void)
{
	uint32_t event = (uint32_t)vmread(VMCS_ENTRY_EVENT);

	this_cpu()->interrupted_event = 0;
	if (event == EVENT_OF(TYPE_NMI, VECTOR_NMI))
		vendor_nmi_pending();
	vmwrite(VMCS_ENTRY_EVENT, 0);
	if (!(event & EVENT_VALID) || EVENT_TYPE(event) != TYPE_INTERRUPT)
		return false;
	this_cpu()->interrupted_event = event;
	return true;
}

void vmx_nmi_window(struct vcpu *vcpu)
{
	struct percpu *cpu = this_cpu();

	vmwrite(VMCS_PRIMARY_CONTROLS, cpu->processor_controls);
	if (!nmi_take(cpu))
		return;
	/* The window may open in the shadow of an STI, and NMIs may not be injected there. */
	vmx_unblock(BLOCKING_STI);
	write_event(EVENT_OF(TYPE_NMI, VECTOR_NMI), 0);
	/*
	 * Another one was owed, or has come in between; its handler's control write may be the one
	 * undone above.
	 */
	if (nmi_owed(cpu))
		open_nmi_window(cpu);
}

/* Ends the blocking of NMIs that an NMI exit has begun, by an IRET to the next instruction. */
static void unblock_nmi(void)
{
	uint64_t at;

	__asm__ volatile("mov %%rsp, %0\n\tpushq %1\n\tpush %0\n\tpushfq\n\tpushq %2\n\t"
			 "lea 1f(%%rip), %0\n\tpush %0\n\tiretq\n1:"
			 : "=&r"(at)
			 : "i"(SEL_DATA), "i"(SEL_CODE)
			 : "memory");
}

bool vmx_nmi_exit(uint32_t event)
{
	if (EVENT_TYPE(event) != TYPE_NMI)
		return false;
	if (sync_nmi(this_cpu()->sync))
		vendor_nmi_pending();
	unblock_nmi();
	return true;
}

/*
 * What the CPU would have done to the debug registers had #DB been delivered. SDM 3C 28.1, 3B 18.4.
 */
static void debug_exception(struct vcpu *vcpu)
{
	uint64_t qualification = vmread(VMCS_EXIT_QUALIFICATION);
	uint64_t inverted = qualification & (DR6_BUS_LOCK | DR6_RTM);
	uint64_t dr6 = (read_dr6() & ~DR6_CLEARED) | DR6_RTM | (qualification & DR6_CAUSES);

	write_dr6(dr6 & ~inverted);
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
	vmwrite(VMCS_GUEST_DEBUGCTL,
	    vmread(VMCS_GUEST_DEBUGCTL) & ~(uint64_t)(DEBUGCTL_LBR | DEBUGCTL_BTF));
	vmx_inject_exception(vcpu, VECTOR_DB, false, 0);
}

/*
 * An exit for #DB leaves BS of the pending debug exceptions clear, and VM entry wants it to agree
 * with TF and BTF where STI or MOV SS blocks, or the CPU is halted. SDM 3C 27.3.1.5.
 */
void vmx_settle_single_step(void)
{
	uint64_t pending;
	bool step;

	if (!blocked(BLOCKING_STI | BLOCKING_MOV_SS) && vmread(VMCS_GUEST_ACTIVITY) != ACTIVITY_HLT)
		return;
	step = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF &&
	    !(vmread(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
	pending = vmread(VMCS_GUEST_PENDING_DEBUG) & ~PENDING_BS;
	vmwrite(VMCS_GUEST_PENDING_DEBUG, pending | (step ? PENDING_BS : 0));
}

/*
 * #DB or #AC raised while the same was being delivered, on and on (CVE-2015-8104, CVE-2015-5307):
 * each round exits, so kicks are answered; and an NMI that waits goes first, so other CPUs of the
 * guest can end it.
 */
static bool endless(unsigned vector)
{
	struct percpu *cpu = this_cpu();

	if (interrupted_exception() != vector)
		return false;
	audit(REDOUBT_AUDIT_EVENT_LOOP, vector, vmread(VMCS_GUEST_RIP));
	if (blocked(BLOCKING_NMI | BLOCKING_STI | BLOCKING_MOV_SS) || !nmi_take(cpu))
		return false;
	write_event(EVENT_OF(TYPE_NMI, VECTOR_NMI), 0);
	return true;
}

void vmx_machine_check(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_MACHINE_CHECK, cpu_index(), vmread(VMCS_GUEST_RIP));
	if (vmread(VMCS_GUEST_CR4) & CR4_MCE)
		vmx_inject_exception(vcpu, VECTOR_MC, false, 0);
	else
		vmx_triple_fault(vcpu);
}

void vmx_exception(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmread(VMCS_EXIT_EVENT);
	unsigned vector = EVENT_VECTOR(info);

	if (vmx_nmi_exit(info))
		return;
	vmx_iret_unblocked(info & EVENT_NMI_UNBLOCKED ? QUALIFICATION_IRET_NMI : 0);
	if (vector == VECTOR_MC)
		vmx_machine_check(vcpu);
	else if (endless(vector))
		return;
	else if (vector == VECTOR_DB && EVENT_TYPE(info) == TYPE_PRIVILEGED_EXCEPTION)
		raise_again(info, 0); /* INT1 leaves the debug registers alone */
	else if (vector == VECTOR_DB)
		debug_exception(vcpu);
	else
		vmx_inject_exception(vcpu, vector, info & EVENT_ERROR,
		    (uint32_t)vmread(VMCS_EXIT_EVENT_ERROR));
}
