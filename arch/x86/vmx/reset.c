/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A VP that starts over: INIT, SIPI, triple fault, and one that is stopped because the monitor does
 * not know its exit. SDM 3A 10.1 (table 10-1), 9.4; MP specification B.4.
 */
#include "arch/x86/apic.h"
#include "arch/x86/vmx/vmx.h"

#define RESET_CS      0xf000u
#define RESET_CS_BASE 0xffff0000u
#define RESET_RIP     0xfff0u
#define RIGHTS_DATA   0x93u
#define RIGHTS_CODE   0x9bu
#define RIGHTS_LDT    0x82u
#define REAL_LIMIT    0xffffu

static void reset_segments(void)
{
	for (unsigned i = 0; i < SEGMENT_LDTR; i++)
		vmx_write_segment(i, 0, RIGHTS_DATA, REAL_LIMIT, 0);
	vmx_write_segment(SEGMENT_CS, RESET_CS, RIGHTS_CODE, REAL_LIMIT, RESET_CS_BASE);
	vmx_write_segment(SEGMENT_LDTR, 0, RIGHTS_LDT, REAL_LIMIT, 0);
	vmx_write_segment(SEGMENT_TR, 0, TSS_BUSY, REAL_LIMIT, 0);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, REAL_LIMIT);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, REAL_LIMIT);
}

/*
 * What INIT leaves; MSRs, the FPU, XCR0, CD and NW stay as they are. Another CPU of the guest may
 * start it again by SIPI.
 */
void vmx_stop_vp(struct vcpu *vcpu)
{
	struct percpu *cpu = this_cpu();
	uint64_t cache = vmread(VMCS_CR0_SHADOW) & (CR0_CD | CR0_NW);

	__builtin_memset(&vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs.rdx = cpuid(1, 0).eax;
	reset_segments();
	__asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3"
			 :
			 : "r"(0ull));
	write_dr6(DR6_FIXED);
	vmwrite(VMCS_GUEST_DR7, DR7_FIXED);
	vmwrite(VMCS_CR0_SHADOW, CR0_ET | cache);
	vmwrite(VMCS_GUEST_CR0, CR0_ET | CR0_NE);
	VMCS_ZERO(VMCS_GUEST_GDTR_BASE, VMCS_GUEST_IDTR_BASE, VMCS_GUEST_CR3, VMCS_CR4_SHADOW,
	    VMCS_GUEST_EFER, VMCS_GUEST_RSP, VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_PENDING_DEBUG,
	    VMCS_ENTRY_EVENT);
	vmwrite(VMCS_GUEST_CR4, CR4_VMXE);
	vmwrite(VMCS_ENTRY_CONTROLS, vmread(VMCS_ENTRY_CONTROLS) & ~(uint64_t)ENTRY_IA32E);
	vmwrite(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	vmwrite(VMCS_GUEST_RIP, RESET_RIP);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_WAIT_SIPI);
	write_cr2(0);
	CHECK(invvpid(INVVPID_SINGLE, vmread(VMCS_VPID)));
	/* Whatever the exit interrupted is gone, and so are NMIs that came before. */
	cpu->event_injected = true;
	vmwrite(VMCS_PRIMARY_CONTROLS, cpu->processor_controls);
	atomic_store(&cpu->nmi_pending, 0);
}

void vmx_init_signal(struct vcpu *vcpu)
{
	if (test_switch(TEST_NO_INIT_GUARD))
		return;
	if (rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP) {
		/* The first CPU would start firmware over: that is a reset of the machine. */
		klog(LOG_WARN, "INIT at the first CPU: reset");
		monitor_leaving();
		machine_reset();
	}
	apic_reset();
	vmx_stop_vp(vcpu);
}

void vmx_sipi(struct vcpu *vcpu)
{
	uint64_t vector = vmread(VMCS_EXIT_QUALIFICATION) & 0xff;

	vmwrite(VMCS_GUEST_CS, vector << 8);
	vmwrite(VMCS_GUEST_CS_BASE, vector << 12);
	vmwrite(VMCS_GUEST_RIP, 0);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
}

void vmx_triple_fault(struct vcpu *vcpu)
{
	audit(REDOUBT_AUDIT_TRIPLE_FAULT, vcpu->index, vmread(VMCS_GUEST_RIP));
	klog(LOG_WARN, "triple fault at %lx: reset", vmread(VMCS_GUEST_RIP));
	monitor_leaving();
	machine_reset();
}
