/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Events: exceptions the monitor injects, those that an exit caught on their way to the guest, and
 * NMIs.
 *
 * Every NMI that arrives in the guest exits, still pending, and is taken in root mode as soon as
 * the global interrupt flag is set; so all NMIs, kicks told apart, are owed to the guest (nmi.h).
 * They are offered last thing before entry, with the flag clear. The VMCB knows neither that an NMI
 * handler runs nor a window that opens when it ends, so both are made here (APM 2 15.20-15.22):
 *
 *   - from an injected NMI on IRET is intercepted. The exit comes before the instruction, so the
 *     end of the handler is seen at the next exit that finds RIP elsewhere;
 *   - where one more waits at that IRET, or behind STI or MOV SS, the CPU is single-stepped over
 *     the one instruction, and the #DB is the monitor's (where that instruction raises an exception
 *     of its own, or is a PUSHF, the guest's stack gets TF);
 *   - where another event has to be injected first, the CPU sends itself an NMI, which exits again
 *     as soon as that event is delivered.
 */
#include "arch/x86/nmi.h"
#include "arch/x86/svm/svm.h"

#define EVENT_ERROR	    (1u << 11)
#define EVENT_TYPE(info)    ((info) >> 8 & 7)
#define EVENT_VECTOR(info)  ((info)&0xff)
#define TYPE_INTERRUPT	    0u
#define TYPE_NMI	    2u
#define TYPE_EXCEPTION	    3u
#define TYPE_SOFTWARE	    4u
#define EVENT_OF(type, vec) (EVENT_VALID | (type) << 8 | (vec))
#define TYPE_BITS	    (7u << 8)
#define FIRST_USER_VECTOR   32u
#define EXCEPTION_OF(code)  ((unsigned)(code)&31)

#define VECTOR_DE 0u
#define VECTOR_BP 3u
#define VECTOR_OF 4u
#define VECTOR_DF 8u
#define VECTOR_TS 10u
#define VECTOR_PF 14u
#define DR6_BD	  (1ull << 13)
#define DR6_BS	  (1ull << 14)
#define DR6_CAUSE (0xfull | DR6_BD | DR6_BS) /* of a #DB; software clears them */

/* Classes for the double-fault rule of APM 2 8.2.9. */
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
	vmcb()->event = (uint64_t)error << 32 | event;
	this_cpu()->event_injected = true;
}

/* The exception whose delivery the exit interrupted, or a vector that cannot be. */
static unsigned interrupted_exception(void)
{
	uint32_t info = this_cpu()->interrupted_event;

	if (!(info & EVENT_VALID) || EVENT_TYPE(info) != TYPE_EXCEPTION ||
	    EVENT_VECTOR(info) >= FIRST_USER_VECTOR)
		return UINT32_MAX;
	return EVENT_VECTOR(info);
}

void svm_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
	unsigned first = interrupted_exception();
	/* Real mode has no error codes. */
	uint32_t with_error = vmcb()->cr0 & CR0_PE ? EVENT_ERROR : 0;

	if (first == VECTOR_DF)
		svm_shutdown(vcpu);
	else if (doubles(first, vector))
		write_event(EVENT_OF(TYPE_EXCEPTION, VECTOR_DF) | with_error, 0);
	else
		write_event(EVENT_OF(TYPE_EXCEPTION, vector) | (has_error ? with_error : 0), error);
}

void vcpu_inject_gp(struct vcpu *vcpu)
{
	svm_inject_exception(vcpu, VECTOR_GP, true, 0);
}

void vcpu_inject_ud(struct vcpu *vcpu)
{
	svm_inject_exception(vcpu, VECTOR_UD, false, 0);
}

/* The single step of the guest's own behind an instruction that was carried out here. */
void svm_inject_step(void)
{
	if (this_cpu()->event_injected)
		return;
	vmcb()->dr6 |= DR6_BS;
	write_event(EVENT_OF(TYPE_EXCEPTION, VECTOR_DB), 0);
}

/*
 * An instruction that raises its event runs again instead. QEMU gives external interrupts the type
 * of exceptions.
 */
void svm_reinject(void)
{
	struct percpu *cpu = this_cpu();
	uint32_t info = cpu->interrupted_event;
	unsigned vector = EVENT_VECTOR(info);

	if (!(info & EVENT_VALID) || cpu->event_injected || EVENT_TYPE(info) == TYPE_SOFTWARE)
		return;
	if (EVENT_TYPE(info) == TYPE_EXCEPTION && (vector == VECTOR_BP || vector == VECTOR_OF))
		return;
	if (EVENT_TYPE(info) == TYPE_EXCEPTION && vector >= FIRST_USER_VECTOR)
		info &= ~TYPE_BITS;
	write_event(info, cpu->interrupted_error);
}

/* ---- Stepping over one instruction ---- */

static void step(struct percpu *cpu)
{
	struct vmcb *v = vmcb();

	if (cpu->events.stepping)
		return;
	cpu->events.stepping = true;
	cpu->events.step_rip = v->rip;
	cpu->events.step_dr6 = v->dr6;
	cpu->events.step_flag = v->rflags & RFLAGS_TF;
	v->rflags |= RFLAGS_TF;
	/*
	 * Flags with TF on the guest's stack would come back with its IRET. An interrupt that is
	 * taken before the instruction (QEMU forgets what VMRUN says of STI) exits instead; at an
	 * IRET none would let it get on.
	 */
	if (!cpu->events.iret_waits)
		v->intercepts |= INTERCEPT(EXIT_INTR);
	/* What a #DB finds is its own. */
	v->dr6 &= ~DR6_CAUSE;
}

/* TF and DR6 as the guest had them. An IRET that has run has loaded flags of the guest's own. */
static void end_step(struct svm_events *e)
{
	struct vmcb *v = vmcb();

	e->stepping = false;
	v->intercepts &= ~INTERCEPT(EXIT_INTR);
	if (!e->step_was_iret || v->rip == e->step_rip)
		v->rflags = (v->rflags & ~RFLAGS_TF) | e->step_flag;
	v->dr6 |= e->step_dr6 & DR6_CAUSE;
}

/* The #DB of a step. true: the step alone brought it about, and the guest has none of it. */
static bool step_done(struct svm_events *e)
{
	struct vmcb *v = vmcb();
	uint64_t cause = v->dr6 & DR6_CAUSE;

	if (!e->step_flag)
		v->dr6 &= ~DR6_BS;
	end_step(e);
	return cause == DR6_BS && !e->step_flag;
}

/* What this exit tells about the NMI handler and about a step under way. */
void svm_events_begin(struct vmcb *v)
{
	struct percpu *cpu = this_cpu();
	struct svm_events *e = &cpu->events;

	cpu->event_injected = false;
	cpu->interrupted_event = EXIT_INVALID(v->exit_code) ? 0 : (uint32_t)v->exit_event;
	cpu->interrupted_error = (uint32_t)(v->exit_event >> 32);
	e->step_was_iret = e->iret_waits;
	if (e->iret_waits && v->rip != e->iret_rip) {
		e->iret_waits = false;
		e->nmi_blocked = false;
	}
	if (e->stepping && v->exit_code != EXIT_DB)
		end_step(e);
}

void svm_iret(struct vcpu *vcpu)
{
	struct vmcb *v = vmcb();

	v->intercepts &= ~INTERCEPT(EXIT_IRET);
	this_cpu()->events.iret_waits = true;
	this_cpu()->events.iret_rip = v->rip;
}

/* ---- NMIs ---- */

void vendor_nmi_pending(void)
{
	if (!test_switch(TEST_NO_NMI_GUARD))
		nmi_owe(this_cpu());
}

static void inject_nmi(struct percpu *cpu)
{
	if (!nmi_take(cpu))
		return;
	cpu->events.nmi_blocked = true;
	cpu->events.iret_waits = false;
	vmcb()->intercepts |= INTERCEPT(EXIT_IRET);
	write_event(EVENT_OF(TYPE_NMI, VECTOR_NMI), 0);
}

void svm_offer_nmi(void)
{
	struct percpu *cpu = this_cpu();

	if (!nmi_owed(cpu) || (cpu->events.nmi_blocked && !cpu->events.iret_waits))
		return;
	if (cpu->event_injected)
		sync_kick(cpu->sync); /* an exit right behind the event that is injected now */
	else if (cpu->events.nmi_blocked || vmcb()->interrupt_state & SHADOW)
		step(cpu);
	else
		inject_nmi(cpu);
}

void svm_events_reset(void)
{
	struct percpu *cpu = this_cpu();

	cpu->events = (struct svm_events){ 0 };
	vmcb()->intercepts &= ~(INTERCEPT(EXIT_IRET) | INTERCEPT(EXIT_INTR));
	cpu->event_injected = false;
}

/* ---- Exceptions that exit ---- */

/*
 * #DB or #AC raised while the same was being delivered, on and on (CVE-2015-8104, CVE-2015-5307):
 * each round exits, so kicks are answered; and an NMI that waits goes first, so other CPUs of the
 * guest can end it.
 */
static bool endless(struct percpu *cpu, unsigned vector)
{
	if (interrupted_exception() != vector)
		return false;
	audit(REDOUBT_AUDIT_EVENT_LOOP, vector, vmcb()->rip);
	return nmi_owed(cpu) && !cpu->events.nmi_blocked;
}

void svm_machine_check(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_MACHINE_CHECK, cpu_index(), vmcb()->rip);
	if (vmcb()->cr4 & CR4_MCE)
		svm_inject_exception(vcpu, VECTOR_MC, false, 0);
	else
		svm_shutdown(vcpu);
}

/* DR6 and DR7 are already as delivery wants them. APM 2 15.12.2. */
static void debug_exception(struct vcpu *vcpu, struct percpu *cpu)
{
	if (!cpu->events.stepping || !step_done(&cpu->events))
		svm_inject_exception(vcpu, VECTOR_DB, false, 0);
}

void svm_exception(struct vcpu *vcpu)
{
	struct percpu *cpu = this_cpu();
	unsigned vector = EXCEPTION_OF(vmcb()->exit_code);

	if (vector == VECTOR_MC)
		svm_machine_check(vcpu);
	else if (endless(cpu, vector))
		cpu->interrupted_event = 0;
	else if (vector == VECTOR_DB)
		debug_exception(vcpu, cpu);
	else
		svm_inject_exception(vcpu, vector, vector == VECTOR_AC,
		    (uint32_t)vmcb()->exit_info1);
}
