/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A VP that starts over: INIT, SIPI, triple fault, and one that is stopped because the monitor does
 * not know its exit.
 *
 * The CPU itself never sees the guest's INIT and SIPI. A sender changes the start word in the
 * target's struct cpu_sync (message.h) and kicks it; the target finds INIT in the word before it
 * enters its guest again, resets its VP, and waits for SIPI in root mode, where it counts as not in
 * its guest. An INIT that a device forged comes as #SX where VM_CR.R_INIT is set (trap.c notes it).
 * APM 2 14.1.3, 15.30.1; MP specification B.4.
 */
#include "arch/x86/apic.h"
#include "arch/x86/nmi.h"
#include "arch/x86/svm/message.h"
#include "arch/x86/svm/svm.h"

#define RESET_CS      0xf000u
#define RESET_CS_BASE 0xffff0000u
#define RESET_RIP     0xfff0u
#define ATTR_DATA     0x93u
#define ATTR_CODE     0x9bu
#define REAL_LIMIT    0xffffu

static _Noreturn void reset_machine(void)
{
	monitor_leaving();
	machine_reset();
}

/* The first CPU would start firmware over: that is a reset of the machine. */
static _Noreturn void first_cpu_reset(void)
{
	klog(LOG_WARN, "INIT at the first CPU: reset");
	reset_machine();
}

/* A CPU that waits looks for it; one that has not taken its INIT has been kicked. */
void svm_send_start(struct cpu_sync *to, uint32_t command)
{
	bool init = message_mode(command) == MODE_INIT;
	uint32_t old = atomic_load(&to->start);

	if (init && to == sync_of(0))
		first_cpu_reset();
	while (!atomic_compare_exchange_weak(&to->start, &old, start_after(old, command)))
		;
	if (init && !(old & START_WAITING) && to != this_cpu()->sync)
		sync_kick(to);
}

/*
 * Beside the kick, so that the two cannot merge, and no more than the CPU would keep. (What comes
 * by other ways than the interrupt command register is a real NMI.)
 */
void svm_send_nmi(struct cpu_sync *to)
{
	if (atomic_fetch_add(&to->nmis, 1) == 0 && to != this_cpu()->sync)
		sync_kick(to);
}

void svm_collect_nmis(void)
{
	_Atomic uint32_t *nmis = &this_cpu()->sync->nmis;
	uint32_t sent;

	if (!atomic_load_explicit(nmis, memory_order_relaxed))
		return;
	sent = atomic_exchange(nmis, 0);
	for (unsigned n = 0; n < NMIS_OWED_MAX && n < sent; n++)
		vendor_nmi_pending();
}

static void reset_segments(struct vmcb *v)
{
	const struct vmcb_segment data = { 0, ATTR_DATA, REAL_LIMIT, 0 };

	v->es = v->ss = v->ds = v->fs = v->gs = data;
	v->cs = (struct vmcb_segment){ RESET_CS, ATTR_CODE, REAL_LIMIT, RESET_CS_BASE };
	v->ldtr = (struct vmcb_segment){ 0, ATTR_LDT, REAL_LIMIT, 0 };
	v->tr = (struct vmcb_segment){ 0, ATTR_TSS_BUSY, REAL_LIMIT, 0 };
	v->gdtr = v->idtr = (struct vmcb_segment){ 0, 0, REAL_LIMIT, 0 };
}

/* What INIT leaves; MSRs, the FPU, XCR0, CD and NW stay as they are. */
static void reset_state(struct vcpu *vcpu)
{
	struct vmcb *v = vmcb();

	__builtin_memset(&vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs.rdx = cpuid(1, 0).eax;
	__asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3"
			 :
			 : "r"(0ull));
	reset_segments(v);
	v->cpl = 0;
	v->efer = EFER_SVME;
	v->cr0 = CR0_ET | (v->cr0 & (CR0_CD | CR0_NW));
	v->cr2 = v->cr3 = v->cr4 = 0;
	v->dr6 = DR6_FIXED;
	v->dr7 = DR7_FIXED;
	v->rflags = RFLAGS_FIXED;
	v->rip = RESET_RIP;
	v->rsp = v->rax = 0;
	v->interrupt_state = 0;
	v->event = 0;
	svm_events_reset();
	svm_flush(v);
}

bool svm_restart_due(void)
{
	struct percpu *cpu = this_cpu();

	if (atomic_exchange(&cpu->init_arrived, 0))
		atomic_store(&cpu->sync->start, START_INIT);
	return atomic_load_explicit(&cpu->sync->start, memory_order_acquire) != 0;
}

/* NMIs that come meanwhile are gone when it starts, an INIT changes nothing. */
static uint8_t wait_for_sipi(struct percpu *cpu)
{
	uint32_t now;

	do {
		cpu_pause();
		atomic_store(&cpu->sync->nmis, 0);
		atomic_store(&cpu->nmi_pending, 0);
		atomic_store(&cpu->init_arrived, 0);
		now = atomic_load(&cpu->sync->start);
	} while (
	    !(now & START_SIPI) || !atomic_compare_exchange_strong(&cpu->sync->start, &now, 0));
	return (uint8_t)now;
}

void svm_restart(struct vcpu *vcpu)
{
	struct percpu *cpu = this_cpu();
	struct vmcb *v = vmcb();
	uint8_t vector;

	if (atomic_load(&cpu->sync->start) & START_INIT) {
		if (vcpu->index == 0)
			first_cpu_reset();
		atomic_fetch_xor(&cpu->sync->start, START_INIT | START_WAITING);
	}
	apic_reset();
	svm_device_note();
	reset_state(vcpu);
	vector = wait_for_sipi(cpu);
	v->cs.selector = (uint16_t)(vector << 8);
	v->cs.base = (uint64_t)vector << 12;
	v->rip = 0;
}

/* The VMCB's state is not defined behind this exit. APM 2 15.14.3. */
void svm_shutdown(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_TRIPLE_FAULT, vcpu->index, vmcb()->rip);
	klog(LOG_WARN, "triple fault at %lx: reset", vmcb()->rip);
	reset_machine();
}

/* Another CPU of the guest may start it again by INIT and SIPI. */
void svm_stop_vp(void)
{
	audit(REDOUBT_AUDIT_UNKNOWN_EXIT, vmcb()->exit_code, vmcb()->rip);
	atomic_store(&this_cpu()->sync->start, START_WAITING);
}
